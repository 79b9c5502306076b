#!/usr/bin/env bash
# Runs the same commands with two builds of jem and compares all that they leave and say, byte for byte: short trainings
# with their checkpoints, measurements, pictures, exports, help texts, answers to mistakes. For a change after which
# nothing a user sees may differ. The commands are in scripts/compare-cases.sh; what is left out of the comparison,
# because it is a time or names the build, is in normalise below.
#
#   scripts/compare-binaries.sh OLD NEW [options]
#
#   --only PATTERN   only commands whose name fits this glob, as in 'eval-*', and those they need; may be repeated
#   --accept FILE    items that may differ: a line "NAME # reason" each, NAME may be a glob; one that fits no item that
#                    differs is reported, and is no better than a difference
#   --keep DIR       keep OLD's outputs in DIR, and take them from there the next time
#   --out DIR        leave everything that both wrote in the new folder DIR
#   --data-dir DIR   where Fashion-MNIST is; default: as jem finds it
#   --cpu-isa ISA    instruction set of most commands; default: avx2
#   --reproduce      also make all of the paper's tables at scale smoke (minutes)
#   --list           only list the commands
#
# Prints "same NAME" or "DIFFERENT NAME" with an excerpt for each item: what a command said is NAME, a file that it wrote
# NAME/FILE. Exit code 0: nothing differs but what --accept names; 1: something does; 2: usage.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

usage() {
    [[ -z ${1:-} ]] || echo "compare-binaries: $1" >&2
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}

old="" new="" only=() accept="" keep="" out="" isa=avx2 reproduce="" list=""
while [[ $# -gt 0 ]]; do
    case $1 in
    --only | --accept | --keep | --out | --data-dir | --cpu-isa) [[ -n ${2:-} ]] || usage "$1 needs a value" ;;&
    --only) only+=("$2") && shift ;;
    --accept) accept=$2 && shift ;;
    --keep) keep=$(realpath -m "$2") && shift ;;
    --out) out=$(realpath -m "$2") && shift ;;
    --data-dir) JEM_DATA_DIR=$(realpath "$2") && export JEM_DATA_DIR && shift ;;
    --cpu-isa) isa=$2 && shift ;;
    --reproduce) reproduce=1 ;;
    --list) list=1 ;;
    --help | -h) usage ;;
    -*) usage "unknown option $1" ;;
    *) if [[ -z $old ]]; then old=$1; elif [[ -z $new ]]; then new=$1; else usage "unexpected $1"; fi ;;
    esac
    shift
done
[[ -n $old && -n $new ]] || usage "two binaries are needed"
for binary in "$old" "$new"; do
    [[ -f $binary && -x $binary ]] || usage "$binary is no program"
done
[[ -z $accept || -f $accept ]] || usage "--accept: no file $accept"
[[ -z $out || ! -e $out ]] || usage "--out: $out is already there"
old=$(realpath "$old") new=$(realpath "$new")

# ---- The commands, in their order

names=()
declare -A arguments=() preparations=() wanted=()

