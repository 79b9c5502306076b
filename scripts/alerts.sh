#!/usr/bin/env bash
# Holds the figures that runs show, and the example of rules on them, against Prometheus' own tool.
#
#   scripts/alerts.sh              the tests
#   scripts/alerts.sh --why-not    exit code 1, and the reason, if they cannot be run here
set -euo pipefail
cd "$(dirname "$0")/.."

promtool=$(scripts/debian-program.sh prometheus promtool) || { echo "$promtool"; exit 1; }
[[ ${1:-} == --why-not ]] && exit

"$promtool" check rules cluster/alerts.yml
"$promtool" test rules cluster/alerts_test.yml
PATH=$(dirname "$promtool"):$PATH go test -count=1 ${TESTFLAGS:-} -run 'Prometheus' ./internal/prom ./train/gauges
