package experiments

import (
	"os"
	"path/filepath"
	"regexp"

	"jem/internal/claim"
	"jem/internal/durable"
)

// folder is the output folder of a lab. One from before there were markers is known by what
// is in it: hours of training must not be in vain.
var folder = claim.Kind{Of: "jem reproduce", Marker: ".jem-reproduce", Own: func(folder, name string, marked bool) bool {
	if marked {
		return true
	}
	want, known := contents[name]
	return known && only(filepath.Join(folder, name), want)
}}

// contents are the names in each entry of an output folder; nil: it is a file.
var contents = map[string]*regexp.Regexp{
	"runs":       regexp.MustCompile(`-seed[0-9]+-[0-9a-f]{10}$`),
	"measures":   regexp.MustCompile(`-[0-9a-f]{8}\.json$|^batches$`),
	"tables":     regexp.MustCompile(`^(README|(` + ids() + `)(-.*)?)\.(md|json|csv|html|svg|png)$`),
	"toy":        regexp.MustCompile(`^(cifar-10-batches-bin|cifar-100-binary|svhn|textures)$`),
	"rates.json": nil,
}

// ids are those of all experiments as a regular expression.
func ids() string {
	all := ""
	for _, e := range All() {
		all += "|" + regexp.QuoteMeta(e.ID)
	}
	return all[1:]
}

// only reports whether path is a folder with such names only, or for nil a file.
func only(path string, names *regexp.Regexp) bool {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() == (names == nil) {
		return false
	}
	if names == nil {
		return info.Mode().IsRegular()
	}
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		name := e.Name()
		if original, temporary := durable.Original(name); temporary {
			name = original
		}
		if !names.MatchString(name) {
			return false
		}
	}
	return err == nil
}
