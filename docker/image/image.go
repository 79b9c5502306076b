package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// about is what the image says of itself.
type about struct {
	version, revision string
	license           string // path of the licence's text
	created           time.Time
}

func (a about) labels() map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       "jem",
		"org.opencontainers.image.description": "A trainer for Joint Energy-based Models, on CPUs",
		"org.opencontainers.image.version":     a.version,
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if a.revision != "" {
		labels["org.opencontainers.image.revision"] = a.revision
	}
	return labels
}

// config is what an engine needs to run p. It says what docker/Dockerfile says.
func (a about) config(p program) *v1.ConfigFile {
	return &v1.ConfigFile{
		OS: p.os, Architecture: p.arch, Created: v1.Time{Time: a.created}, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       fmt.Sprintf("%d:%[1]d", user),
			Entrypoint: []string{"/usr/local/bin/jem"},
			Env:        []string{"PATH=/usr/local/bin", "XDG_CACHE_HOME=/cache"},
			WorkingDir: "/",
			StopSignal: "SIGTERM",
			Labels:     a.labels(),
		},
	}
}

// image is that of one platform, of OCI's media types throughout.
func image(a about, p program) (v1.Image, error) {
	files, err := entries(p.path, a.license)
	if err != nil {
		return nil, err
	}
	packed, err := archive(files, a.created)
	if err != nil {
		return nil, err
	}
	packedLayer, err := layer(packed)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	configured, err := mutate.ConfigFile(base, a.config(p))
	if err != nil {
		return nil, err
	}
	return mutate.Append(configured, mutate.Addendum{Layer: packedLayer,
		History: v1.History{Created: v1.Time{Time: a.created}, CreatedBy: "make image"}})
}

// write makes out/oci, the layout, and out/jem-OS-ARCH.tar of every program. They are made
// beside and put in place when all are whole.
func write(out string, a about, programs []program) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(out, ".work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	tag, err := name.NewTag("jem:"+a.version, name.WithDefaultRegistry(""))
	if err != nil {
		return fmt.Errorf("-version %s: not a tag of an image: %w", a.version, err)
	}
	images := make([]v1.Image, len(programs))
	for i, p := range programs {
		if images[i], err = image(a, p); err != nil {
			return err
		}
		if err := tarball.WriteToFile(filepath.Join(work, p.tar()), tag, images[i]); err != nil {
			return err
		}
	}
	if err := writeLayout(filepath.Join(work, "oci"), a, programs, images); err != nil {
		return err
	}
	if err := readable(work); err != nil {
		return err
	}
	if err := publish(work, out); err != nil {
		return err
	}
	return show(out, tag.String(), programs, images)
}

// show prints what was made: the files and each image's digest, its name for ever.
func show(out, called string, programs []program, images []v1.Image) error {
	for i, p := range programs {
		digest, err := images[i].Digest()
		if err != nil {
			return err
		}
		fmt.Printf("%s %s/%s %s in %s and %s\n", called, p.os, p.arch, digest, filepath.Join(out, "oci"), filepath.Join(out, p.tar()))
	}
	return nil
}

// readable gives every file below dir the mode of a file that anybody may read: the library
// makes blobs that only their owner can.
func readable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
}

// tar is the name of the platform's file for docker load.
func (p program) tar() string { return fmt.Sprintf("jem-%s-%s.tar", p.os, p.arch) }

// writeLayout makes an OCI layout in which the version names the image; of several platforms, an
// index of them.
func writeLayout(dir string, a about, programs []program, images []v1.Image) error {
	called := map[string]string{"org.opencontainers.image.ref.name": a.version}
	place, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	platform := func(p program) v1.Platform { return v1.Platform{OS: p.os, Architecture: p.arch} }
	if len(images) == 1 {
		return place.AppendImage(images[0], layout.WithAnnotations(called), layout.WithPlatform(platform(programs[0])))
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, img := range images {
		p := platform(programs[i])
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
	}
	return place.AppendIndex(index, layout.WithAnnotations(called))
}

// publish puts what lies in work into out, instead of what has its names.
func publish(work, out string) error {
	made, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	for _, m := range made {
		to := filepath.Join(out, m.Name())
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(work, m.Name()), to); err != nil {
			return err
		}
	}
	return nil
}
