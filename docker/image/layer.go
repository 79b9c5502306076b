package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is that of the program and of the folders it may write to: the one that images without
// root conventionally have.
const user = 65532

// entry is a file of the image, or a folder where its name ends in a slash.
type entry struct {
	name  string // from the root, without a leading slash
	mode  int64
	owner int
	data  []byte
}

// entries lists an image's files: the program, its licence, the root certificates that
// downloads are checked with, and folders that belong to the user.
func entries(binary, license string) ([]entry, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(license)
	if err != nil {
		return nil, err
	}
	return []entry{
		{"cache/", 0o755, user, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, 0, certificates()},
		{"runs/", 0o755, user, nil},
		{"tmp/", 0o1777, 0, nil},
		{"usr/local/bin/jem", 0o755, 0, program},
		{"usr/share/doc/jem/LICENSE", 0o644, 0, text},
	}, nil
}

// certificates are Mozilla's roots in PEM, those left out that are trusted for a part only: a file
// cannot say for which.
func certificates() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Buffer takes everything
		}
	}
	return text.Bytes()
}

// archive writes entries and the folders above them as a tar file in which every time is the same.
func archive(all []entry, when time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	there := map[string]bool{".": true}
	add := func(e entry) error {
		header := &tar.Header{Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner, ModTime: when,
			Size: int64(len(e.data)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if e.name[len(e.name)-1] == '/' {
			header.Typeflag = tar.TypeDir
		}
		there[path.Clean(e.name)] = true
		if err := w.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		_, err := w.Write(e.data)
		return err
	}
	var above func(name string) error
	above = func(name string) error {
		if there[name] {
			return nil
		}
		if err := above(path.Dir(name)); err != nil {
			return err
		}
		return add(entry{name + "/", 0o755, 0, nil})
	}
	for _, e := range all {
		if err := above(path.Dir(path.Clean(e.name))); err != nil {
			return nil, err
		}
		if err := add(e); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// layer is an archive as a layer of an image. umoci refuses the media type that is the library's default, Docker's.
func layer(archive []byte) (v1.Layer, error) {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}
