#!/usr/bin/env bash
# Everything that is to be known from a machine with a GPU. Needs a driver, cuDNN and NVRTC (those in a Python
# environment's wheels will do), xz or Python to unpack, no compiler, no Go, no network. Writes one log and one JSON to send back.
#
#   ./run.sh [--out DIR] [--only PART,…] [--again] [--list]
#   ./run.sh [--out DIR] --unpack 8|9      the programs for that cuDNN into DIR, and no more
#
# PARTs: machine test golden ranks step kernels layers plan torch sanitize, and bench for step, kernels, layers, torch.
# Sections that ended well are not run again in the same DIR (default ./results) unless --again is given, so a
# run that was cut off goes on. No section stops the others: each has a time limit, and its exit code is recorded.
# Environment: PYTHON, the interpreter whose wheels to use; JEM_GPU_LIBS, folders to search for libraries first.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$PWD/results only="" again="" list="" unpack=""
while [[ $# -gt 0 ]]; do
    case $1 in
    --out) mkdir -p "$2" && out=$(cd "$2" && pwd) && shift ;;
    --only) only=,$2, && shift ;;
    --unpack) unpack=$2 && shift ;;
    --again) again=1 ;;
    --list) list=1 ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
    shift
done
only=${only/,bench,/,step,kernels,layers,torch,}
mkdir -p "$out/sections"
log=$out/log.txt json=$out/results.json
bundle=$(cat "$here/bundle.json") host=$(uname -rm)
python=${PYTHON:-$(command -v python3 || command -v python || true)}

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" | tee -a "$log"; }

wanted() { [[ -z $only || $only == *,$1,* ]]; }

# section PART NAME SECONDS COMMAND…: runs a command under a time limit and keeps what it prints.
section() {
    local part=$1 name=$1.$2 limit=$3 at=$out/sections/$1.$2 begin rc
    shift 3
    wanted "$part" || return 0
    [[ -z $list ]] || { echo "$name"; return 0; }
    if [[ -z $again && $(cat "$at.rc" 2>/dev/null) == 0 ]]; then
        return 0
    fi
    begin=$SECONDS
    timeout --kill-after 20 "$limit" "$@" >"$at.out" 2>"$at.err" </dev/null
    rc=$?
    echo "$rc" >"$at.rc"
    echo $((SECONDS - begin)) >"$at.seconds"
    printf '%s\n' "$*" >"$at.command"
    if [[ $rc == 0 ]]; then
        say "ok      $name ($((SECONDS - begin)) s)"
    else
        say "FAILED  $name: exit code $rc after $((SECONDS - begin)) s"
        tail -n 5 "$at.err" | sed 's/^/            /' | tee -a "$log"
    fi
    fragment "$at"
    combine
}

# skipped PART NAME REASON
skipped() {
    wanted "$1" && [[ -z $list ]] || return 0
    printf '"%s": "%s"\n' "$1.$2" "$3" >"$out/sections/$1.$2.skipped"
    say "not run $1.$2: $3"
}

# quoted FILE: its last 6000 bytes as a JSON string.
quoted() {
    printf '"'
    tail -c 6000 "$1" 2>/dev/null | LC_ALL=C tr -d '\000-\010\013-\037\177-\377' | sed 's/\\/\\\\/g; s/"/\\"/g; s/\t/\\t/g' |
        awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
    printf '"'
}

# fragment AT writes AT.json: a section's commands, exit code and what it printed, as it is if that is JSON.
fragment() {
    {
        printf '"%s": {"rc": %s, "seconds": %s, "command": %s,\n "output": ' "$(basename "$1")" "$(cat "$1.rc")" "$(cat "$1.seconds")" "$(quoted "$1.command")"
        case $(head -c 1 "$1.out") in
        '{' | '[') cat "$1.out" ;;
        *) quoted "$1.out" ;;
        esac
        printf ',\n "errors": %s}\n' "$(quoted "$1.err")"
    } >"$1.json"
}

# joined FILES…: their contents with commas between them.
joined() {
    local f comma=""
    for f in "$@"; do
        [[ -e $f ]] || continue
        printf '%s\n' "$comma"
        cat "$f"
        comma=,
    done
}

# combine writes all sections into one JSON, by way of another file, so that it is whole whenever the run ends.
combine() {
    {
        printf '{"bundle": %s, "host": "%s", "sections": {' "$bundle" "$host"
        joined "$out"/sections/*.json
        printf '}, "not_run": {'
        joined "$out"/sections/*.skipped
        printf '}}\n'
    } >"$json.new"
    mv "$json.new" "$json"
}

# folders lists where libraries may lie: those named, the wheels of the Python environment, the toolkit.
folders() {
    tr ':' '\n' <<<"${JEM_GPU_LIBS:-}"
    if [[ -n $python ]]; then
        "$python" - <<'PY' 2>/dev/null
import glob, site, sysconfig
roots = [sysconfig.get_paths()[k] for k in ("purelib", "platlib")] + site.getsitepackages() + [site.getusersitepackages()]
for root in dict.fromkeys(roots):
    for folder in sorted(glob.glob(root + "/nvidia/*/lib")):
        print(folder)
PY
    fi
    printf '%s\n' /usr/local/cuda/lib64 /usr/local/cuda/targets/x86_64-linux/lib /usr/lib/x86_64-linux-gnu /usr/lib64
}

# unxz writes the archive of programs to standard output, by what is here to unpack it.
unxz() {
    if command -v xz >/dev/null; then
        xz -dc <"$here/programs.tar.xz"
    elif [[ -n $python ]]; then
        "$python" - "$here/programs.tar.xz" <<'PY'
import shutil, sys
try:
    import lzma # some Pythons are built without
    shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer, 1 << 20)
except Exception as e:
    sys.exit(f"Python: {e}")
PY
    else
        echo "neither xz nor Python is here: install one of them, or name a Python in PYTHON" >&2
        return 1
    fi
}