# try NAME ARGUMENT…: a command of jem. It runs in a folder where pictures/ has three classes of them and source is the
# checkout; @ stands for out/NAME, and all that it leaves there is compared. An argument out/OTHER is what an earlier command left.
try() {
    [[ -z ${arguments[$1]:-} ]] || usage "two commands named $1 in scripts/compare-cases.sh"
    names+=("$1")
    arguments[$1]=$(printf '%q ' "${@:2}")
    arguments[$1]=${arguments[$1]//@/out/$1}
}

# before NAME SHELL: what to do before the command, in its folder.
before() { preparations[$1]=${2//@/out/$1}; }

# choose marks the commands to run: those that --only names, and what they need.
choose() {
    local i name pattern
    for ((i = ${#names[@]} - 1; i >= 0; i--)); do
        name=${names[i]}
        if [[ ${#only[@]} == 0 ]]; then
            wanted[$name]=shown
        fi
        for pattern in ${only[@]+"${only[@]}"}; do
            # shellcheck disable=SC2053 # a glob
            if [[ $name == $pattern ]]; then wanted[$name]=shown; fi
        done
        [[ -n ${wanted[$name]:-} ]] || continue
        while read -r pattern; do
            [[ -n ${wanted[$pattern]:-} || $pattern == "$name" ]] || wanted[$pattern]=needed
        done < <(grep -oE 'out/[a-z0-9-]+' <<<"${arguments[$name]} ${preparations[$name]:-}" | sed 's|^out/||' | sort -u)
    done
    [[ ${#wanted[@]} -gt 0 ]] || usage "no command fits ${only[*]}"
}

# ---- Running them

# normalise takes from text what may differ between two runs of equal programs, all of it: the folder, moments, durations,
# process numbers, what the build is called, and which of several equally wrong losses selftest --golden names.
normalise() {
    sed -E \
        -e "s|$work/run|WORK|g" \
        -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9.]+)?( ?UTC|Z|[+-][0-9:]{5})?/TIME/g' \
        -e 's/^[0-9]{2}:[0-9]{2}:[0-9]{2} (debug|info|warn|error) /TIME \1 /' \
        -e 's/("([a-z_]*seconds[a-z_]*|hours)": ?)[-+0-9.e]+/\1DURATION/g' \
        -e 's/(<dt>training<\/dt><dd>|<th scope="row">hours<\/th><td>)[0-9.]+/\1DURATION/g' \
        -e 's/ [0-9.]+ (\| cpu \([^|]*\) \|)/ DURATION \1/; s/(,"cpu \([^)]*\)",)[0-9.]+$/\1DURATION/' \
        -e '/`jem reproduce /s/ [0-9.]+ \|$/ DURATION |/' \
        -e 's/("place": ?)"loss\/[^"]*"/\1"loss"/' \
        -e 's/\.tmp-[0-9]+/.tmp-PID/g' \
        -e 's/("left": ?)"[^"]*"/\1LEFT/g' \
        -e 's/(<dt>seconds a step<\/dt>|<dt>duration<\/dt>).*/\1/' \
        -e '/<svg.*aria-label="Seconds a step"/,/<\/svg>/d' \
        -e 's/^jem [^ ]+ \(go[^)]*\)$/jem VERSION/' \
        -e '/^VERSION:/,/^$/s/^   .*/   VERSION/' \
        -e 's/("(version|revision|modified|go|module)": ?)("[^"]*"|true|false)/\1BUILD/'
}

# digest FILE: what is compared of a file: text as it is, of others the hash. Of an event file how often each tag is in
# it: its values are those of metrics.jsonl, in no fixed order and with times.
digest() {
    case $1 in
    *.json | *.jsonl | *.yaml | *.csv | *.md | *.html | *.svg | *.txt) normalise <"$1" ;;
    *.tfevents.*) tr -c '[:print:]' '\n' <"$1" | { grep -aoE '^(train|eval-[a-z]+)/[a-z0-9_]+|^samples' || true; } | sort | uniq -c ;;
    *) echo "$(sha256sum <"$1" | cut -d' ' -f1) $(wc -c <"$1") bytes" ;;
    esac
}

# perform NAME ITEMS: one command; what it says and leaves becomes files in the folder ITEMS.
perform() {
    local name=$1 items=$2 code=0 file
    eval "set -- ${arguments[$name]}"
    [[ -z ${preparations[$name]:-} ]] || (eval "${preparations[$name]}") >/dev/null
    mkdir -p "out/$name"
    XDG_CACHE_HOME=$PWD/cache timeout 900 ./jem "$@" >stdout 2>stderr </dev/null || code=$?
    [[ ${wanted[$name]} == shown ]] || return 0
    {
        echo "\$ jem ${arguments[$name]}"
        cat stdout
        echo "--- stderr, exit code $code"
        cat stderr
    } | normalise >"$items/$name"
    while read -r file; do
        mkdir -p "$items/$name.files/$(dirname "$file")"
        digest "out/$name/$file" >"$items/$name.files/${file//tfevents.*.jem/tfevents}"
    done < <(cd "out/$name" && find . -type f ! -name .lock | sed 's|^\./||' | sort)
}

# record BINARY ITEMS: all commands with one binary, in a folder of the same name for either.
record() {
    local name begin=$SECONDS
    mkdir -p "$work/run/out" "$work/run/cache" "$2"
    ln -s "$1" "$work/run/jem"
    ln -s "$work/pictures" "$work/run/pictures"
    ln -s "$here/.." "$work/run/source"
    cd "$work/run"
    for name in "${names[@]}"; do
        if [[ -n ${wanted[$name]:-} ]]; then
            perform "$name" "$2"
        fi
    done
    cd "$work"
    mv "$work/run" "$2.work"
    echo "compare-binaries: $1 took $((SECONDS - begin)) s" >&2
}

# old_items records OLD, or takes what was kept of it by the same commands on the same machine.
old_items() {
    local kept recipe
    if [[ -z $keep || ${#only[@]} -gt 0 && ! -d $keep ]]; then
        record "$old" "$work/old"
        return
    fi
    recipe=$({
        declare -f normalise digest perform
        declare -p arguments preparations
        (cd "$work/pictures" && find . -type f -exec sha256sum {} + | sort)
        "$old" devices
        echo "${JEM_DATA_DIR:-}"
    } | sha256sum | cut -c1-16)
    kept=$keep/$(sha256sum <"$old" | cut -c1-16)-$recipe
    if [[ ! -d $kept ]]; then
        record "$old" "$work/old"
        [[ ${#only[@]} == 0 ]] || return 0 # some commands only
        mkdir -p "$keep"
        cp -r "$work/old" "$kept.part" && mv "$kept.part" "$kept"
        return
    fi
    echo "compare-binaries: $old as kept in $kept" >&2
    mkdir "$work/old"
    for name in "${names[@]}"; do
        [[ ${wanted[$name]:-} == shown ]] || continue
        for file in "$kept/$name" "$kept/$name.files"; do
            [[ ! -e $file ]] || cp -r "$file" "$work/old/"
        done
    done
}

# ---- Comparing

# fits NAME: whether an entry of --accept fits; says in entry which.
fits() {
    for entry in "${!accepts[@]}"; do
        # shellcheck disable=SC2053 # a glob
        [[ $1 != ${accepts[entry]} ]] || return 0
    done
    return 1
}

excerpt() { diff -a --label old --label new -U 1 "$1" "$2" | tail -n +3 | head -n 12 | cut -c1-200 | sed 's/^/    /'; }

compare() {
    local same=0 different=0 excused=0 idle=0 file item entry accepts=() tried=() used=()
    [[ -z $accept ]] || mapfile -t accepts < <(sed -E 's/#.*//; s/^[ \t]+//; s/[ \t]+$//; /^$/d' "$accept")
    while read -r file; do
        item=${file/.files\//\/}
        for side in old new; do # a file that one of them didn't write
            [[ -e $work/$side/$file ]] || { mkdir -p "$(dirname "$work/$side/$file")" && echo "(not there)" >"$work/$side/$file"; }
        done
        if cmp -s "$work/old/$file" "$work/new/$file"; then
            same=$((same + 1))
            echo "same $item"
            ! fits "$item" || tried[entry]=1
        elif fits "$item"; then
            used[entry]=1
            excused=$((excused + 1))
            echo "accepted $item"
        else
            different=$((different + 1))
            echo "DIFFERENT $item"
            excerpt "$work/old/$file" "$work/new/$file" || true
        fi
    done < <(cd "$work" && find old new -type f | sed -E 's,^(old|new)/,,' | sort -u)
    for entry in "${!accepts[@]}"; do
        if [[ -z ${used[entry]:-} && (${#only[@]} == 0 || -n ${tried[entry]:-}) ]]; then
            echo "NOT DIFFERENT ${accepts[entry]}: take it out of $accept"
            idle=$((idle + 1))
        fi
    done
    echo "$same same, $different different, $excused accepted, $idle accepted without need"
    [[ $different == 0 && $idle == 0 ]]
}

main() {
    local name=none
    # shellcheck source=scripts/compare-cases.sh
    source "$here/compare-cases.sh"
    choose
    if [[ -n $list ]]; then
        for name in "${names[@]}"; do [[ ${wanted[$name]:-} != shown ]] || echo "$name: jem ${arguments[$name]}"; done
        return 0
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"; echo "compare-binaries: stopped at the command $name" >&2' EXIT
    trap exit INT TERM HUP
    local cached=${XDG_CACHE_HOME:-$HOME/.cache}/jem/data
    [[ -n ${JEM_DATA_DIR:-} || ! -d $cached ]] || export JEM_DATA_DIR=$cached # the commands have a cache of their own
    "$old" data verify fashion-mnist >/dev/null || usage "get Fashion-MNIST first: scripts/fashion-mnist.sh"
    (cd "$here/.." && go run ./scripts/pictures "$work/pictures")
    old_items
    record "$new" "$work/new"
    if [[ -n $out ]]; then
        mkdir -p "$out" && cp -r "$work/." "$out/"
        rm -rf "$work/old.work" "$work/new.work"
    fi
    rm -rf "$work"/*.work
    trap 'rm -rf "$work"' EXIT
    compare
}

main # all of it read before any of it runs
exit
