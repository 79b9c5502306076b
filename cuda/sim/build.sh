#!/usr/bin/env bash
# Builds the stand-ins for libcuda.so.1 and libnccl.so.2 into a folder: cuda/sim/build.sh DIR [asan]
# Needs g++ and nothing of NVIDIA's. Test only; the kernels in it are those of kernels/*.cu.
set -euo pipefail
out=$(mkdir -p "${1:?folder to build into}" && cd "$1" && pwd)
flags="-std=c++17 -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-unused-parameter"
if [[ ${2:-} == asan ]]; then
    flags+=" -O1 -g -fsanitize=address -fno-omit-frame-pointer"
else
    flags+=" -O2"
fi
cd "$(dirname "$0")"
kernels=${JEM_KERNELS:-../../kernels} # a mutated copy, for scripts/kernels-mutate.sh

obj=$out/obj
rm -rf "$obj" && mkdir -p "$obj"
sed -nE 's/^EXPORTED(_FULL)? ([a-z0-9_]+)\(.*/    kernel("\2", \2),/p' "$kernels"/*.cu faulty.cu >"$obj/registry.inc"
pids=()
for f in state memory stream device simt kernels; do
    # shellcheck disable=SC2086
    g++ $flags -I"$obj" -I. -DKERNELS="\"$(cd "$kernels" && pwd)/all.cu\"" -c $f.cpp -o "$obj/$f.o" &
    pids+=($!)
done
for p in "${pids[@]}"; do wait "$p"; done

# Every other entry point that the Go binding imports refuses, by name.
{
    echo 'int simRefuse(const char *);'
    grep -vxFf <(nm --defined-only "$obj"/*.o | awk '$2 == "T" {print $3}') driver.symbols |
        sed 's/.*/int &(void) { return simRefuse("&"); }/'
} >"$obj/refused.c"
gcc -fPIC -w -c "$obj/refused.c" -o "$obj/refused.o"
# shellcheck disable=SC2086
g++ $flags -shared -Wl,-soname,libcuda.so.1 -o "$out/libcuda.so.1" "$obj"/*.o
ln -sf libcuda.so.1 "$out/libcuda.so"
# shellcheck disable=SC2086
g++ $flags -shared -Wl,-soname,libnccl.so.2 nccl.cpp -o "$out/libnccl.so.2" -L"$out" -lcuda -Wl,-rpath,'$ORIGIN'
