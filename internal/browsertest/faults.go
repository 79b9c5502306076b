package browsertest

import (
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// faults collects what a page must not do. Its events come from a goroutine of the browser's.
type faults struct {
	home string // what addresses of the page's own begin with

	mu       sync.Mutex
	found    []string
	requests []string
}

// home is the page's server, or its folder.
func home(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "file" {
		return address[:strings.LastIndex(address, "/")+1]
	}
	return u.Scheme + "://" + u.Host + "/"
}

// Faults are what has gone wrong in the page since it was opened, or since they were last asked for: they fail the
// test unless they are asked for.
func (p *Page) Faults() []string {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	found := p.faults.found
	p.faults.found = nil
	return found
}

// Requests are the addresses that the page asked for, in order, without those of data that it holds itself.
func (p *Page) Requests() []string {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	return append([]string(nil), p.faults.requests...)
}

func (f *faults) listen(event any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		f.asked(e.Request.URL)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			f.add("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			f.add("console: %s", said(e.Args))
		}
	case *runtime.EventExceptionThrown:
		f.add("threw: %s", thrown(e.ExceptionDetails))
	}
}

func (f *faults) asked(address string) {
	for _, own := range []string{"data:", "blob:", "about:"} {
		if strings.HasPrefix(address, own) {
			return
		}
	}
	f.requests = append(f.requests, address)
	if !strings.HasPrefix(address, f.home) {
		f.add("asked for %s, which isn't of %s", address, f.home)
	}
}

func (f *faults) add(format string, args ...any) {
	f.found = append(f.found, fmt.Sprintf(format, args...))
}

// said are the words of a call of the console's.
func said(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		if a.Description != "" {
			words = append(words, a.Description)
		} else {
			words = append(words, string(a.Value))
		}
	}
	return strings.Join(words, " ")
}

// thrown is what was thrown, with its stack where it has one.
func thrown(e *runtime.ExceptionDetails) string {
	if e.Exception == nil {
		return e.Text
	}
	return e.Text + " " + said([]*runtime.RemoteObject{e.Exception})
}
