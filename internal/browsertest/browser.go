// Package browsertest opens pages in a real headless Chromium, for tests of what people see.
//
// A page that writes an error to the console, throws, or asks for anything that isn't its own server's or its own
// folder's fails its test. Where no Chromium is, the test is skipped: scripts/chromium.sh says why, make browser brings
// one.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take for anything that it is asked: long, for machines that do other things besides.
const patience = 60 * time.Second

// Options say how the page is seen. The zero value is a light window of 1280 by 900.
type Options struct {
	Width, Height int // of the window, CSS pixels
	Dark          bool
	StillOnly     bool    // prefers-reduced-motion: reduce
	Scale         float64 // device pixels in a CSS pixel, 1 unless said
}

// Page is a tab of a browser of its own.
type Page struct {
	t      testing.TB
	ctx    context.Context
	faults faults
}

// Open opens a page, http or file, and closes it with the test. It skips the test where no browser is.
func Open(t testing.TB, url string, o Options) *Page {
	t.Helper()
	p := Start(t, o)
	p.faults.home = home(url)
	p.do(chromedp.Navigate(url))
	return p
}

// Start opens an empty window for Go.
func Start(t testing.TB, o Options) *Page {
	t.Helper()
	ctx := chromium(t, o)
	p := &Page{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.faults.listen); err != nil {
		t.Fatal(err)
	}
	ask(p, network.Enable, network.EnableParams{})
	ask(p, cdpruntime.Enable, cdp.Empty{})
	ask(p, log.Enable, cdp.Empty{})
	ask(p, emulation.SetEmulatedMedia, media(o))
	t.Cleanup(func() {
		for _, f := range p.Faults() {
			t.Errorf("the page: %s", f)
		}
	})
	return p
}

// media has the page see people's wishes.
func media(o Options) emulation.SetEmulatedMediaParams {
	scheme, motion := "light", "no-preference"
	if o.Dark {
		scheme = "dark"
	}
	if o.StillOnly {
		motion = "reduce"
	}
	return emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion}}}
}

// chromium starts a browser that ends with the test.
func chromium(t testing.TB, o Options) context.Context {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Find(t)),
		chromedp.NoSandbox, // of a browser that root starts, in a container say; it sees the tests' own pages alone
		chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(patience),
	)
	all, end := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, shut := chromedp.NewContext(all)
	t.Cleanup(func() { shut(); end() })
	width, height := o.Width, o.Height
	if width == 0 {
		width, height = 1280, 900
	}
	// The first Run decides how long the browser lives: it must not have a deadline.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height), chromedp.EmulateScale(max(1, o.Scale)))); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return ctx
}

// environment is that of the test's start: some tests then move HOME, where the browser is.
var environment = os.Environ()

// Find is the path of a Chromium; it skips the test where there is none.
func Find(t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	script := exec.Command(filepath.Join(filepath.Dir(here), "../../scripts/chromium.sh"), "--cached")
	script.Env = environment
	out, err := script.Output()
	said := strings.TrimSpace(string(out))
	if err != nil {
		if os.Getenv("JEM_BROWSER") == "required" {
			t.Fatalf("scripts/chromium.sh: %s (%v)", said, err)
		}
		t.Skipf("scripts/chromium.sh: %s (%v)", said, err)
	}
	return said
}

// do has the browser do things, one after another.
func (p *Page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, chromedp.Steps(actions...))
}

// run has the browser do something that has a result.
func run[T any](p *Page, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("the browser: %v; the page said: %q", err, p.Faults())
	}
	return result
}

// ask puts a command of the protocol to the page.
func ask[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	return run(p, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}
