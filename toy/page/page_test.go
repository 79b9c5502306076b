package page

import (
	"bytes"
	"image/gif"
	"image/png"
	"math"
	"regexp"
	"strings"
	"testing"

	"jem/toy"
)

func written(t testing.TB, r *toy.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "\u00a0", " ")
}

func TestPageSaysWhatTheResultSays(t *testing.T) {
	page := written(t, fake(t))
	for _, want := range []string{
		"400 points of 2 classes · recipe jem · 600 steps · seed 1 · cpu · test", "99.1 %", "softmax alone 98.9 %", "KL(truth ‖ model) = 0.031 nats",
		"log Z = 1.50", "(6.0, 6.0)", "&gt; 99.99 %", "61.2 %", "−412.5", "no place for data", "doubtful", "30 SGLD chains", "step_size",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, "<svg"); n != 6 {
		t.Errorf("%d charts, want 6", n)
	}
}

// A name space is no reference: nothing is ever loaded from it. Nor is base64, or a comment of the script.
func TestPageReachesForNothing(t *testing.T) {
	harmless := regexp.MustCompile(`xmlns="http://www.w3.org/2000/svg"|;base64,[^"]*|"v":"[^"]*"|(?m)^ *// .*$`)
	page := harmless.ReplaceAllString(written(t, fake(t)), "")
	for _, pattern := range []string{`https?:`, `//[a-z]`, `<link`, `@import`, `url\(`, `src="[^d]`, `href=`, `ZgotmplZ`, `fetch\(`, `XMLHttp`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page contains %q", found)
		}
	}
}

// The largest result: ten classes on fine grids, many snapshots, chains and points.
func large(t testing.TB) *toy.Result {
	r := fake(t)
	r.Density = gridOf(r.Window, 256, func(x, y float64) float64 { return -x*x - y*y })
	r.Classes, r.JEM.P = nil, nil
	for k := range 10 {
		r.Classes = append(r.Classes, string(rune('a'+k)))
		r.JEM.P = append(r.JEM.P, gridOf(r.Window, 256, func(x, y float64) float64 { return 0.1 }))
	}
	r.Twin.P = r.JEM.P
	for len(r.Snapshots) < 100 {
		r.Snapshots = append(r.Snapshots, toy.Snapshot{Step: 10 * len(r.Snapshots), Density: r.Density})
	}
	r.Chains = chains(500, 200)
	r.Train = ringPoints(1, 5000)
	return r
}

func TestPageStaysSmall(t *testing.T) {
	const limit = 2_000_000
	for name, r := range map[string]*toy.Result{"usual": fake(t), "large": large(t)} {
		n := len(written(t, r))
		t.Logf("%s: %d bytes", name, n)
		if n > limit {
			t.Errorf("%s: %d bytes, want at most %d", name, n, limit)
		}
	}
}

func TestWhatIsMissingIsLeftOut(t *testing.T) {
	r := fake(t)
	bare := &toy.Result{Name: "points.csv", Classes: r.Classes, Window: r.Window, Density: r.Density, JEM: r.JEM, Twin: r.Twin}
	page := written(t, bare)
	for _, id := range []string{`id="snapshots"`, `id="chains"`, `id="truth"`, `id="far"`, `id="curves"`, `id="calibration"`, "<details"} {
		if strings.Contains(page, id) {
			t.Errorf("the bare page has %s", id)
		}
	}
	if _, err := Animation(bare); err != nil {
		t.Error(err)
	}
}

func TestCoordinatesHaveTheWindowsDigits(t *testing.T) {
	for want, b := range map[string]window{"12.3": {0, 6, 0, 0}, "12.346": {0, 0.05, 0, 0}, "12": {0, 1e3, 0, 0}, "1.23e+07": {0, 1e7, 0, 0}, "1.23e−07": {0, 1e-7, 0, 0}} {
		v := 12.3456
		if strings.Contains(want, "e") {
			v *= b.x1 / 10
		}
		if got := b.number(v); got != want {
			t.Errorf("%v in a window of %g is %s, want %s", v, b.x1, got, want)
		}
	}
}

// A diverged network has densities that are no numbers, and chains that have left.
func TestWhatIsNoNumberIsShown(t *testing.T) {
	r := fake(t)
	r.Density.Values[7], r.Density.Values[8], r.Density.Values[9] = math.NaN(), math.Inf(-1), math.Inf(1)
	for i := range r.Snapshots[3].Density.Values {
		r.Snapshots[3].Density.Values[i] = math.NaN()
	}
	r.Chains.At[5][0] = [2]float64{math.NaN(), math.Inf(1)}
	r.HeldOutLogP[10] = math.Inf(-1)
	r.Curve[3].Loss, r.Curve[4].Gap = math.NaN(), math.Inf(1)
	r.Truth.KL = math.Inf(1)
	written(t, r)
	if _, err := Animation(r); err != nil {
		t.Error(err)
	}
}

func TestHostileNamesAreEscaped(t *testing.T) {
	r := fake(t)
	r.Name, r.Classes[0] = `</style><script>alert("x")</script>`, `</script><script>alert("y")</script>`
	if page := written(t, r); strings.Contains(page, "<script>alert") {
		t.Error("a name became markup")
	}
}

func TestBrokenResultsAreRefused(t *testing.T) {
	for want, spoil := range map[string]func(*toy.Result){
		"0 classes":     func(r *toy.Result) { r.Classes = nil },
		"grids of p":    func(r *toy.Result) { r.Twin.P = r.Twin.P[:1] },
		"log p(x): 5":   func(r *toy.Result) { r.Density.Values = r.Density.Values[:5] },
		"in the window": func(r *toy.Result) { r.Window.X1 = r.Window.X0 },
		"settings":      func(r *toy.Result) { r.Run.Settings = []byte("a: [") },
	} {
		r := fake(t)
		spoil(r)
		if err := Write(&bytes.Buffer{}, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestPictures(t *testing.T) {
	const limit = 1_500_000
	file, err := Animation(fake(t))
	if err != nil {
		t.Fatal(err)
	}
	moving, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil || len(file) > limit || len(moving.Image) < 40 {
		t.Errorf("animation: %v, %d bytes, %d frames", err, len(file), len(moving.Image))
	}
	file, err = Still(fake(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(file)); err != nil || len(file) > limit {
		t.Errorf("still: %v, %d bytes", err, len(file))
	}
}

func BenchmarkWrite(b *testing.B) {
	r := fake(b)
	for b.Loop() {
		written(b, r)
	}
}

func BenchmarkAnimation(b *testing.B) {
	r := fake(b)
	for b.Loop() {
		if _, err := Animation(r); err != nil {
			b.Fatal(err)
		}
	}
}
