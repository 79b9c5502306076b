package data

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/fault"
)

// pictureSets are published sets that come as pictures, with the folders, below that of the
// data sets, which they are looked for in.
var pictureSets = map[string][]string{
	"textures":      {"textures", "dtd/images", "dtd/dtd/images", "dtd", "ood/dtd"},
	"tiny-imagenet": {"tiny-imagenet", "tiny-imagenet-200/val/images", "ood/tiny-imagenet"},
	"celeba":        {"celeba", "celeba/img_align_celeba", "img_align_celeba"},
	"places365":     {"places365", "places365/val_256", "val_256"},
	"faces":         {"faces", "ood/faces"},
}

// IsPictures reports whether a name is a published set that comes as pictures.
func IsPictures(name string) bool { return pictureSets[name] != nil }

// PictureSets are the names for which IsPictures holds, in alphabetical order.
func PictureSets() []string { return slices.Sorted(maps.Keys(pictureSets)) }

// Pictures finds the folder of the pictures of a set for which IsPictures holds: below dir, which
// may be empty, then $JEM_DATA_DIR and CacheDir. An absent one is a *fault.Error.
func Pictures(name, dir string) (string, error) {
	var looked []string
	cache, _ := CacheDir() // without a home there is one place less to look in
	for _, root := range []string{dir, os.Getenv(DirEnv), cache} {
		if root == "" {
			continue
		}
		for _, f := range pictureSets[name] {
			path := filepath.Join(root, filepath.FromSlash(f))
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				return path, nil
			}
			looked = append(looked, path)
		}
	}
	return "", &fault.Error{Kind: fault.ErrMissing, Reason: fmt.Sprintf("%s: no folder of its pictures: name one as folder:PATH, or put them into one of %s", name, strings.Join(looked, ", "))}
}
