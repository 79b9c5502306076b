#!/usr/bin/env bash
# Compiles the kernels with every CUDA toolkit that is here, warnings being errors, and reads what ptxas says of each:
# fails on a spilled register, and where what is exported is not what kernels/families.go lists.
# Prints the table of registers, kernels/registers.md: the most that any toolkit uses on a card.
#
#   scripts/kernels-check.sh [FILE]      also write the page to FILE
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/cuda-kernels.sh --report >"$work/report" # TOOLKIT CARD KERNEL REGISTERS SPILLED SHARED
[[ -s $work/report ]] || { echo "kernels-check: ptxas reported no kernel" >&2; exit 1; }

go test ./kernels -count 1 -run TestListed -args -list "$work/names" >"$work/test.log" || { cat "$work/test.log" >&2; exit 1; }
faults=0
while read -r toolkit card; do
    if ! diff <(awk -v t="$toolkit" -v c="$card" '$1 == t && $2 == c { print $3 }' "$work/report" | sort) "$work/names" >"$work/diff"; then
        echo "kernels-check: CUDA $toolkit, $card: < is compiled, > is in kernels/families.go" >&2
        cat "$work/diff" >&2
        faults=1
    fi
done < <(awk '{ print $1, $2 }' "$work/report" | sort -u)
awk '$5 > 0 { print "kernels-check: CUDA " $1 ", " $2 ": " $3 " spills " $5 " bytes"; bad = 1 } END { exit bad }' "$work/report" >&2 || faults=1

# Registers of a thread allow blocks of 256 threads: 8 of them up to 32 registers, 6 up to 40, 5 up to 48, 4 up to 64.
awk '{ used[$3, $2] = $4 > used[$3, $2] ? $4 : used[$3, $2]; kernel[$3]; card[$2]; if ($6 > shared[$3]) shared[$3] = $6 }
    END {
        n = 0; for (c in card) cards[++n] = c
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
            if (substr(cards[j], 4) + 0 < substr(cards[i], 4) + 0) { t = cards[i]; cards[i] = cards[j]; cards[j] = t }
        line = "| kernel |"; rule = "|---|"
        for (i = 1; i <= n; i++) { line = line " " cards[i] " |"; rule = rule "---|" }
        print line " shared memory |"; print rule "---|"
        for (k in kernel) {
            line = "| " k " |"
            for (i = 1; i <= n; i++) line = line " " ((k, cards[i]) in used ? used[k, cards[i]] : "–") " |"
            print line " " shared[k] + 0 " |" | "sort"
        }
    }' "$work/report" >"$work/table"
cat "$work/table"
if [[ -n ${1:-} ]]; then
    {
        echo '# Registers of the kernels'
        echo
        echo "What ptxas reports for a thread, the most of CUDA $(awk '{ print $1 }' "$work/report" | sort -u | xargs | sed 's/ / and /g'); no kernel spills."
        echo 'Blocks have 256 threads. Up to 32 registers a multiprocessor of 65,536 holds 2048 threads,'
        echo 'up to 40 1536, up to 48 1280, up to 64 1024. Made by `scripts/kernels-check.sh kernels/registers.md`.'
        echo
        cat "$work/table"
    } >"$1"
fi
exit $faults
