package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Go opens an address in the same window.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.faults.mu.Lock()
	p.faults.home = home(url)
	p.faults.mu.Unlock()
	p.do(chromedp.Navigate(url))
}

// Eval computes a JavaScript expression in the page, waits for it if it is a promise, and stores its value, which
// goes through JSON, where out points; nil drops it.
func (p *Page) Eval(expression string, out any) {
	p.t.Helper()
	value := run(p, chromedp.Evaluate[json.RawMessage](expression, chromedp.EvalAwaitPromise))
	if out == nil {
		return
	}
	if err := json.Unmarshal(value, out); err != nil {
		p.t.Fatalf("%s is %s: %v", expression, value, err)
	}
}

// Text is the text that an element shows.
func (p *Page) Text(selector string) (text string) {
	p.t.Helper()
	p.Eval(element(selector)+".innerText", &text)
	return text
}

// element is the JavaScript expression of the first element of a selector.
func element(selector string) string { return fmt.Sprintf("document.querySelector(%q)", selector) }

// Wait waits until a JavaScript expression is true.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var is bool
		if p.Eval("!!("+expression+")", &is); is {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("not within %v: %s; the page said: %q", patience, expression, p.Faults())
		}
	}
}

// Click clicks into the middle of an element.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Press types keys into whatever has the focus: text, or constants of chromedp/kb.
func (p *Page) Press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// Choose gives files to an input, as its dialogue would.
func (p *Page) Choose(selector string, files ...string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Drop drags files from outside the browser onto the middle of an element and drops them there.
func (p *Page) Drop(selector string, files ...string) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.Eval("(r => ({X: r.x + r.width/2, Y: r.y + r.height/2}))("+element(selector)+".getBoundingClientRect())", &at)
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		ask(p, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: at.X, Y: at.Y, Data: data})
	}
}

// Resize changes the window, CSS pixels.
func (p *Page) Resize(width, height int) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(int64(width), int64(height)))
}

// Screenshot writes the whole page, also what lies below the window, as a PNG.
func (p *Page) Screenshot(file string) {
	p.t.Helper()
	whole, beyond := ask(p, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize, true
	p.save(file, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond,
		Clip: &page.Viewport{Width: whole.Width, Height: whole.Height, Scale: 1}})
}

// Window writes what the window shows, as a PNG.
func (p *Page) Window(file string) {
	p.t.Helper()
	p.save(file, page.CaptureScreenshotParams{})
}

func (p *Page) save(file string, shot page.CaptureScreenshotParams) {
	p.t.Helper()
	if err := os.WriteFile(file, ask(p, page.CaptureScreenshot, shot).Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// Unnamed are the roles of the controls and pictures that have no name for people who hear the page.
func (p *Page) Unnamed() (roles []string) {
	p.t.Helper()
	for _, n := range ask(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if !n.Ignored && n.Role != nil && needsName[string(n.Role.Value)] && (n.Name == nil || string(n.Name.Value) == `""`) {
			roles = append(roles, string(n.Role.Value))
		}
	}
	return roles
}

// needsName are the roles, as JSON, of what nobody can use or know without a name.
var needsName = map[string]bool{`"button"`: true, `"link"`: true, `"slider"`: true, `"checkbox"`: true, `"combobox"`: true,
	`"textbox"`: true, `"spinbutton"`: true, `"radio"`: true, `"image"`: true, `"tab"`: true, `"listbox"`: true, `"progressbar"`: true}

// Overflow are the elements that are wider than the window, which a reader would have to push sideways to see.
func (p *Page) Overflow() (elements []string) {
	p.t.Helper()
	p.Eval(`[...document.querySelectorAll('body, body *')].filter(e => document.documentElement.scrollWidth > innerWidth && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className + '#' + e.id)`, &elements)
	return elements
}

// Dim are texts whose colour is too near to their ground's: less than 4.5 to 1 by WCAG 2.2, criterion 1.4.3, for the
// pages' letters, which are small. Grounds are taken to be plain colours.
func (p *Page) Dim() (texts []string) {
	p.t.Helper()
	p.Eval(`(() => {
		const parse = c => (c.match(/[\d.]+/g) || []).map(Number);
		const light = c => c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
		const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
		const dim = [];
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let n; n = walk.nextNode();) {
			const e = n.parentElement, s = getComputedStyle(e);
			if (!n.data.trim() || !e.checkVisibility() || e.closest('script, style, noscript, option, :disabled')) continue;
			const a = light(parse(e instanceof SVGElement ? s.fill : s.color)), b = light(ground(e));
			const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (contrast < 4.5) dim.push(contrast.toFixed(2) + ' ' + n.data.trim().slice(0, 40));
		}
		return dim;
	})()`, &texts)
	return texts
}
