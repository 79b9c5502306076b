package page_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"jem/internal/browsertest"
	"jem/serve/batch"
	"jem/serve/page"
)

// shown opens the page of a service in a browser.
func shown(t *testing.T, o browsertest.Options) (service, *browsertest.Page) {
	t.Helper()
	browsertest.Find(t) // or the service would be opened for nothing
	s := serve(t, batch.Options{}, page.Options{})
	p := browsertest.Open(t, s.url+"/", o)
	p.Wait("document.title.startsWith('official')")
	return s, p
}

const answered = "!document.querySelector('#answer').hidden && !document.querySelector('#answer').classList.contains('busy')"

// TestDroppedPictureIsAnswered with what the service says of it, whether it is dropped, chosen, pasted or an example.
func TestDroppedPictureIsAnswered(t *testing.T) {
	s, p := shown(t, browsertest.Options{})
	file, content := picture(t, 90, 60)
	var want scored
	ask(t, "POST", s.url+"/api/score", content, &want)
	p.Drop("#drop", file)
	p.Wait(answered)
	number := strings.Replace(fmt.Sprintf("%.4g", want.LogPx), "-", "−", 1)
	if text := p.Text("#said"); !strings.Contains(text, number) || !strings.Contains(text, "Not unusual") || !strings.Contains(text, "held-out images") {
		t.Errorf("of log p(x) %s the page says %q", number, text)
	}
	var seen string
	if p.Eval("document.querySelector('#seen').src", &seen); seen != want.Picture.Seen {
		t.Error("it shows another picture as what the network sees")
	}
	shows := func(image string) string { return "document.querySelector('#seen').src === " + quoted(image) }
	p.Click("#examples button")
	p.Wait("!(" + shows(want.Picture.Seen) + ")")
	p.Choose("#file", file)
	p.Wait(shows(want.Picture.Seen))
	p.Click("#examples button")
	p.Wait("!(" + shows(want.Picture.Seen) + ")")
	p.Eval(`(async () => { const data = new DataTransfer();
		data.items.add(new File([Uint8Array.from(atob('`+base64.StdEncoding.EncodeToString(content)+`'), c => c.charCodeAt(0))], 'a.png', { type: 'image/png' }));
		document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data })) })()`, nil)
	p.Wait(shows(want.Picture.Seen))
	for _, asked := range p.Requests() {
		if !strings.HasPrefix(asked, s.url) {
			t.Errorf("the page asked for %s", asked)
		}
	}
}

func quoted(text string) string {
	b, _ := json.Marshal(text) // text has a JSON form
	return string(b)
}

// TestGradientIsSeen: it is drawn over the picture, and differs with how much of it is to be seen.
func TestGradientIsSeen(t *testing.T) {
	_, p := shown(t, browsertest.Options{})
	p.Click("#examples button")
	p.Wait(answered + " && document.querySelector('#gradient-scale').textContent")
	colours := func() (n int) {
		p.Eval(`(c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, all = new Set();
			for (let i = 0; i < d.length; i += 4) all.add(d[i] << 16 | d[i+1] << 8 | d[i+2]); return all.size })(document.querySelector('#heat'))`, &n)
		return n
	}
	if n := colours(); n < 50 {
		t.Errorf("%d colours over a grey picture", n)
	}
	p.Eval("(s => { s.value = 0; s.dispatchEvent(new Event('input')) })(document.querySelector('#strength'))", nil)
	p.Eval("new Promise(done => setTimeout(done, 300))", nil)
	if n := colours(); n != 1 {
		t.Errorf("%d colours of a grey picture without its gradient", n)
	}
}

