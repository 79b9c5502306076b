package main

import (
	"bytes"
	"image/gif"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jem/eval/quality"
)

// hideCache lets the test see none of the user's own weights, references and images.
func hideCache(t *testing.T, cache string) {
	t.Helper()
	for _, e := range judgeEnv(cache) {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
}

// judgeEnv keeps the weights and references of the user's own cache out of sight.
func judgeEnv(cache string) []string {
	return []string{"XDG_CACHE_HOME=" + cache, "HOME=" + cache, "LocalAppData=" + cache, "JEM_DATA_DIR="}
}

func judgeJSON(t *testing.T, cache string, args ...string) quality.Result {
	t.Helper()
	hideCache(t, cache)
	var r quality.Result
	okJSON(t, &r, append([]string{"eval", "--task", "samples", "--json"}, args...)...)
	return r
}

// TestSamplesAreJudged on the smallest run, without the weights of Inception.
func TestSamplesAreJudged(t *testing.T) {
	data, out := writeCIFAR(t), filepath.Join(t.TempDir(), "run")
	ok(t, small(data, out, "--quiet")...)
	cache, pictures := t.TempDir(), t.TempDir()

	r := judgeJSON(t, cache, "--run", out, "--pictures", pictures)
	for _, f := range r.Figures {
		if f.Value != nil || !strings.Contains(f.Missing, "jem data fetch inception") || f.Name != "FID" && f.Name != "Inception Score" {
			t.Errorf("without any network: %+v", f)
		}
	}
	if len(r.Figures) != 4 || r.Samples != 20 || r.Real != 120 || len(r.RealHash) != 64 || len(r.DataHash) != 64 || len(r.Weights) != 64 {
		t.Errorf("got %+v", r)
	}
	for _, name := range []string{"samples-by-class.png", "samples-likeliest.png", "samples-least-likely.png"} {
		if info, err := os.Stat(filepath.Join(pictures, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}

	// A cache that can't be written to is no reason to lose the figures; nor is a result's file.
	file := put(t, cache, "file", nil)
	hideCache(t, file)
	lost := do(t, "eval", "--task", "samples", "--run", out, "--classifier", out, "--out", filepath.Join(file, "r.json"))
	if lost.code != exitIO || !strings.Contains(lost.stderr, "are not kept") || !strings.Contains(lost.stdout, "classifier-feature distance") {
		t.Errorf("got %d %s%s", lost.code, lost.stderr, lost.stdout)
	}

	first := judgeJSON(t, cache, "--run", out, "--classifier", out)
	second := judgeJSON(t, cache, "--run", out, "--classifier", out)
	kept, _ := filepath.Glob(filepath.Join(cache, "*", "features", "*"))
	if found, _ := filepath.Glob(filepath.Join(cache, "*", "*", "features", "*")); len(found) > 0 {
		kept = found
	}
	if len(kept) != 1 {
		t.Errorf("%v are kept, want one reference", kept)
	}
	distances := 0
	for i, f := range first.Figures {
		if g := second.Figures[i]; (f.Value == nil) != (g.Value == nil) || f.Value != nil && *f.Value != *g.Value {
			t.Errorf("%s: %v, with the kept reference %v", f.Name, f.Value, g.Value)
		}
		if f.Name == "classifier-feature distance" && f.Value != nil && *f.Value > 0 {
			distances++
		}
	}
	if distances != 2 || len(first.Networks) != 1 || first.Networks[0].Weights != first.Weights {
		t.Errorf("%d distances by %+v", distances, first.Networks)
	}

	dat := judgeJSON(t, cache, "--run", out, "--classifier", out, "--protocol", "dat", "--count", "12", "--sample-steps", "2", "--guidance", "1", "--limit", "30")
	if dat.Samples != 12 || dat.Real != 30 || dat.Reference != "cifar10 train" || !strings.Contains(dat.Drawn, "2 SGLD steps of log p(x|y), the classes in turn, guided with weight 1") {
		t.Errorf("got %+v", dat)
	}
	text := doWith(t, judgeEnv(cache), "eval", "--task", "samples", "--run", out, "--classifier", out, "--quiet")
	if !strings.Contains(text.stdout, "20 samples are too few for the covariance of 64 features") {
		t.Errorf("no caution in %s", text.stdout)
	}
	if text.code != 0 || !strings.Contains(text.stdout, "not computed: weights missing") || !strings.Contains(text.stdout, first.Weights[:12]) {
		t.Errorf("code %d, %s%s", text.code, text.stdout, text.stderr)
	}
	testJudgeMistakes(t, data, out)
	testFilms(t, out)
}

func testJudgeMistakes(t *testing.T, data, out string) {
	t.Helper()
	page := filepath.Join(t.TempDir(), "page.pth")
	if err := os.WriteFile(page, []byte("<html>"), 0o666); err != nil {
		t.Fatal(err)
	}
	eval := func(args ...string) []string {
		return append([]string{"eval", "--task", "samples", "--run", out, "--quiet"}, args...)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no such weights":     {eval("--inception", page+"x"), exitData, "no such file; jem data fetch inception"},
		"a page for weights":  {eval("--inception", page), exitData, page + ": byte 0"},
		"other weights":       {eval("--inception", "../../internal/torchfile/testdata/official_wrn10_1_zip.pt"), exitData, "no weights of the Inception network"},
		"no such classifier":  {eval("--classifier", page+"x"), exitData, "x: "},
		"unknown protocol":    {eval("--protocol", "jem"), exitUsage, "followers or dat"},
		"unknown mode":        {eval("--fid-mode", "clean"), exitUsage, "tensorflow or pytorch"},
		"unknown start":       {eval("--from", "noise"), exitUsage, "buffer or fresh"},
		"no samples":          {eval("--count", "0"), exitUsage, "want at least 1"},
		"more than there are": {eval("--count", "21"), exitUsage, "has 20 chains"},
		"negative guidance":   {eval("--guidance", "-1"), exitUsage, "want 0 to 1000"},
		"guided to nothing":   {[]string{"sample", "--run", out, "--out", page + ".png", "--guidance", "1"}, exitUsage, "needs --class"},
		"unknown order":       {[]string{"sample", "--run", out, "--out", page + ".png", "--sort", "beauty"}, exitUsage, "class or logpx"},
		"a crowded film":      {[]string{"sample", "--run", out, "--gif", page + ".gif", "--n", "101"}, exitUsage, "at most 100"},
	} {
		if r := do(t, c.args...); r.code != c.code || !strings.Contains(r.stderr, c.says) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: code %d, %q; want %d and %q", name, r.code, r.stderr, c.code, c.says)
		}
	}
}

// testFilms: frames before the first step, every so many steps and at the end.
func testFilms(t *testing.T, out string) {
	t.Helper()
	film := filepath.Join(t.TempDir(), "film.gif")
	ok(t, "sample", "--run", out, "--gif", film, "--n", "6", "--fresh", "--steps", "5", "--every", "2", "--class", "each", "--quiet")
	b, err := os.ReadFile(film)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil || len(g.Image) != 4 {
		t.Errorf("%d frames (%v), want those after steps 0, 2, 4 and 5", len(g.Image), err)
	}
	var ranked sampleReport
	okJSON(t, &ranked, "sample", "--run", out, "--out", film+".png", "--n", "9", "--steps", "1", "--sort", "logpx", "--json")
	for i := 1; i < len(ranked.LogPx); i++ {
		if ranked.LogPx[i] > ranked.LogPx[i-1] {
			t.Errorf("log p(x) rises from %g to %g", ranked.LogPx[i-1], ranked.LogPx[i])
		}
	}
}

// TestFetchingInception: a server's wrong file is refused by its hash, and the list names the
// weights.
func TestFetchingInception(t *testing.T) {
	const name, size = "pt_inception-2015-12-05-6726825d.pth", 95628359
	url, asked := mirror(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, size)))
	})
	dir := t.TempDir()
	r := doWith(t, offline, "data", "fetch", "--quiet", "--data-dir", dir, "--mirror", url, "inception")
	if r.code != exitIO || !strings.Contains(r.stderr, "not the published file") || len(asked()) == 0 || !strings.HasPrefix(asked()[0], name) {
		t.Errorf("code %d, %s; asked for %v", r.code, r.stderr, asked())
	}
	if _, err := os.Stat(filepath.Join(dir, "inception", name)); !os.IsNotExist(err) {
		t.Errorf("a wrong file is in place (%v)", err)
	}
	if list := ok(t, "data", "list", "--data-dir", dir); !strings.Contains(list, "inception") {
		t.Errorf("the list lacks the weights:\n%s", list)
	}
}
