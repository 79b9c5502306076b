#!/usr/bin/env bash
# Builds the stand-in for libcudnn.so.8 or .9, whichever CUDA_ROOT has headers of, into a folder
# that holds the driver's (build.sh): cuda/sim/build-cudnn.sh DIR CUDA_ROOT [asan]
# Needs g++ and NVIDIA's headers. Test only.
set -euo pipefail
out=$(cd "${1:?folder with the stand-in driver}" && pwd)
root=${2:?CUDA root}
flags="-std=c++17 -fPIC -Wall -Wextra -Werror -Wno-deprecated-declarations -I$root/include"
if [[ ${3:-} == asan ]]; then
    flags+=" -O1 -g -fsanitize=address -fno-omit-frame-pointer"
else
    flags+=" -O3 -g"
fi
cd "$(dirname "$0")"
major=$(printf '#include <cudnn.h>\nCUDNN_MAJOR\n' | gcc -E -P -I"$root/include" -x c - | tail -n 1)
obj=$out/obj-cudnn
rm -rf "$obj" && mkdir -p "$obj"
pids=()
for f in cudnn_*.cpp; do
    # shellcheck disable=SC2086
    g++ $flags -c "$f" -o "$obj/${f%.cpp}.o" &
    pids+=($!)
done
for p in "${pids[@]}"; do wait "$p"; done

# Every other function of the headers refuses, by name.
printf '#include <cudnn.h>\n' | gcc -E -P -I"$root/include" -x c - | tr '\n' ' ' | grep -oE '\bcudnn[A-Z][A-Za-z0-9_]* *\(' | tr -d ' (' | sort -u >"$obj/names"
{
    echo 'int cudnnSimMissing(const char *);'
    grep -vxFf <(nm --defined-only "$obj"/*.o | awk '$2 == "T" {print $3}') "$obj/names" | sed 's/.*/int &(void) { return cudnnSimMissing("&"); }/'
} >"$obj/refused.c"
gcc -fPIC -w -c "$obj/refused.c" -o "$obj/refused.o"
# The real library's symbols carry its name as their version, and the loader warns where they don't.
printf 'libcudnn.so.%s { global: *; };\n' "$major" >"$obj/version"
# shellcheck disable=SC2086
g++ $flags -shared -Wl,-soname,"libcudnn.so.$major" -Wl,--version-script="$obj/version" -o "$out/libcudnn.so.$major" "$obj"/*.o -L"$out" -lcuda -Wl,-rpath,'$ORIGIN'
