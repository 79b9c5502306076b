// Package backendtest is the one conformance suite that every device answers to.
//
// Each check puts the same question to the device and to a definition in float64
// (naive.go), on awkward shapes, with destinations full of NaN beforehand and inputs
// compared afterwards. The bounds are derived: zero-mean data and 6·u·Σ|aᵢbᵢ| for sums
// of products (u = 2⁻²⁴), so that one forgotten term shows. Where no definition is
// affordable, at the size of the published network, adjoint identities take its place.
//
// Run serves go test, Suite serves jem selftest on a user's machine. The package knows
// the contract and no device; it neither prints nor imports package testing.
//
// suite is the list, probe what a check works with, naive the definitions, adjoint the identities at full
// size, network the published layers; then one file for each group of the contract: memory, conv,
// convplan, norm, pointwise, window, head, logits, random (with offset), update, moves, chain, pass (on passnet), and
// mistake for callers' own.
package backendtest

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"jem/backend"
)

// Check is one question to a device.
type Check struct {
	Group string // what it is about: memory, conv, norm, …
	Name  string // unique in its group
	Run   func(*Probe)
}

// Path is the check's full name, group/name.
func (c Check) Path() string { return c.Group + "/" + c.Name }

// Options says how to hold a device to the suite. The zero value asks everything.
type Options struct {
	// Short leaves out the largest layers of the adjoint checks.
	Short bool
	// Only restricts the run to checks whose path contains it.
	Only string
	// Lacks lists the paths (or groups) that the device doesn't offer. They are reported
	// as lacking, never dropped.
	Lacks []string
	// Widen lists further convolution algorithms with a wider bound than 6·u·Σ|ab|, as
	// {"fft": 100}: the bound in units of u·Σ|ab| for every algorithm whose name contains
	// the key. Winograd's allowance is the suite's own.
	Widen map[string]float64
	// Stop, when not nil, is asked before each check whether to leave out the rest.
	Stop func() bool
	// Observe, when not nil, is told each result as it comes.
	Observe func(Result)
}

// Result is a device's answer to one check.
type Result struct {
	Group    string  `json:"group"`
	Name     string  `json:"name"`
	Passed   bool    `json:"passed"`
	Lacking  bool    `json:"lacking,omitempty"` // listed in Options.Lacks or no backend.Windower, not asked
	MaxError float64 `json:"max_error"`         // at the place nearest to (or farthest over) its bound
	Ratio    float64 `json:"ratio"`             // that error divided by its bound
	Place    string  `json:"place,omitempty"`   // operation and element
	Seconds  float64 `json:"seconds"`
	Digest   string  `json:"digest"` // of every number downloaded: equal digests are equal bits
	Message  string  `json:"message,omitempty"`
}

// Path is the check's full name, group/name.
func (r Result) Path() string { return r.Group + "/" + r.Name }

// Report is a device's answer to the suite.
type Report struct {
	Device  string             `json:"device"`
	Info    backend.Info       `json:"info"`
	Short   bool               `json:"short"`
	Lacks   []string           `json:"lacks"`
	Widened map[string]float64 `json:"widened,omitempty"`
	Results []Result           `json:"results"`
}

// Passed reports whether something was asked and every question answered.
func (r Report) Passed() bool { return len(r.Results) > 0 && len(r.Failures()) == 0 }

// Failures are the results that neither passed nor are listed as lacking.
func (r Report) Failures() []Result {
	var failed []Result
	for _, x := range r.Results {
		if !x.Passed && !x.Lacking {
			failed = append(failed, x)
		}
	}
	return failed
}

// Checks lists the whole suite in the order it runs.
func Checks() []Check {
	return slices.Concat(memoryChecks(), pointwiseChecks(), convChecks(), adjointChecks(),
		headChecks(), normChecks(), randomChecks(), updateChecks(), moveChecks(), chainChecks(), passChecks(), windowChecks(), mistakeChecks())
}

