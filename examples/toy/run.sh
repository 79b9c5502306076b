#!/usr/bin/env bash
# A model in the plane: of points that are drawn, and of points of a file.
# examples/toy/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-1500}
cd "$(dirname "$0")/../.."

"$jem" toy --data gaussians --out "$out/gaussians" --set train.steps="$steps" --json
awk 'BEGIN { # two crescents, as a table of x,y,class
    srand(1); print "x,y,class"
    for (i = 0; i < 600; i++) {
        t = 3.14159 * rand(); k = i % 2
        print (k ? 1 - cos(t) : cos(t)) + 0.2 * rand() "," (k ? 0.5 - sin(t) : sin(t)) + 0.2 * rand() "," (k ? "lower" : "upper")
    }
}' >"$out/points.csv"
"$jem" toy --data "$out/points.csv" --out "$out/mine" --set train.steps="$steps"
