package page

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"jem/internal/browsertest"
	"jem/toy"
)

// seen opens the page of a result. Any error in the console, or any request, fails the test.
func seen(t *testing.T, r *toy.Result, o browsertest.Options) *browsertest.Page {
	t.Helper()
	file := filepath.Join(t.TempDir(), "index.html")
	var page bytes.Buffer
	if err := Write(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browsertest.Open(t, "file://"+file, o)
	p.Wait(`document.documentElement.dataset.ready === "yes"`)
	return p
}

func text(p *browsertest.Page, id string) string { return strings.TrimSpace(p.Text("#" + id)) }

// put writes a number into one of the fields for a place.
func put(p *browsertest.Page, id string, v float64) {
	p.Eval(fmt.Sprintf(`(e => { e.value = %g; e.dispatchEvent(new Event("input")) })(document.getElementById(%q))`, v, id), nil)
}

// The answers are those of the result, at the middles of cells, where nothing lies between.
func TestAnswersAreTheResults(t *testing.T) {
	r := fake(t)
	p := seen(t, r, browsertest.Options{StillOnly: true})
	for _, cell := range []int{0, 79, 40*80 + 40, 40*80 + 53, 66*80 + 40, 3210} {
		x := r.Window.X0 + (float64(cell%80)+0.5)*(r.Window.X1-r.Window.X0)/80
		y := r.Window.Y0 + (float64(cell/80)+0.5)*(r.Window.Y1-r.Window.Y0)/80
		put(p, "ask-x", x)
		put(p, "ask-y", y)
		if got, want := text(p, "logp"), number(r.Density.Values[cell], 2); got != want {
			t.Errorf("cell %d: log p(x) %s, want %s", cell, got, want)
		}
		for who, v := range map[string]toy.Verdicts{"jem": r.JEM, "twin": r.Twin} {
			k := 0
			if v.P[1].Values[cell] > v.P[0].Values[cell] {
				k = 1
			}
			// 16 bits move a probability by 2^-17, less than a tenth of the last digit shown; only where
			// rounding is that close may it differ.
			confidence := v.P[k].Values[cell]
			got := text(p, who+"-confidence")
			if got != percent(confidence) && got != percent(confidence+1.0/(1<<16)) && got != percent(confidence-1.0/(1<<16)) {
				t.Errorf("cell %d: %s is %s sure, want %s", cell, who, got, percent(confidence))
			}
			if got := text(p, who+"-class"); got != r.Classes[k] {
				t.Errorf("cell %d: %s says %s, want %s", cell, who, got, r.Classes[k])
			}
		}
		if want := r.Density.Values[cell] < r.HeldOutLogP[0]; strings.Contains(text(p, "sentence"), "every held-out point") != want {
			t.Errorf("cell %d: %s", cell, text(p, "sentence"))
		}
	}
}

// The map is asked by clicks and by keys alike.
func TestTheMapIsAsked(t *testing.T) {
	p := seen(t, fake(t), browsertest.Options{StillOnly: true})
	value := func(id string) (v float64) {
		p.Eval(fmt.Sprintf(`document.getElementById(%q).valueAsNumber`, id), &v)
		return v
	}
	p.Click("#map") // its middle, the origin, to a pixel
	if x, y := value("ask-x"), value("ask-y"); math.Abs(x) > 0.02 || math.Abs(y) > 0.02 {
		t.Errorf("a click into the middle asks (%g, %g)", x, y)
	}
	p.Eval(`document.getElementById("map").focus()`, nil)
	x, y := value("ask-x"), value("ask-y")
	for range 3 {
		p.Press(kb.ArrowRight)
	}
	p.Press(kb.ArrowDown)
	if dx, dy := value("ask-x")-x, value("ask-y")-y; math.Abs(dx-0.18) > 0.011 || math.Abs(dy+0.06) > 0.011 { // 6/100 a key; shown to 0.01
		t.Errorf("keys moved by (%g, %g)", dx, dy)
	}
}

// shot is a digest of what a canvas shows.
func shot(p *browsertest.Page, id string) (digest string) {
	p.Eval(fmt.Sprintf(`(async () => { await new Promise(requestAnimationFrame);
		const url = document.getElementById(%q).toDataURL();
		let h = 0; for (let i = 0; i < url.length; i++) h = (h * 31 + url.charCodeAt(i)) | 0;
		return h + " " + url.length })()`, id), &digest)
	return digest
}

func TestControlsChangeTheMap(t *testing.T) {
	p := seen(t, fake(t), browsertest.Options{StillOnly: true})
	before := map[string]string{"as it opens": shot(p, "map")}
	different := func(name string) {
		t.Helper()
		now := shot(p, "map")
		for other, then := range before {
			if then == now {
				t.Errorf("%s looks as %s", name, other)
			}
		}
		before[name] = now
	}
	p.Eval(`document.getElementById("show-contours").click()`, nil)
	different("without contours")
	p.Eval(`document.getElementById("show-data").click()`, nil)
	different("without data")
	for _, layer := range []string{"jem", "twin"} {
		p.Eval(fmt.Sprintf(`document.querySelector("input[value=%s]").click()`, layer), nil)
		different(layer)
		var shown []string
		p.Eval(`[...document.querySelectorAll("#map-text [data-layer]")].filter(e => !e.hidden).map(e => e.dataset.layer)`, &shown)
		if len(shown) != 1 || shown[0] != layer {
			t.Errorf("%s is explained by %v", layer, shown)
		}
	}
}

// What moves does so by itself while it is in sight, stops when it is told to, and goes where the slider says.
func TestPicturesMove(t *testing.T) {
	p := seen(t, fake(t), browsertest.Options{})
	for _, id := range []string{"snapshots", "chains"} {
		button := fmt.Sprintf("document.querySelector('#%s-controls button')", id)
		p.Eval(fmt.Sprintf(`document.getElementById(%q).scrollIntoView({block: "center"})`, id), nil)
		p.Wait(button + `.textContent === "Pause"`)
		then := shot(p, id)
		p.Wait(fmt.Sprintf(`document.querySelector("#%s-controls input").value > 1`, id))
		if shot(p, id) == then {
			t.Errorf("%s does not move", id)
		}
		p.Click("#" + id + "-controls button")
		p.Wait(button + `.textContent === "Play"`)
		if a, b := shot(p, id), shot(p, id); a != b {
			t.Errorf("%s moves on when paused", id)
		}
		p.Eval(fmt.Sprintf(`(e => { e.value = 0; e.dispatchEvent(new Event("input")) })(document.querySelector("#%s-controls input"))`, id), nil)
		if got := strings.TrimSpace(p.Text("#" + id + "-controls output")); !strings.Contains(got, "step 0 of") {
			t.Errorf("%s at its first frame says %q", id, got)
		}
	}
}

// A reader who wants stillness gets it until a button is pressed.
func TestStillnessIsKept(t *testing.T) {
	p := seen(t, fake(t), browsertest.Options{StillOnly: true})
	p.Eval(`document.getElementById("chains").scrollIntoView({block: "center"})`, nil)
	p.Eval(`new Promise(done => setTimeout(done, 300))`, nil)
	for _, id := range []string{"snapshots", "chains"} {
		if got := strings.TrimSpace(p.Text("#" + id + "-controls button")); got != "Play" {
			t.Errorf("%s offers %q", id, got)
		}
	}
	p.Click("#chains-controls button")
	p.Wait(`document.querySelector("#chains-controls input").value > 0 && document.querySelector("#chains-controls input").value < 39`)
}

// On every width nothing is pushed aside and everything has a name; the colours follow the reader's.
func TestPageFits(t *testing.T) {
	r := fake(t)
	r.Classes[1] = strings.Repeat("w", 100) // the longest that is read, and nowhere to break it
	r.Far[0].X, r.Far[0].Y = 1699999861, -1699999861
	for _, width := range []int{360, 768, 1600} {
		p := seen(t, r, browsertest.Options{Width: width, Height: 900, StillOnly: true})
		if wide := p.Overflow(); len(wide) > 0 {
			t.Errorf("at %d pixels too wide: %v", width, wide)
		}
		if unnamed := p.Unnamed(); len(unnamed) > 0 {
			t.Errorf("at %d pixels without a name: %v", width, unnamed)
		}
	}
}

// blocks are the mean levels of 16 by 16 pixels of what a canvas shows.
func blocks(p *browsertest.Page, id string) (levels []float64) {
	p.Eval(fmt.Sprintf(`(async () => { await new Promise(requestAnimationFrame);
		const c = document.getElementById(%q), n = c.width, d = c.getContext("2d").getImageData(0, 0, n, n).data, m = Math.ceil(n / 16);
		const sums = new Array(m * m).fill(0);
		for (let i = 0; i < d.length; i++) if (i %% 4 < 3) sums[(Math.floor((i >> 2) / n) >> 4) * m + (((i >> 2) %% n) >> 4)] += d[i] / 768;
		return sums })()`, id), &levels)
	return levels
}

// Points far from 0 and near each other, as times in seconds are, look as they do around 0: coordinates there have steps of 2⁻²² in a
// window of 6, less than a thousandth of a pixel. As float32 they would have steps of 64.
func TestPlacesFarFromZeroLookTheSame(t *testing.T) {
	r, moved := fake(t), fake(t)
	const far = 1 << 30
	w := &moved.Window
	w.X0, w.X1 = w.X0+far, w.X1+far
	for _, v := range [][]float64{moved.Train.X, moved.HeldOut.X} {
		for i := range v {
			v[i] += far
		}
	}
	for _, frame := range moved.Chains.At {
		for k := range frame {
			frame[k][0] += far
		}
	}
	here, there := seen(t, r, browsertest.Options{StillOnly: true}), seen(t, moved, browsertest.Options{StillOnly: true})
	for _, id := range []string{"map", "chains"} {
		a, b, worst := blocks(here, id), blocks(there, id), 0.0
		for i := range min(len(a), len(b)) {
			worst = max(worst, math.Abs(a[i]-b[i]))
		}
		if len(a) == 0 || len(a) != len(b) || worst > 1 { // a mark of a few pixels moves one block's mean by more
			t.Errorf("%s: %d and %d blocks that differ by %.2g levels", id, len(a), len(b), worst)
		}
	}
}

func TestColoursFollowTheReader(t *testing.T) {
	corner := func(o browsertest.Options) (c [3]int) {
		p := seen(t, fake(t), o)
		p.Eval(`[...document.getElementById("map").getContext("2d").getImageData(3, 3, 1, 1).data].slice(0, 3)`, &c)
		return c
	}
	for dark, th := range map[bool]theme{false: light, true: dark} {
		want := th.ramp()[0]
		if got := corner(browsertest.Options{Dark: dark, StillOnly: true}); got != [3]int{int(want.R), int(want.G), int(want.B)} {
			t.Errorf("dark %v: a corner without density is %v, want %v", dark, got, want)
		}
	}
}

func TestABarePageWorks(t *testing.T) {
	r := fake(t)
	seen(t, &toy.Result{Name: "points.csv", Classes: r.Classes, Window: r.Window, Density: r.Density, JEM: r.JEM, Twin: r.Twin}, browsertest.Options{})
}
