package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"jem/backend/philox"
	"jem/internal/chart"
	"jem/internal/picture"
)

// hostile is text that would break a page if it were not escaped.
const hostile = `</style><script>alert("x")</script> & 'y'`

// curve is noise around a decaying exponential, with a gap of NaN.
func curve(name string, seed uint64, n int, from, to float64) (l chart.Line) {
	l.Name = name
	noise := philox.New(seed, 0, philox.Test)
	for i := range n {
		y := to + (from-to)*math.Exp(-6*float64(i)/float64(n)) + 0.08*(from-to)*float64(noise.Normal(uint64(i)))
		if i > n*6/10 && i < n*62/100 {
			y = math.NaN()
		}
		l.Add(100*float64(i), y)
	}
	return l
}

func pictures(t testing.TB) (list []Picture) {
	t.Helper()
	pix := make([]float32, 20*3*8*8)
	philox.New(1, 0, philox.Test).FillUniform(pix, -1, 1)
	labels := []string{"airplane", "automobile"}
	for _, title := range []string{"Samples after 20,000 steps", "Initial draws"} {
		img, err := picture.Grid{Columns: 10, Labels: labels, Scale: 4}.Draw(picture.Batch{N: 20, C: 3, H: 8, W: 8, Pix: pix})
		if err != nil {
			t.Fatal(err)
		}
		file, err := picture.PNG(img)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Picture{Title: title, Caption: "One row a class.", PNG: file})
	}
	return list
}

// fake is a page with everything on it.
func fake(t testing.TB) Data {
	t.Helper()
	titled := func(title, y string, lines ...chart.Line) Chart {
		return Chart{Chart: chart.Chart{Title: title, XLabel: "step", YLabel: y, Lines: lines}}
	}
	rate := titled("Learning rate", "", chart.Line{X: []float64{0, 1000, 120000, 120001, 200000}, Y: []float64{1e-6, 1e-4, 1e-4, 3e-5, 3e-5}})
	margin := titled("f(x⁺) − f(x⁻)", "difference of log-densities", curve("", 4, 200, 12, 0.2))
	margin.Caption = "Near zero the model cannot tell its samples from the data."
	config, err := Settings([]byte("seed: 1\ndata: {name: cifar10, dir: \"\", noise: 0.03}\noptim: {lr: 0.0001, decay_epochs: [60, 90, 120]}\nsampler:\n  steps: 20\n  step_size: 1\n  noise: 0.01\n"))
	if err != nil {
		t.Fatal(err)
	}
	return Data{
		Title:    "JEM on CIFAR-10",
		Subtitle: "WRN-28-10, 20 SGLD steps, seed 1 · 24 November 2026",
		Summary: []Fact{
			{Name: "test accuracy", Value: "92.9 %", Note: "best 93.1 % at step 180,000"}, {Name: "steps", Value: "200,000"},
			{Name: "time", Value: "36.2 h", Note: "0.65 s a step"}, {Name: "device", Value: "cpu", Note: "AVX-512, 16 threads"},
		},
		Notes: []Note{{61200, "rollback", "loss is not finite; went on from step 60,000 with another seed"}, {61300, "warning", hostile}},
		Charts: []Chart{
			titled("Loss", "nats", curve("log p(y|x)", 1, 2000, 2.3, 0.1), curve("log p(x)", 2, 2000, 1, -0.2), curve("penalty", 3, 2000, 0.1, 0)),
			titled("Accuracy", "%", curve("training", 7, 40, 10, 97), curve("validation", 8, 20, 10, 93)),
			margin,
			titled("Log-density", "nats, up to a constant", curve("log p(x⁺), data", 5, 900, 2, 30), curve("log p(x⁻), samples", 6, 900, -10, 29)),
			rate,
			titled("Seconds a step", "s", curve("", 9, 300, 0.7, 0.65)),
		},
		Pictures: pictures(t),
		Tables:   []Table{{"Against the paper", "Not run: no device.", []string{"row", "ours", "paper", "difference"}, [][]string{{"accuracy", "92.9 %", "92.9 %", "0.0"}, {"FID", "not run", "38.4", ""}}}},
		Config:   config,
		Env:      []Group{{"", []Fact{{Name: "go", Value: "go1.26.8"}, {Name: "command", Value: "jem train --set " + hostile}}}},
	}
}

func render(t *testing.T, d Data) string {
	t.Helper()
	b, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPageHoldsEverythingGiven(t *testing.T) {
	page := render(t, fake(t))
	for _, want := range []string{
		"<title>JEM on CIFAR-10</title>", "92.9 %", "went on from step 60,000", "step_size", "60, 90, 120",
		"f(x⁺) − f(x⁻)", "log p(x⁻), samples", "Near zero", "not run", "go1.26.8", "Initial draws",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if n := strings.Count(page, "<svg"); n != 6 {
		t.Errorf("%d charts, want 6", n)
	}
	if n := strings.Count(page, `src="data:image/png;base64,iVBOR`); n != 2 {
		t.Errorf("%d pictures, want 2", n)
	}
}

// A name space is no reference: nothing is ever loaded from it. Nor is base64.
func TestPageReachesForNothing(t *testing.T) {
	harmless := regexp.MustCompile(`xmlns="http://www.w3.org/2000/svg"|;base64,[^"]*`)
	page := harmless.ReplaceAllString(render(t, fake(t)), "")
	for _, pattern := range []string{`https?:`, `//[a-z]`, `<script`, `<link`, `@import`, `url\(`, `src="[^d]`, `href=`, `ZgotmplZ`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("page contains %q", found)
		}
	}
}

// The page is written so that it is XML, too: a parser without mercy then finds every
// tag that is not closed and every text that is not escaped.
func TestPageIsWellFormed(t *testing.T) {
	for name, d := range map[string]Data{"full": fake(t), "empty": {}} {
		decoder := xml.NewDecoder(strings.NewReader(render(t, d)))
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s page: %v", name, err)
			}
		}
	}
}

func TestWhatIsEmptyIsLeftOut(t *testing.T) {
	page := render(t, Data{Title: "nothing yet"})
	for _, element := range []string{"<h2", "<table", "<figure", "<dl"} {
		if strings.Contains(page, element) {
			t.Errorf("empty page contains %s", element)
		}
	}
}

func TestWriteMakesOneFileAndNamesABadPicture(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	if err := Write(path, fake(t)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte(render(t, fake(t)))) {
		t.Errorf("file differs from Render: %v", err)
	}
	err = Write(path, Data{Pictures: []Picture{{Title: "grid", PNG: []byte("no PNG")}}})
	if err == nil || !strings.Contains(err.Error(), `picture "grid"`) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestSettingsBecomeGroups(t *testing.T) {
	got, err := Settings([]byte("train:\n  batch: 64\n  more: {deep: 1e-4}\nseed: 7\ndevice: {name: cpu, isa: \"\"}\nlist: [1, [2, 3]]\n"))
	want := []Group{
		{"", []Fact{{Name: "seed", Value: "7"}, {Name: "list", Value: "1, 2, 3"}}},
		{"train", []Fact{{Name: "batch", Value: "64"}, {Name: "more.deep", Value: "1e-4"}}},
		{"device", []Fact{{Name: "name", Value: "cpu"}, {Name: "isa", Value: `""`}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	if got, err := Settings(nil); err != nil || got != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for _, bad := range []string{"- a\n", "a: [", "text"} {
		if _, err := Settings([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
