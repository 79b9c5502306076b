#!/usr/bin/env bash
# Holds cluster/kubernetes' manifests against Kubernetes: its rules as a library, then a real API server with the controller of
# Jobs, started on this machine's loopback for the test and stopped with it. No cluster, no node, no container is involved.
#
#   scripts/kubernetes.sh                everything; the programs are built once (some 15 minutes of processor time, into a cache)
#   scripts/kubernetes.sh --rules        the rules alone: two minutes of processor time the first time
#   scripts/kubernetes.sh --why-not [--rules]    exit code 1, and the reason, if that cannot be run here
#   scripts/kubernetes.sh --built        exit code 1 if the programs would have to be built
#
# The versions are those of cluster/kubernetes/check/go.mod; etcd is Debian's.
set -euo pipefail
cd "$(dirname "$0")/.."

module=cluster/kubernetes/check
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -trimpath" # the same for programs and tests, which share most packages
version=$(awk '$1 == "k8s.io/kubernetes" || $2 == "k8s.io/kubernetes" { print $NF; exit }' $module/go.mod)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jem-kubernetes/$version
programs="kube-apiserver kube-controller-manager kubectl"

built() {
    local p
    for p in $programs; do
        [[ -x $cache/$p ]] || return 1
    done
}

why_not() {
    command -v go >/dev/null || { echo "no go"; return 1; }
    go -C $module mod download k8s.io/kubernetes >/dev/null 2>&1 || { echo "the module k8s.io/kubernetes $version cannot be had"; return 1; }
    [[ ${1:-} != --rules ]] || return 0
    [[ $(uname -s) == Linux ]] || { echo "it is for Linux"; return 1; }
    etcd=$(scripts/debian-program.sh etcd-server etcd) || { echo "$etcd"; return 1; }
}

build() {
    local minor=${version#v1.}
    mkdir -p "$cache"
    echo "building $programs $version into $cache"
    go -C $module build -o "$cache/" \
        -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}" tool
}

case ${1:-} in
--why-not) why_not "${2:-}"; exit ;;
--built) built; exit ;;
--rules)
    why_not --rules
    go -C $module test -count=1 -timeout 20m ${TESTFLAGS:-} -run '^Test(Jobs|TheRules|Manifests)' .
    exit ;;
esac
why_not
built || build
ln -sf "$etcd" "$cache/etcd"
JEM_KUBERNETES=$cache go -C $module test -count=1 -timeout 20m ${TESTFLAGS:-} .