// TestChainsAreSeenLive: pictures of chains change while they are drawn, and the figures with them.
func TestChainsAreSeenLive(t *testing.T) {
	s, p := shown(t, browsertest.Options{})
	p.Eval(`window.looks = new Set(); new MutationObserver(() => { const i = document.querySelector('#drawn img'); if (i) looks.add(i.src) })
		.observe(document.querySelector('#drawn'), { subtree: true, attributes: true, childList: true })`, nil)
	p.Eval("document.querySelector('#draw').elements.steps.value = 30", nil)
	p.Click("#draw button")
	p.Wait("looks.size > 3")
	p.Wait("document.querySelector('#drawn-status').textContent.startsWith('30 SGLD steps')")
	var cells, lines int
	p.Eval("document.querySelectorAll('#drawn .cell').length", &cells)
	p.Eval("document.querySelectorAll('#drawn-chart .path').length", &lines)
	if cells != 6 || lines != 6 || !strings.Contains(p.Text("#drawn"), "log p(x)") {
		t.Errorf("%d chains and %d lines, %q", cells, lines, p.Text("#drawn"))
	}
	p.Click("#drawn .cell") // asks about it
	p.Wait(answered)
	p.Eval("document.querySelector('#refine').elements.steps.value = 20", nil)
	p.Click("#refine button")
	p.Wait("document.querySelector('#refined-status').textContent.startsWith('20 SGLD steps')")
	until(t, "all streams end", func() bool { return s.Streams() == 0 })
}

// TestLeavingEndsTheChain: who closes the page, or stops, leaves no work behind.
func TestLeavingEndsTheChain(t *testing.T) {
	s, p := shown(t, browsertest.Options{})
	for _, leave := range []func(){func() { p.Press(kb.Escape) }, func() { p.Click("#draw button") }, func() { p.Go("about:blank") }} {
		p.Eval("document.querySelector('#draw').elements.steps.value = 2000", nil)
		p.Click("#draw button")
		until(t, "a stream begins", func() bool { return s.Streams() == 1 })
		p.Wait("document.querySelector('#drawn img[src]')")
		leave()
		until(t, "the stream ends", func() bool { return s.Streams() == 0 })
	}
}

// TestKeysSuffice: with nothing but a keyboard a picture is asked about, and chains are drawn and stopped; each thing that
// can be used has a name.
func TestKeysSuffice(t *testing.T) {
	s, p := shown(t, browsertest.Options{StillOnly: true})
	// to presses Tab until an element has the focus, which must be seen.
	to := func(selector string) {
		t.Helper()
		for range 60 {
			p.Press(kb.Tab)
			var at bool
			if p.Eval("document.activeElement.matches("+quoted(selector)+")", &at); at {
				return
			}
		}
		t.Fatalf("Tab does not get to %s", selector)
	}
	to("#file")
	var outline string
	if p.Eval("getComputedStyle(document.querySelector('#drop .button')).outlineStyle", &outline); outline != "solid" {
		t.Errorf("where the file is chosen the focus is not seen: %s", outline)
	}
	to("#examples button")
	p.Press(kb.Enter)
	p.Wait(answered)
	to("#strength")
	p.Press(kb.ArrowLeft)
	to("#draw [name=steps]")
	p.Eval("document.activeElement.value = 2000", nil)
	to("#draw button")
	p.Press(kb.Enter)
	p.Wait("document.querySelector('#drawn img[src]')")
	if got := p.Unnamed(); len(got) > 0 {
		t.Errorf("without a name: %v", got)
	}
	p.Press(kb.Escape)
	p.Wait("document.querySelector('#drawn-status').textContent.startsWith('Stopped')")
	until(t, "the stream ends", func() bool { return s.Streams() == 0 })
}

