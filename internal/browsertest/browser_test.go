package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/internal/browsertest"
)

// pages serves pages from memory.
func pages(t *testing.T, all map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := all[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>t</title><link rel=icon href=data:,>", text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A page that goes wrong is found out, whatever goes wrong.
func TestFaultsAreFound(t *testing.T) {
	at := pages(t, map[string]string{
		"/good":    `<p>nothing<script>console.log("fine")</script>`,
		"/console": `<script>console.error("alas", 7)</script>`,
		"/throws":  `<script>setTimeout(() => { throw new Error("thrown") })</script>`,
		"/rejects": `<script>Promise.reject(new Error("rejected"))</script>`,
		"/missing": `<img src="/nowhere.png">`,
		"/foreign": `<img src="http://127.0.0.1:1/elsewhere.png">`,
		"/syntax":  `<script>let = </script>`,
		"/csp":     `<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>`,
	})
	p := browsertest.Start(t, browsertest.Options{})
	for path, want := range map[string]string{"/good": "", "/console": "alas", "/throws": "thrown", "/rejects": "rejected",
		"/missing": "404", "/foreign": "asked for http://127.0.0.1:1/", "/syntax": "SyntaxError", "/csp": "Content Security Policy"} {
		p.Go(at + path)
		p.Eval("new Promise(done => setTimeout(done, 100))", nil)
		found := strings.Join(p.Faults(), "\n")
		if want == "" && found != "" || !strings.Contains(found, want) {
			t.Errorf("%s: found %q", path, found)
		}
	}
}

// Keys, clicks, files that are dropped or chosen, and what a window is, reach the page.
func TestHandsReachThePage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("inside"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browsertest.Open(t, pages(t, map[string]string{"/": `<button onclick="said = 'clicked'">b</button><button></button>
		<input id=i aria-label=i><input type=file id=f onchange="read(this.files[0])">
		<div id=d style="width:99px;height:99px" ondragover="event.preventDefault()" ondrop="event.preventDefault(); read(event.dataTransfer.files[0])">here</div>
		<script>var said; async function read(f) { said = f.name + ' ' + await f.text() }</script>`})+"/", browsertest.Options{Width: 700, Height: 500, Dark: true, StillOnly: true})
	said := func(want string) {
		t.Helper()
		p.Wait(fmt.Sprintf("said === %q", want))
		p.Eval("said = ''", nil)
	}
	p.Click("button")
	said("clicked")
	p.Drop("#d", file)
	said("a.txt inside")
	p.Choose("#f", file)
	said("a.txt inside")
	p.Click("#i")
	p.Press("typed")
	p.Wait("document.querySelector('#i').value === 'typed'")
	p.Wait("innerWidth === 700 && innerHeight === 500 && matchMedia('(prefers-color-scheme: dark)').matches && matchMedia('(prefers-reduced-motion: reduce)').matches")
	p.Resize(300, 300)
	p.Wait("innerWidth === 300")
	if got := p.Text("#d"); got != "here" {
		t.Errorf("text %q", got)
	}
	if got := p.Unnamed(); !slices.Equal(got, []string{`"button"`}) {
		t.Errorf("without a name: %v", got)
	}
	if got := p.Overflow(); len(got) > 0 {
		t.Errorf("too wide: %v", got)
	}
	p.Eval("document.querySelector('#d').style.width = '400px'", nil)
	if got := p.Overflow(); !slices.Contains(got, "DIV.#d") {
		t.Errorf("too wide: %v", got)
	}
	p.Eval("document.querySelector('#d').style.color = '#999'; document.body.style.background = '#fff'", nil)
	if got := p.Dim(); !slices.Equal(got, []string{"2.85 here"}) {
		t.Errorf("hard to read: %v", got)
	}
	shot := filepath.Join(t.TempDir(), "shot.png")
	p.Screenshot(shot)
	if info, err := os.Stat(shot); err != nil || info.Size() < 100 {
		t.Errorf("screenshot: %v, %v", info, err)
	}
}
