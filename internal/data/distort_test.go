package data

import (
	"math"
	"slices"
	"testing"

	"jem/backend/philox"
)

func distorted(t *testing.T, how Distortion, s *Set, indices []int, i, step, slot int) []uint8 {
	t.Helper()
	d, err := newDistorter(how, 0, s, indices, philox.New(7, 0, philox.MakeOutliers))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]uint8, s.Dim())
	d.apply(dst, i, step, slot)
	return dst
}

// Blocks change places, all channels alike, and nothing within them changes.
func TestShuffledKeepsBlocks(t *testing.T) {
	s := synthetic(1, 3, 16, 1)
	got, d := distorted(t, Shuffled, s, []int{0}, 0, 3, 5), distorter{set: s}
	block := func(image []uint8, b int) (pixels []uint8) {
		for c := range s.C {
			for y := range 4 {
				pixels = append(pixels, image[d.at(c, b/4*4+y, b%4*4):][:4]...)
			}
		}
		return pixels
	}
	moved := 0
	var from []int
	for b := range 16 {
		for a := range 16 {
			if slices.Equal(block(got, b), block(s.Image(0), a)) {
				from = append(from, a)
				if a != b {
					moved++
				}
			}
		}
	}
	if slices.Sort(from); len(from) != 16 || len(slices.Compact(from)) != 16 || moved < 10 {
		t.Errorf("blocks %v, %d of them moved", from, moved)
	}
}

// A blurred point is a Gaussian: its sum and its variance are those that were asked for. A plain image stays.
func TestBlurIsGaussian(t *testing.T) {
	const side = 32
	image, dst := make([]uint8, side*side), make([]uint8, side*side)
	for _, sigma := range []float64{1, 1.7, 3} {
		clear(image)
		for y := 15; y <= 16; y++ { // 4 points, at ±½ pixel: the variance grows by ¼
			for x := 15; x <= 16; x++ {
				image[y*side+x] = 255
			}
		}
		blur(dst, image, side, side, sigma)
		var sum, square float64
		for i, v := range dst {
			sum += float64(v)
			square += float64(v) * math.Pow(float64(i%side)-15.5, 2)
		}
		if want := sigma*sigma + 0.25; math.Abs(sum/1020-1) > 0.1 || math.Abs(square/sum/want-1) > 0.15 {
			t.Errorf("σ = %g: sum %.0f of 1020, variance %.3f, want %.3f", sigma, sum, square/sum, want)
		}
		for _, v := range []uint8{0, 1, 128, 255} {
			for i := range image {
				image[i] = v
			}
			if blur(dst, image, side, side, sigma); !slices.Equal(dst, image) {
				t.Errorf("σ = %g: a plain %d changed", sigma, v)
			}
		}
	}
}

func TestMixedIsTheMeanOfTwoOfTheSet(t *testing.T) {
	s, indices := synthetic(6, 1, 8, 1), []int{1, 3, 4}
	for step := range 20 {
		got, found := distorted(t, Mixed, s, indices, 3, step, 0), 0
		for _, other := range []int{1, 4} {
			want := make([]uint8, s.Dim())
			for j := range want {
				want[j] = uint8(math.Round((float64(s.Image(3)[j]) + float64(s.Image(other)[j])) / 2))
			}
			if slices.Equal(got, want) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("step %d: the mean with neither of the others", step)
		}
	}
}

// Each way makes a third, and everything is a function of step and slot.
func TestDistortedIsEachWayAndAFunctionOfTheStep(t *testing.T) {
	s, indices, n := synthetic(4, 1, 8, 1), []int{0, 1, 2, 3}, map[Distortion]int{}
	for slot := range 300 {
		got := distorted(t, Distorted, s, indices, 2, 9, slot)
		if !slices.Equal(got, distorted(t, Distorted, s, indices, 2, 9, slot)) {
			t.Fatal("the same step and slot give another image")
		}
		for _, how := range Distortions[:3] {
			if slices.Equal(got, distorted(t, how, s, indices, 2, 9, slot)) {
				n[how]++
			}
		}
	}
	for _, how := range Distortions[:3] {
		if n[how] < 70 || n[how] > 130 {
			t.Errorf("%d of 300 are %s", n[how], how)
		}
	}
}

// A share of the images stays as it is: of 400 a half, within five standard deviations of 10.
func TestSomeImagesStayPlain(t *testing.T) {
	s, indices, plain := synthetic(4, 1, 8, 1), []int{0, 1, 2, 3}, 0
	d, err := newDistorter(Distorted, 0.5, s, indices, philox.New(7, 0, philox.MakeOutliers))
	if err != nil {
		t.Fatal(err)
	}
	made := make([]uint8, s.Dim())
	for slot := range 400 {
		if d.apply(made, 2, 9, slot); slices.Equal(made, s.Image(2)) {
			plain++
		}
	}
	if plain < 150 || plain > 250 {
		t.Errorf("%d of 400 images are plain, want about half", plain)
	}
}

func BenchmarkDistorted(b *testing.B) {
	s := synthetic(64, 3, 32, 1)
	l, err := NewLoader(s, nil, LoaderOptions{Batch: 64, Distort: Distorted, Augment: Augment{Crop: 4, Flip: true}})
	if err != nil {
		b.Fatal(err)
	}
	batch := l.NewBatch()
	for i := range b.N {
		l.Batch(i, batch.Pixels, batch.Labels)
	}
}
