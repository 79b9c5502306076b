package experiments

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"jem/internal/fault"
	"jem/internal/metrics"
)

// missing turns the errors that concern one figure alone into a *NotRun: absent images, and
// numbers that are not finite. Others stay: nothing else would work either.
func (l *Lab) missing(err error) error {
	var value *json.UnsupportedValueError // NaN or infinite
	switch {
	case errors.Is(err, fault.Missing), errors.Is(err, fault.Bad), errors.Is(err, metrics.ErrInput), errors.As(err, &value):
		reason, _, _ := strings.Cut(err.Error(), "; looked in")
		return &NotRun{l.elsewhere(reason)}
	}
	return err
}

// elsewhere takes this machine's data folder out of a text: tables are read on others.
func (o Options) elsewhere(text string) string {
	if o.DataDir == "" {
		return text
	}
	return strings.ReplaceAll(text, o.DataDir, "DATA_DIR")
}

// pictureFolders are where package train looks, below the data folder, for sets that come
// as pictures: for the plan, which opens none.
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