# unpacked MAJOR: the programs for that cuDNN are in $out, all of them, of this bundle and no older one.
unpacked() {
    local at=$out/cudnn$1 why
    [[ ! $at/jem-cuda -nt $here/programs.tar.xz ]] || return 0
    rm -rf "$at" "$at.part" && mkdir "$at.part"
    why=$({ unxz | tar -C "$at.part" --touch -xf - "cudnn$1"; } 2>&1) && mv "$at.part/cudnn$1" "$at" && rmdir "$at.part" && return 0
    rm -rf "$at.part"
    say "$here/programs.tar.xz can't be unpacked: ${why%%$'\n'*}"
    return 1
}

# libraries chooses the program for the cuDNN that is here, and the search path.
libraries() {
    local folder major
    path=
    while read -r folder; do
        if [[ -n $folder && -d $folder ]] && compgen -G "$folder/lib*.so*" >/dev/null; then
            path+=${path:+:}$folder
        fi
    done < <(folders)
    for major in 9 8; do
        cudnn=""
        [[ $bundle == *'"cudnn": "'*"$major"* ]] || continue
        while IFS= read -r -d : folder; do
            [[ -z $cudnn && -e $folder/libcudnn.so.$major ]] && cudnn=$folder/libcudnn.so.$major
        done <<<"$path:"
        [[ -n $cudnn ]] || cudnn=$(ldconfig -p 2>/dev/null | awk -v n="libcudnn.so.$major" '$1 == n { print $NF; exit }')
        [[ -z $cudnn ]] || break
    done
    export LD_LIBRARY_PATH=$path${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    jem=$out/cudnn$major/jem-cuda tests=$out/cudnn$major/tests
    if [[ -z $cudnn ]]; then
        say "no libcudnn.so.9 here, nor .8: pip install nvidia-cudnn-cu13 (or -cu12) in a Python environment and name its PYTHON"
        exit 69
    fi
    unpacked "$major" || exit 69
}

has_torch() { [[ -n $python ]] && "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' >/dev/null 2>&1; }

sanitizer() {
    local tool
    for tool in "$(command -v compute-sanitizer)" /usr/local/cuda/bin/compute-sanitizer /opt/nvidia/compute-sanitizer/compute-sanitizer; do
        [[ -x $tool ]] && echo "$tool" && return
    done
    return 1
}

machine() {
    section machine driver 60 nvidia-smi -q -i 0
    section machine version 60 "$jem" version
    section machine libraries 60 ldd "$jem"
    section machine devices 120 "$jem" devices --json
    section machine properties 120 "$here/bin/deviceprops"
}

tests() {
    local binary dir precision engine file
    if [[ -d $tests ]]; then # the recorded steps lie once in the bundle; tests of packages look for them here
        mkdir -p "$tests/train/replay"
        cp -rT "$here/golden" "$tests/train/replay/testdata"
    fi
    for engine in graph legacy auto; do
        section test "conformance.fp32.$engine" 1200 "$jem" selftest --device cuda --precision fp32 --conv-engine "$engine" --json
    done
    for precision in tf32 bf16; do
        section test "conformance.$precision" 1200 "$jem" selftest --device cuda --precision "$precision" --precision-scope all --json
    done
    # The recordings' tolerances are float32's: in a lower precision the differences are recorded, not judged.
    for precision in fp32 tf32 bf16; do
        for file in "$here"/golden/{,recipes/}*.json; do
            section golden "$precision.$(basename "${file%.json}")" 600 bash -c '"$@"; rc=$?; [[ $rc == 0 || $rc == 1 && $4 != fp32 ]]' - \
                "$jem" selftest --precision "$precision" --device cuda --precision-scope all --golden "$file" --json
        done
    done
    for binary in "$tests"/*/*.test; do
        dir=$(dirname "$binary")
        section test "go.$(basename "$dir")" 1800 bash -c 'cd "$1" && exec "$2" -test.v -test.timeout 30m' - "$dir" "$binary"
    done
}

# ranks trains with two of them where there are two cards and NCCL, and compares with what one does. NCCL with one rank is
# among the tests.
ranks() {
    local small=(train --preset shapes-demo --device cuda --steps 20 --set train.log_every=1)
    if (($(nvidia-smi -L 2>/dev/null | wc -l) < 2)); then
        skipped ranks all "fewer than two cards here"
        return
    fi
    rm -rf "$out/runs" && mkdir -p "$out/runs"
    section ranks one 600 "$jem" "${small[@]}" --out "$out/runs/one"
    # shellcheck disable=SC2016 # the inner shell's
    section ranks two 600 bash -c 'for rank in 0 1; do
            RANK=$rank WORLD_SIZE=2 LOCAL_RANK=$rank LOCAL_WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29519 "$@" & pids+=($!)
        done
        wait "${pids[0]}"; first=$?; wait "${pids[1]}"; second=$?
        cat "$(printf "%s\n" "$@" | tail -n 1)/metrics.jsonl"; [[ $first == 0 && $second == 0 ]]' - "$jem" "${small[@]}" --rank-timeout 60s --out "$out/runs/two"
    section ranks bench 600 bash -c 'for rank in 0 1; do
            RANK=$rank WORLD_SIZE=2 LOCAL_RANK=$rank LOCAL_WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29519 "$@" & pids+=($!)
        done
        wait "${pids[0]}" && wait "${pids[1]}"' - "$jem" bench step --model wrn-28-10 --batch 64 --sgld-steps 20 --steps 5 --device cuda --precision bf16 --json
}

steps() {
    local model precision engine graph
    for model in wrn-28-10 wrn-16-2; do
        for precision in bf16 tf32 fp32; do
            for engine in graph legacy; do
                for graph in "" --no-graph; do
                    # shellcheck disable=SC2086 # an empty flag is none
                    section step "$model.$precision.$engine${graph:+.plain}" 300 "$jem" bench step --model "$model" --batch 64 --sgld-steps 20 --steps 5 \
                        --device cuda --precision "$precision" --conv-engine "$engine" $graph --json
                done
            done
            section step "$model.$precision.timed" 600 "$jem" bench step --model "$model" --batch 64 --sgld-steps 20 --steps 5 \
                --device cuda --precision "$precision" --time-engines --json
            [[ $precision == fp32 ]] || section step "$model.$precision.everywhere" 300 "$jem" bench step --model "$model" --batch 64 --sgld-steps 20 \
                --steps 5 --device cuda --precision "$precision" --precision-scope all --json
        done
    done
    section kernels bandwidth 600 "$jem" bench kernels --device cuda --json
    for precision in bf16 tf32 fp32; do
        for engine in graph legacy; do
            section layers "wrn-28-10.$precision.$engine" 600 "$jem" bench layers --model wrn-28-10 --batch 64 --time 100ms \
                --device cuda --precision "$precision" --precision-scope all --conv-engine "$engine" --json
        done
    done
    section machine after 60 nvidia-smi -q -i 0 -d CLOCK,TEMPERATURE,POWER,PERFORMANCE
}

# torch times PyTorch's step in the modes that it has for the same precisions.
torch() {
    local model depth width mode compile
    has_torch || { skipped torch all "no PyTorch with a GPU in ${python:-any Python}"; return; }
    for model in 28-10 16-2; do
        depth=${model%-*} width=${model#*-}
        for mode in "bf16 --bf16" "tf32" "fp32 --no-tf32"; do
            for compile in "" default reduce-overhead max-autotune; do
                # shellcheck disable=SC2086 # words of a mode
                section torch "wrn-$model.${mode%% *}.channels_last${compile:+.$compile}" 900 "$python" "$here/torch_step.py" --device cuda --depth "$depth" --width "$width" \
                    --steps 5 --format channels_last ${mode#"${mode%% *}"} ${compile:+--compile "$compile"}
            done
        done
        section torch "wrn-$model.tf32.contiguous" 900 "$python" "$here/torch_step.py" --device cuda --depth "$depth" --width "$width" --steps 5
    done
}

# plan asks cuDNN for plans on this card's own properties, to compare with what it said where there was none.
plan() {
    local file
    [[ -s $out/sections/machine.properties.out ]] || { skipped plan all "cuDNN did not tell the card's properties"; return; }
    for file in "$here"/patterns/*; do
        section plan "$(basename "$file")" 900 bash -c '"$1" "$2" 0 <"$3"' - "$here/bin/plancheck" "$out/sections/machine.properties.out" "$file"
    done
}

sanitize() {
    local tool check
    tool=$(sanitizer) || { skipped sanitize all "no compute-sanitizer here"; return; }
    for check in memcheck racecheck initcheck synccheck; do
        section sanitize "$check" 1800 "$tool" --tool "$check" --error-exitcode 9 "$jem" selftest --device cuda --short --json
    done
}

main() {
    if [[ -n $unpack ]]; then
        unpacked "$unpack" || exit 69
        exit 0
    fi
    libraries
    say "bundle $bundle; $jem with $cudnn"
    machine
    tests
    ranks
    steps
    torch
    plan
    sanitize
    [[ -z $list ]] || return 0
    combine
    say "$(grep -lx 0 "$out"/sections/*.rc 2>/dev/null | wc -l) sections ended well, $(grep -Lx 0 "$out"/sections/*.rc 2>/dev/null | wc -l) did not"
    say "send back $log and $json"
}

main
