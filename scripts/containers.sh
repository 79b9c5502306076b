#!/usr/bin/env bash
# Builds the images of docker/ and the one of make image, and runs them as users do: not root, a read-only root, a
# volume for runs, a limit of memory, the image's stop signal. No daemon and no registry: Debian's buildah, umoci and runc,
# on bases made from Debian's archive.
#
#   scripts/containers.sh [layout|cpu|mpi|cuda]…     default: all
#   scripts/containers.sh --why-not                  exit code 1, and the reason, if it cannot be done here
#
# The bases are in ${JEM_CONTAINERS_CACHE:-~/.cache/jem-containers}, some 2 GB, made once and then used without network.
# Nothing stays mounted, no container stays; buildah's store in the cache keeps the bases alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${JEM_CONTAINERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jem-containers}
owner=65532:65532
release=$(git describe --tags --always --dirty 2>/dev/null || echo unknown)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
skipped=() checks=0

# shellcheck source=containers/base.sh
source scripts/containers/base.sh
# shellcheck source=containers/checks.sh
source scripts/containers/checks.sh

die() { echo "containers: $*" >&2 && exit 1; }

skip() { # WHAT WHY
    skipped+=("$1: $2")
    echo "  skip $1: $2"
}

store() { # buildah's command on the images of the cache
    local command=$1
    shift
    STORAGE_DRIVER=vfs TMPDIR=$work buildah --root "$cache/storage" --runroot "$work/runroot" "$command" "$@"
}

# cleanup leaves neither processes, mounts, containers nor images but the bases.
cleanup() {
    local engine id image
    for engine in runc crun; do
        for id in $(ls "$work/$engine-state" 2>/dev/null); do
            "$engine" --root "$work/$engine-state" delete --force "$id" || true
        done
    done
    [[ -z $(jobs -p) ]] || kill -KILL $(jobs -p) 2>/dev/null || true
    if [[ -d $cache/storage ]]; then
        store rm --all >/dev/null 2>&1 || true
        for image in jem jem-mpi jem-cuda; do store rmi "localhost/$image" >/dev/null 2>&1 || true; done
        store rmi --prune >/dev/null 2>&1 || true # stages
    fi
    if grep -q " $work/" /proc/mounts; then
        grep " $work/" /proc/mounts
        echo "containers: these stay mounted, $work is left" >&2
        exit 1
    fi
    rm -rf "$work"
}

# build NAME FILE FLAGS…: an image as docker build makes it, unpacked to $work/NAME. Packages come from the cache and Go's
# modules and compiled packages from this user's, so nothing is downloaded and little is compiled twice.
build() {
    local name=$1 file=$2 begin=$SECONDS
    shift 2
    store bud --isolation chroot --format oci --build-arg "RELEASE=$release" --build-arg "REVISION=$revision" --build-arg "GO_IMAGE=$go_image" \
        -v "$cache/base/debs:/debs:ro" -v "$(go env GOMODCACHE):/root/go/pkg/mod" -v "$(go env GOCACHE):/root/.cache/go-build" \
        "$@" -t "localhost/$name" -f "$file" . >"$work/$name.log" 2>&1 || { tail -n 30 "$work/$name.log"; die "$file does not build"; }
    store push "localhost/$name" "oci:$work/$name.oci:made" >>"$work/$name.log" 2>&1
    unpack "$work/$name.oci:made" "$name"
    ok "$name: $file builds in $((SECONDS - begin)) s, $(du -sm "$work/$name/rootfs" | cut -f1) MB"
}

unpack() { # IMAGE NAME
    rm -rf "${work:?}/$2"
    umoci unpack --image "$1" "$work/$2" >"$work/umoci.log" 2>&1 || { cat "$work/umoci.log"; die "umoci does not unpack $1"; }
}

