package experiments

import (
	"errors"
	"os"
	"path/filepath"

	"jem/internal/data"
)

// missing turns the error of an absent data set into a *NotRun; others stay.
func missing(err error) error {
	if errors.Is(err, data.ErrMissing) {
		return &NotRun{err.Error()}
	}
	return err
}

// pictureFolders are where sets that come as pictures lie below the data folder.
var pictureFolders = map[string][]string{
	"celeba":        {"celeba", "img_align_celeba"},
	"textures":      {"textures", "dtd", "ood/dtd"},
	"tiny-imagenet": {"tiny-imagenet", "ood/tiny-imagenet"},
	"faces":         {"faces", "ood/faces"},
}

// folderOf is the folder of a set's pictures, or "".
func (o Options) folderOf(set string) string {
	for _, place := range pictureFolders[set] {
		path := filepath.Join(o.DataDir, filepath.FromSlash(place))
		if info, err := os.Stat(path); o.DataDir != "" && err == nil && info.IsDir() {
			return path
		}
	}
	return ""
}

// openName is what train.Predictor.OpenOOD calls a set.
func (o Options) openName(set string) (string, error) {
	if pictureFolders[set] == nil {
		return set, nil
	}
	folder := o.folderOf(set)
	if folder == "" {
		return "", notRun("no folder of pictures %s in the data folder", set)
	}
	return "folder:" + folder, nil
}
