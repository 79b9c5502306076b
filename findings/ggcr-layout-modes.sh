#!/usr/bin/env bash
# go-containerregistry v0.22.1 (Go module), pkg/v1/layout: an OCI layout written by layout.Write and Path.AppendImage.
#
# Expected: files of one kind have one mode, so that whoever may read the index may read what it lists.
# Seen, with umask 022: a compressed layer's blob is 0600, since it is a temporary file that is renamed, beside manifest and
# configuration of 0644: of a layout that root writes others can read everything but the layers. index.json and
# oci-layout, which are JSON, are executable, 0755.
#
# Exit code 0: still so. Needs Go 1.26 and the Go module proxy.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
umask 022
cat >main.go <<'GO'
package main

import (
	"bytes"
	"io"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, 1024))), nil } // an empty tar
	layer, err := tarball.LayerFromOpener(open)
	check(err)
	image, err := mutate.AppendLayers(empty.Image, layer)
	check(err)
	place, err := layout.Write("oci", empty.Index)
	check(err)
	check(place.AppendImage(image))
}
GO
cat >go.mod <<'MOD'
module finding

go 1.26.0

require github.com/google/go-containerregistry v0.22.1
MOD
GOFLAGS=-mod=mod go mod tidy 2>go.log || { cat go.log; exit 1; }
go run .
find oci -type f -printf '%m %s %P\n' | sort
modes() { find "$@" -type f -printf '%m\n' | sort | tr '\n' ' '; }
[[ $(modes oci/blobs) == "600 644 644 " ]]
[[ $(modes oci -maxdepth 1) == "755 755 " ]]