# layout: the image of make image.
layout_checks() {
    local begin=$SECONDS first tar source id made
    export GOFLAGS="${GOFLAGS:-} -buildvcs=false" # as in docker/Dockerfile, which sees no git
    made=(make --no-print-directory image "RELEASE=$release" "REVISION=$revision") # of now, whatever is committed meanwhile
    "${made[@]}" >"$work/image.log" 2>&1 || { tail -n 20 "$work/image.log"; die "make image fails"; }
    first=$(image_sum)
    "${made[@]}" >"$work/image.log" 2>&1
    [[ $(image_sum) == "$first" ]] || die "make image gave other bytes the second time"
    ok "layout: make image gives the same bytes twice, $((SECONDS - begin)) s"
    tar=$(echo build/image/jem-linux-*.tar)
    for source in "docker-archive:$tar" "oci:build/image/oci:$release"; do
        id=$(store pull --quiet "$source" 2>"$work/pull.log") || { cat "$work/pull.log"; die "buildah does not load $source"; }
        store rmi --force "$id" >/dev/null
    done
    ok "layout: buildah loads the layout and the file for docker load"
    unpack "build/image/oci:$release" layout
    says layout "user $owner" "entrypoint /usr/local/bin/jem" "org.opencontainers.image.stopSignal SIGTERM" "org.opencontainers.image.title jem"
    first_steps layout
}

image_sum() { find build/image -type f -not -path '*/bin/*' -exec sha256sum {} + | sort | sha256sum; }

cpu_checks() {
    build jem docker/Dockerfile
    says jem "user $owner" "entrypoint /usr/local/bin/jem" "org.opencontainers.image.stopSignal SIGTERM" "org.opencontainers.image.title jem"
    if [[ -d $work/layout ]]; then
        cmp "$work/layout/rootfs/usr/local/bin/jem" "$work/jem/rootfs/usr/local/bin/jem" || die "docker/Dockerfile and make image have different programs"
        ok "jem: its program is that of make image to the byte"
    fi
    first_steps jem
}

mpi_checks() {
    build jem-mpi docker/Dockerfile.mpi --build-arg "RUN_IMAGE=$debian_image"
    says jem-mpi "user $owner" "entrypoint /usr/local/bin/jem-mpi" "org.opencontainers.image.stopSignal SIGUSR1" "org.opencontainers.image.title jem-mpi"
    first_steps jem-mpi
    ranks_in_one_container jem-mpi
}

cuda_checks() {
    local root mounts
    if ! root=$(scripts/cuda-toolchain.sh --path 13.0); then
        skip cuda "no CUDA 13.0 in the cache: make cuda-toolchain brings it"
        return
    fi
    mkdir -p "$cache/fatbin" "$cache/kernels" # kernels stay compiled as long as their sources are older
    cp kernels/fatbin/README "$cache/fatbin"
    mounts=(-v "$root:/usr/local/cuda:ro" -v "$cache/fatbin:/src/kernels/fatbin" -v "$cache/kernels:/src/build/kernels")
    build jem-cuda docker/Dockerfile.cuda --build-arg "RUN_IMAGE=$debian_image" --build-arg "BUILD_IMAGE=$debian_image" "${mounts[@]}"
    says jem-cuda "user $owner" "entrypoint /usr/local/bin/jem-cuda" "org.opencontainers.image.stopSignal SIGTERM" "org.opencontainers.image.title jem-cuda"
    on_a_gpu jem-cuda "$root"
}

main() {
    local why part
    why=$(scripts/containers/tools.sh) || { echo "$why"; exit 1; }
    [[ ${1:-} != --why-not ]] || return 0
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
    rm -rf "$cache"/work.* # left by a run that was killed
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap cleanup EXIT
    trap 'exit 130' INT TERM
    fill || die "the base root cannot be made: is this machine offline?"
    bases || die "the base images cannot be made"
    go mod download
    find_engine
    [[ $# -gt 0 ]] || set -- layout cpu mpi cuda
    for part in "$@"; do
        case $part in
        layout | cpu | mpi | cuda) "${part}_checks" ;;
        *) die "unknown part $part: want layout, cpu, mpi or cuda" ;;
        esac
    done
    echo "$checks checks passed in $SECONDS s; skipped: ${#skipped[@]}"
}

main "$@"
