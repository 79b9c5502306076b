package predict

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/model"
	"jem/predict/weights"
)

func TestImportedRunsHaveADataSet(t *testing.T) {
	pictures := t.TempDir()
	for _, class := range []string{"bolt", "nut"} {
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 48, 48))); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(pictures, class), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pictures, class, "1.png"), picture.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cifar, two := model.Config{Classes: 10, InC: 3, Size: 32}, model.Config{Classes: 2, InC: 1, Size: 48}
	zoo := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	for _, c := range []struct {
		about       string
		network     model.Config
		said        weights.About
		origin      Origin
		data, class string // the last class
		notes       int
		fault       string
	}{
		{"official", cifar, weights.About{}, Origin{}, "cifar10", "truck", 1, ""},
		{"official of 100", model.Config{Classes: 100, InC: 3, Size: 32}, weights.About{}, Origin{}, "cifar100", "worm", 1, ""},
		{"another set of such images", cifar, weights.About{Data: "svhn"}, Origin{}, "svhn", "9", 0, ""},
		{"own pictures of such a size", cifar, weights.About{Data: "folder", Classes: zoo}, Origin{}, "folder", "j", 0, ""},
		{"names alone", cifar, weights.About{Classes: zoo}, Origin{}, "folder", "j", 0, ""},
		{"a set named", cifar, weights.About{}, Origin{Data: "svhn"}, "svhn", "9", 0, ""},
		{"a set named, names known", cifar, weights.About{Classes: zoo}, Origin{Data: "svhn"}, "svhn", "j", 0, ""},
		{"a folder named", two, weights.About{}, Origin{Dir: pictures}, "folder", "nut", 0, ""},
		{"a folder named, names known", two, weights.About{Classes: []string{"nut", "bolt"}}, Origin{Dir: pictures}, "folder", "bolt", 0, ""},
		{"another number of classes", cifar, weights.About{}, Origin{Dir: pictures}, "folder", "9", 0, "has 2 classes, the network tells 10 apart"},
		{"another set", two, weights.About{}, Origin{Data: "svhn"}, "svhn", "1", 0, "svhn has 10 classes of 32×32 images with 3 channels, the network is for 2 classes of 48×48 images with 1 channels"},
		{"no set", two, weights.About{}, Origin{}, "", "1", 0, "none is known that has 2 classes of 48×48"},
		{"a set of no name", two, weights.About{Data: "nonsense"}, Origin{}, "", "1", 0, "none is known"},
		{"pictures without names", two, weights.About{}, Origin{Data: "folder"}, "folder", "1", 0, "--data-dir"},
	} {
		cfg, f, notes, err := imported(&weights.Weights{Config: c.network, About: c.said}, c.origin)
		if cfg.Data.Name != c.data || f.Data != c.data || len(f.Names()) != c.network.Classes || !slices.Contains(f.Names()[len(f.Names())-1:], c.class) || len(notes) != c.notes {
			t.Errorf("%s: %q, %+v, %v", c.about, cfg.Data.Name, f, notes)
		}
		if (c.fault == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: got %v, want %q", c.about, err, c.fault)
		}
	}
}