// Suite puts the checks to a device, one after the other, on the caller's goroutine.
// A panic of the device fails the check at hand and the suite goes on.
func Suite(dev backend.Device, opt Options) Report {
	report := newReport(dev, opt)
	for _, c := range Checks() {
		if opt.Stop != nil && opt.Stop() {
			return report
		}
		if strings.Contains(c.Path(), opt.Only) {
			report.add(ask(dev, c, opt), opt)
		}
	}
	if r := lackingUnknown(opt.Lacks); r.Message != "" {
		report.add(r, opt)
	}
	return report
}

// TB is what Run needs of *testing.T.
type TB[T any] interface {
	Helper()
	Run(name string, f func(T)) bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Run opens a device, puts the suite to it with a subtest for every check, and closes
// it. It returns the report, so that a caller can compare digests of two devices.
func Run[T TB[T]](t T, open func() (backend.Device, error), opt Options) Report {
	t.Helper()
	dev, err := open()
	if err != nil {
		t.Fatalf("open device: %v", err)
	}
	report := newReport(dev, opt)
	t.Logf("%s; lacks: %v; widened: %v", dev.Name(), opt.Lacks, opt.Widen)
	for _, c := range Checks() {
		if !strings.Contains(c.Path(), opt.Only) {
			continue
		}
		t.Run(c.Path(), func(t T) {
			r := ask(dev, c, opt)
			report.add(r, opt)
			switch {
			case r.Lacking:
				t.Logf("lacking")
			case !r.Passed:
				t.Errorf("%s", r.Message)
			}
		})
	}
	if r := lackingUnknown(opt.Lacks); r.Message != "" {
		t.Errorf("%s", r.Message)
	}
	if err := dev.Close(); err != nil {
		t.Errorf("close device: %v", err)
	}
	return report
}

func newReport(dev backend.Device, opt Options) Report {
	return Report{Device: dev.Name(), Info: dev.Info(), Short: opt.Short, Lacks: append([]string{}, opt.Lacks...), Widened: opt.Widen}
}

func (r *Report) add(x Result, opt Options) {
	r.Results = append(r.Results, x)
	if opt.Observe != nil {
		opt.Observe(x)
	}
}

// ask runs one check and turns whatever happens into a result.
func ask(dev backend.Device, c Check, opt Options) Result {
	if _, windower := dev.(backend.Windower); slices.Contains(opt.Lacks, c.Path()) || slices.Contains(opt.Lacks, c.Group) || c.Group == windowGroup && !windower {
		return Result{Group: c.Group, Name: c.Name, Lacking: true}
	}
	p := newProbe(dev, opt)
	start := time.Now()
	p.guard(func() { c.Run(p) })
	p.guard(p.finish)
	return Result{
		Group: c.Group, Name: c.Name, Passed: len(p.faults) == 0,
		MaxError: finite(p.worst.err), Ratio: finite(p.worst.ratio), Place: p.worst.place,
		Seconds: time.Since(start).Seconds(), Digest: fmt.Sprintf("%016x", p.digest),
		Message: strings.Join(p.faults, "\n"),
	}
}

// finite makes a number fit for JSON, which has neither infinity nor NaN.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.MaxFloat64
	}
	return x
}

// lackingUnknown fails when Options.Lacks names no check, so that a stale list shows.
func lackingUnknown(lacks []string) Result {
	known := map[string]bool{}
	for _, c := range Checks() {
		known[c.Group], known[c.Path()] = true, true
	}
	r := Result{Group: "options", Name: "lacks"}
	for _, l := range lacks {
		if !known[l] {
			r.Message += fmt.Sprintf("%q is listed as lacking and is no check; ", l)
		}
	}
	return r
}

// blame is the first frame outside the runtime and this package on the stack of a
// panic: the place in the device where it happened.
func blame() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") && !strings.Contains(f.Function, "jem/backend.") && !strings.Contains(f.Function, "backendtest.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "backendtest"
		}
	}
}
