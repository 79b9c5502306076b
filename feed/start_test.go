package feed

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jem/backend/philox"
	"jem/config"
	"jem/internal/data"
	"jem/internal/picture"
)

// own is the configuration of a run on pictures of one's own: 48 pixels a side that become 16,
// grey, a quarter of them held out.
func own(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.Data = config.Data{Name: data.Folder, Dir: t.TempDir(), Size: 16, Grey: true, ValidShare: 0.25, ByClass: true, LabelsPerClass: -1}
	c.Sampler.Start, c.Train.Batch = "gaussian", 4
	for y, class := range []string{"dark", "light"} {
		if err := os.Mkdir(filepath.Join(c.Data.Dir, class), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			img := image.NewNRGBA(image.Rect(0, 0, 48, 48))
			for p := range 48 * 48 {
				v := uint8(philox.New(uint64(i), uint32(y), philox.Test).IntN(uint64(p), 100) + 150*y)
				img.SetNRGBA(p%48, p/48, color.NRGBA{R: v, G: v / 2, B: 255 - v, A: 255})
			}
			if err := picture.WritePNG(filepath.Join(c.Data.Dir, class, fmt.Sprintf("%02d.png", i)), img); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// Where few labels are known, no other reaches the Gaussians of the classes.
func TestGaussiansOfFewLabels(t *testing.T) {
	c := own(t)
	c.Data.LabelsPerClass = 3
	source := Source{Config: c}
	var fills [2][]float32
	for i := range fills {
		set, _, err := source.Read(data.Train)
		if err != nil {
			t.Fatal(err)
		}
		all := make([]int, set.Len())
		for j := range all {
			all[j] = j
		}
		if i == 1 { // the classes of the others change places
			known, err := data.PerClass(set, all, 3)
			if err != nil {
				t.Fatal(err)
			}
			for j := range set.Labels {
				if !slices.Contains(known, j) {
					set.Labels[j] = 1 - set.Labels[j]
				}
			}
			all = append(known, slices.DeleteFunc(all, func(j int) bool { return slices.Contains(known, j) })...)
		}
		g, err := gaussian(&c, set, all, "sampler.start")
		if err != nil {
			t.Fatal(err)
		}
		fills[i] = make([]float32, 2*set.Dim())
		g.Fill(fills[i], []int32{0, 1}, philox.New(3, 0, philox.Restart))
	}
	if !slices.Equal(fills[0], fills[1]) {
		t.Error("labels that are not known change where chains begin")
	}
}

// Fresh chains of a finished run begin where those of its training did: with all that the
// configuration does to the images, and without those held out.
func TestFreshChainsStartAsInTraining(t *testing.T) {
	c := own(t)
	training, _, err := Source{Config: c}.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer training.Close()
	if training.Channels != 1 || training.Size != 16 || training.Valid.Len() != 6 {
		t.Fatalf("%d channels, %d pixels, %d held out", training.Channels, training.Size, training.Valid.Len())
	}
	later, err := Source{Config: c}.Start()
	if err != nil {
		t.Fatal(err)
	}
	const n = 6
	classes, key := []int32{0, 1, 0, 1, 0, 1}, philox.New(3, 0, philox.Restart)
	want, got := make([]float32, n*16*16), make([]float32, n*16*16)
	training.Start.Fill(want, classes, key)
	later.Fill(got, classes, key)
	if !slices.Equal(want, got) {
		t.Error("other starts than in training")
	}
}
