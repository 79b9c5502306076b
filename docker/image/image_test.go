package main

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// made runs the command on programs of a few bytes, one of each platform, and returns its folder.
func made(t *testing.T, platforms ...string) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	args := []string{"-out", out, "-version", "v1", "-revision", "0123abc", "-created", "86400", "-license", put(t, dir, "LICENSE", "a licence")}
	for _, p := range platforms {
		args = append(args, p+"="+put(t, dir, strings.ReplaceAll(p, "/", "-"), "program of "+p))
	}
	if err := run(args); err != nil {
		t.Fatal(err)
	}
	return out
}

func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// files reads everything below dir.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSameArgumentsGiveTheSameBytes(t *testing.T) {
	one, other := files(t, made(t, "linux/amd64", "linux/arm64")), files(t, made(t, "linux/amd64", "linux/arm64"))
	if len(one) != len(other) || len(one) < 8 { // two tars, index, mark; of each image a manifest, configuration and layer
		t.Fatalf("%d and %d files", len(one), len(other))
	}
	for name, text := range one {
		if other[name] != text {
			t.Errorf("%s differs", name)
		}
	}
}

// only opens the one image of a layout.
func only(t *testing.T, out string) v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(filepath.Join(out, "oci"))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%d images, %v", len(manifest.Manifests), err)
	}
	if name := manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"]; name != "v1" {
		t.Errorf("the image is called %q", name)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestImageIsValidAndOfOCIsTypes(t *testing.T) {
	img := only(t, made(t, "linux/amd64"))
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	got := []types.MediaType{m.MediaType, m.Config.MediaType, m.Layers[0].MediaType}
	for i, want := range []types.MediaType{types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer} {
		if got[i] != want {
			t.Errorf("media type %s, want %s", got[i], want)
		}
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.Config.User != "65532:65532" || c.Config.StopSignal != "SIGTERM" || c.Created.Unix() != 86400 {
		t.Errorf("user %s, stop signal %s, created %s", c.Config.User, c.Config.StopSignal, c.Created)
	}
	if l := c.Config.Labels; l["org.opencontainers.image.version"] != "v1" || l["org.opencontainers.image.revision"] != "0123abc" {
		t.Errorf("labels %v", l)
	}
}

func TestFilesOfTheImage(t *testing.T) {
	layers, err := only(t, made(t, "linux/arm64")).Layers()
	if err != nil {
		t.Fatal(err)
	}
	stream, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	want := map[string]tar.Header{ // what an engine and the program rely on
		"usr/local/bin/":                    {Mode: 0o755},
		"usr/local/bin/jem":                 {Mode: 0o755, Size: int64(len("program of linux/arm64"))},
		"runs/":                             {Mode: 0o755, Uid: 65532, Gid: 65532},
		"tmp/":                              {Mode: 0o1777},
		"etc/ssl/certs/ca-certificates.crt": {Mode: 0o644, Size: int64(len(certificates()))},
		"usr/share/doc/jem/LICENSE":         {Mode: 0o644, Size: int64(len("a licence"))},
	}
	seen := map[string]bool{}
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen[h.Name] {
			t.Errorf("%s comes twice", h.Name)
		}
		seen[h.Name] = true
		if w, ok := want[h.Name]; ok && (h.Mode != w.Mode || h.Uid != w.Uid || h.Gid != w.Gid || h.Size != w.Size) {
			t.Errorf("%s: mode %o, owner %d:%d, %d bytes, want %o, %d:%d, %d", h.Name, h.Mode, h.Uid, h.Gid, h.Size, w.Mode, w.Uid, w.Gid, w.Size)
		}
		delete(want, h.Name)
	}
	for name := range want {
		t.Errorf("%s is not there", name)
	}
}

func TestArgumentsThatAreWrong(t *testing.T) {
	there := put(t, t.TempDir(), "jem", "a program")
	for _, c := range []struct{ args, want string }{
		{"linux/amd64=" + there, "-out is missing"},
		{"-out OUT", "no program is named"},
		{"-out OUT linux=" + there, "want OS/ARCH=FILE"},
		{"-out OUT -created yesterday linux/amd64=" + there, "want seconds"},
		{"-out OUT -license " + there + " -version a/b:c linux/amd64=" + there, "not a tag"},
		{"-out OUT -license " + there + " linux/amd64=" + there + ".missing", "no such file"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "OUT", t.TempDir()))
		if err := run(args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
}
