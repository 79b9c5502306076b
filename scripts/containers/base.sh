# Makes what images are built on where no registry can be reached, from Debian's archive, in a cache outside the tree.
# Sourced by scripts/containers.sh, which sets cache and work.
#
#   $cache/base/base.tar   the root of a small Debian
#   $cache/base/debs       the packages that docker/* install, as an archive that apt-get reads
#   $cache/storage         buildah's images: localhost/jem-debian, localhost/jem-go

suite=bookworm # docker/Dockerfile.mpi names the version of its openmpi-bin
layout=1       # of the cache; raise it when what is made here changes
wanted=(openmpi-bin gcc g++ libc6-dev ca-certificates)
made_of="layout=$layout suite=$suite ${wanted[*]}"

debian_mirror() { # of this machine's own source lists, in either of their formats
    local lists=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
    cat "${lists[@]}" 2>/dev/null | sed -nE 's#^(URIs:|deb( +\[[^]]*\])?) +([^ ]+/debian/?)( .*)?$#\3#p' | head -n 1 || true
}

# index DIR: writes the list by which apt-get finds the packages that lie in DIR.
index() {
    local deb
    for deb in "$1"/*.deb; do
        dpkg-deb --field "$deb"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
    done >"$1/Packages"
}

# fill makes base.tar and debs, which takes network and minutes, unless they are there.
fill() {
    local new=$work/base mirror
    [[ $(cat "$cache/base/made-of" 2>/dev/null) != "$made_of" ]] || return 0
    mirror=${JEM_DEBIAN_URI:-$(debian_mirror)}
    [[ -n $mirror ]] || { echo "no Debian mirror is configured: name one in JEM_DEBIAN_URI"; return 1; }
    echo "making the base root of Debian $suite in $cache"
    mkdir -p "$new/debs/partial"
    # shellcheck disable=SC2016 # the variable is mmdebstrap's
    mmdebstrap --quiet --variant=minbase --include=ca-certificates \
        --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq -y --no-install-recommends --download-only -o APT::Sandbox::User= -o Dir::Cache::archives='"$new/debs install ${wanted[*]}" \
        "$suite" "$new/base.tar" "$mirror" >"$work/base.log" 2>&1 || { tail -n 5 "$work/base.log"; return 1; }
    rm -rf "$new/debs/partial" "$new/debs/lock"
    index "$new/debs"
    echo "$made_of" >"$new/made-of"
    rm -rf "$cache/base" "$cache/storage" # images of the root before
    mv "$new" "$cache/base"
}

have() { store inspect --type image "$1" >/dev/null 2>&1; }

# bases makes the images that stand for debian and golang.
bases() {
    local goroot version
    goroot=$(go env GOROOT) version=$(go env GOVERSION)
    if ! have localhost/jem-debian; then
        echo "making localhost/jem-debian"
        mkdir -p "$work/context" && ln "$cache/base/base.tar" "$work/context/base.tar"
        store bud --isolation chroot --format oci -t localhost/jem-debian -f - "$work/context" >"$work/base.log" 2>&1 <<'DEBIAN' || { tail -n 5 "$work/base.log"; return 1; }
FROM scratch
ADD base.tar /
RUN rm -f /etc/apt/sources.list.d/* && echo 'deb [trusted=yes] file:/debs ./' >/etc/apt/sources.list
DEBIAN
    fi
    if ! have "localhost/jem-go:$version"; then
        echo "making localhost/jem-go:$version"
        store bud --isolation chroot --format oci -t "localhost/jem-go:$version" -f - "$goroot" >"$work/base.log" 2>&1 <<'GO' || { tail -n 5 "$work/base.log"; return 1; }
FROM localhost/jem-debian
COPY bin /usr/local/go/bin
COPY lib /usr/local/go/lib
COPY pkg /usr/local/go/pkg
COPY src /usr/local/go/src
COPY VERSION go.env /usr/local/go/
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local GOPROXY=off
GO
    fi
    debian_image=localhost/jem-debian go_image=localhost/jem-go:$version
}