// TestFitsAnyWindow, light and dark: nothing is wider than it, and letters stand out from their ground.
func TestFitsAnyWindow(t *testing.T) {
	for _, o := range []browsertest.Options{{Width: 1400, Height: 900}, {Width: 320, Height: 600, Dark: true}} {
		t.Run(fmt.Sprintf("%d", o.Width), func(t *testing.T) {
			_, p := shown(t, o)
			p.Click("#examples button")
			p.Wait(answered)
			p.Eval("document.querySelector('#draw').elements.steps.value = 3", nil)
			p.Click("#draw button")
			p.Wait("document.querySelector('#drawn-status').textContent.startsWith('3 SGLD')")
			if wide := p.Overflow(); len(wide) > 0 {
				t.Errorf("wider than the window: %v", wide)
			}
			if dim := p.Dim(); len(dim) > 0 {
				t.Errorf("hard to read: %v", dim)
			}
		})
	}
}

// TestTroubleIsTold where people see it: what is no picture, a service that is gone.
func TestTroubleIsTold(t *testing.T) {
	_, p := shown(t, browsertest.Options{})
	text := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(text, []byte("what is this"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Drop("#drop", text)
	p.Wait("document.querySelector('#trouble').innerText.includes('no picture that can be read')")
	p.Click("#examples button")
	p.Wait(answered + " && document.querySelector('#trouble').hidden")
	for _, f := range p.Faults() { // the browser itself notes each answer of 400
		if !strings.Contains(f, "status of 400") {
			t.Error(f)
		}
	}
}

// TestTokenIsAskedFor where the service wants one, and nothing but the page is shown before.
func TestTokenIsAskedFor(t *testing.T) {
	browsertest.Find(t)
	s := serve(t, batch.Options{}, page.Options{})
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") && r.Header.Get("Authorization") != "Bearer open sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.Page.ServeHTTP(w, r)
	}))
	t.Cleanup(locked.Close)
	p := browsertest.Open(t, locked.URL+"/", browsertest.Options{})
	for _, token := range []string{"wrong", "open sesame"} {
		p.Wait("!document.querySelector('#locked').hidden && document.activeElement.id === 'token'")
		p.Press(token + kb.Enter)
	}
	p.Wait("document.title.startsWith('official')")
	for _, f := range p.Faults() { // the browser itself notes each answer of 401
		if !strings.Contains(f, "status of 401") {
			t.Error(f)
		}
	}
}

// TestThousandClasses: the page shows a model of a thousand classes, grey and without anything to compare with.
func TestThousandClasses(t *testing.T) {
	browsertest.Find(t)
	s := serve(t, batch.Options{}, page.Options{})
	var model, score map[string]any
	ask(t, "GET", s.url+"/api/model", nil, &model)
	_, content := picture(t, 32, 32)
	ask(t, "POST", s.url+"/api/score", content, &score)
	var classes []string
	var shares []float64
	for i := range 1000 {
		classes, shares = append(classes, fmt.Sprintf("class number %d of a thousand", i)), append(shares, float64(i)/499500)
	}
	model["classes"], model["channels"], model["rule"], model["histogram"], model["examples"] = classes, 1, nil, nil, []any{}
	score["class"], score["probabilities"] = 999, shares
	delete(score, "verdict")
	delete(score, "below")
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if document, ok := map[string]any{"/api/model": model, "/api/score": score}[r.URL.Path]; ok {
			_ = json.NewEncoder(w).Encode(document)
			return
		}
		s.Page.ServeHTTP(w, r)
	}))
	t.Cleanup(large.Close)
	p := browsertest.Open(t, large.URL+"/", browsertest.Options{Width: 360, Height: 700})
	p.Wait("document.querySelectorAll('#draw select[name=class] option').length === 1001")
	file, _ := picture(t, 40, 40)
	p.Drop("#drop", file)
	p.Wait(answered)
	p.Click("#all summary")
	p.Wait("document.querySelectorAll('#all tr').length === 1001")
	if text := p.Text("#said"); !strings.Contains(text, "class number 999") || !strings.Contains(text, "without a rule") {
		t.Errorf("the page says %.300q", text)
	}
	if wide := p.Overflow(); len(wide) > 0 {
		t.Errorf("wider than the window: %v", wide)
	}
}
