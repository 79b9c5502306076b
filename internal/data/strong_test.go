package data

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"jem/backend/philox"
)

// sample is the image of testdata/pillow.py.
func sample(channels int) *canvas {
	const side = 16
	v := &canvas{c: channels, h: side, w: side, spare: make([]uint8, channels*side*side)}
	for c := range channels {
		for y := range side {
			for x := range side {
				wave := (7*x*x + 11*y*(c+1) + 5*x*y + 60*c) % 183
				v.pixels = append(v.pixels, uint8(30+wave*wave/183))
			}
		}
	}
	return v
}

// Every operation gives the bytes that Pillow gives.
func TestOperationsAreThoseOfPillow(t *testing.T) {
	text, err := os.ReadFile("testdata/pillow.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Cases []struct {
			Operation string
			Strength  float64
			Channels  int
			Result    string
		}
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	operations := map[string]func(*canvas, float64){
		"shearY": (*canvas).shearY, "translateX": (*canvas).translateX, "translateY": (*canvas).translateY, "rotate": (*canvas).rotate,
		"brightness": (*canvas).brightness, "colour": (*canvas).colour, "contrast": (*canvas).contrast, "sharpness": (*canvas).sharpness,
		"solarize": (*canvas).solarize, "posterize": (*canvas).posterize, "autoContrast": (*canvas).autoContrast,
		"equalize": (*canvas).equalize, "invert": (*canvas).invert,
	}
	seen := map[string]bool{}
	for _, tc := range want.Cases {
		seen[tc.Operation] = true
		pixels, err := base64.StdEncoding.DecodeString(tc.Result)
		if err != nil {
			t.Fatal(err)
		}
		v := sample(tc.Channels)
		operations[tc.Operation](v, tc.Strength)
		differ, most := 0, 0
		for i, got := range v.pixels {
			if d := int(got) - int(pixels[i]); d != 0 {
				differ, most = differ+1, max(most, d, -d)
			}
		}
		if differ > 0 {
			t.Errorf("%s %g of %d channels: %d of %d values differ, by %d at most", tc.Operation, tc.Strength, tc.Channels, differ, len(pixels), most)
		}
	}
	if len(seen) != len(operations) {
		t.Errorf("%d operations compared, there are %d", len(seen), len(operations))
	}
}

// A policy is one of 25, its parts are done as often as it says, with either sign; then there is a hole of half the side,
// of which a quarter at least is in the image. All is a function of the key.
func TestStrongIsAFunctionOfTheKey(t *testing.T) {
	const n = 2000
	key := philox.New(5, 0, philox.StrongPYX)
	plain, untouched := sample(3), 0
	for i := range n {
		v, again, cut := sample(3), sample(3), sample(3)
		AutoAugment.strengthen(v, key.At(1, i))
		AutoAugment.strengthen(again, key.At(1, i))
		Cutout.strengthen(cut, key.At(1, i))
		if !slices.Equal(v.pixels, again.pixels) {
			t.Fatal("not a function of the key")
		}
		hole, elsewhere := 0, 0
		for p := range 16 * 16 {
			switch {
			case cut.pixels[p] == neutral && cut.pixels[512+p] == neutral && v.pixels[p] == neutral:
				hole++
			case cut.pixels[p] != plain.pixels[p]:
				elsewhere++
			}
		}
		if hole < 16 || hole > 80 || elsewhere > 0 {
			t.Fatalf("key %d: a hole of %d pixels, %d others changed", i, hole, elsewhere)
		}
		if slices.Equal(v.pixels, cut.pixels) {
			untouched++
		}
	}
	// Of each sub-policy (1−p)(1−q) do nothing, and so do enhancements by nothing and equalizing twice the same.
	var nothing float64
	for _, p := range autoAugment {
		nothing += float64((1 - p[0].probability) * (1 - p[1].probability) / 25)
	}
	if share := float64(untouched) / n; share < nothing-0.03 || share > nothing+0.06 {
		t.Errorf("%.3f are left as they are, want a little above %.3f", share, nothing)
	}
}

// Loaders do it to the flipped window, and to nothing where it is not asked for.
func TestLoaderStrengthensTheWindow(t *testing.T) {
	s := synthetic(6, 3, 16, 2)
	o := options(6)
	o.Augment.Noise, o.Strong = 0, philox.New(1, 0, philox.StrongPYX)
	plain, _ := load(newTestLoader(t, s, nil, o), 3)
	o.Augment.Strong = Cutout
	cut, _ := load(newTestLoader(t, s, nil, o), 3)
	holes := 0
	for i, v := range cut {
		if v != plain[i] {
			if holes++; v != scale(neutral) {
				t.Fatalf("value %d: %v became %v", i, plain[i], v)
			}
		}
	}
	if holes < 6*3*16 || holes > 6*3*64 {
		t.Errorf("%d values are in holes", holes)
	}
	o.Augment.Strong = "mixup"
	if _, err := NewLoader(s, nil, o); err == nil {
		t.Error("an unknown name was taken")
	}
}

func BenchmarkAutoAugment(b *testing.B) {
	l := newTestLoader(b, synthetic(128, 3, 32, 2), nil, LoaderOptions{Batch: 128, Augment: Augment{Crop: 4, Flip: true, Strong: AutoAugment}})
	batch := l.NewBatch()
	for i := range b.N {
		l.Batch(i, batch.Pixels, batch.Labels)
	}
}
