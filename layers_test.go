package jem_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// listed is what go list says of a package. Test files don't count.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct
	Deps       []string // direct and indirect
}

// refusal says that a package must not depend on others, and why. A name ending in /...
// stands for a package and all below it.
type refusal struct {
	who      string   // packages of this module, without the module's name; "." is its root, the library
	except   []string // of those
	mustNot  []string // packages of any module; this module's begin with jem/
	allowed  []string // exceptions to mustNot
	indirect bool     // through other packages neither
	why      string
}

// questions are the packages of eval that each answer one; the rest of eval is beneath them.
var questions = []string{"eval/ood", "eval/calibration", "eval/robust", "eval/quality", "eval/chains"}

// aboveStep is what may use everything below.
var aboveStep = []string{"jem/eval/...", "jem/bench/...", "jem/experiments/...", "jem/sweep", "jem/toy/...", "jem/cmd/..."}

var refusals = append([]refusal{
	{"backend/philox", nil, []string{"jem/...", "external"}, nil, true,
		"the definition of the random numbers stands on its own"},
	{"backend", nil, []string{"jem/...", "external"}, []string{"jem/backend/philox"}, true,
		"the contract knows neither devices nor libraries"},
	{"backend/backendtest", nil, []string{"jem/...", "external", "testing"}, []string{"jem/backend", "jem/backend/philox"}, true,
		"the suite puts questions to the contract, and is linked into the program for jem selftest"},
	{"backend/trace", nil, []string{"jem/...", "external"}, []string{"jem/backend", "jem/backend/philox"}, true,
		"a device that only records knows the contract alone"},
	{"backend/cpu/...", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/cpu/...", "jem/backend/philox"}, true,
		"a device knows operations, not networks or training"},
	{"backend/cpu/...", nil, []string{"C", "external"}, []string{"golang.org/x/sys/..."}, true,
		"the CPU device needs no C library and nothing but CPUID from outside"},
	{"cuda/...", nil, []string{"jem/..."}, []string{"jem/backend", "jem/cuda/...", "jem/kernels", "jem/backend/philox"}, true,
		"a device knows operations, not networks or training"},
	{"kernels", nil, []string{"jem/...", "external"}, nil, true,
		"compiled kernels are data"},
	{"comm/...", nil, []string{"jem/..."}, []string{"jem/comm/...", "jem/internal/fault"}, true,
		"ranks exchange numbers, whatever they mean"},
	{"model", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/philox"}, true,
		"the model is mathematics above the contract: no sampler, no training, no device, no files"},
	{"sampler", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/philox"}, true,
		"the sampler follows anything that has a gradient of a log-density, not this model"},
	{"optim", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/philox"}, true,
		"an optimiser moves tensors, whatever network they are of"},
	{"internal/...", nil, []string{"jem/..."}, []string{"jem/internal/...", "jem/backend/philox"}, true,
		"internal holds what knows no device and no network"},
	{"config/settings", nil, []string{"jem/..."}, nil, true,
		"how settings are read and named does not depend on which there are"},
	{"config", nil, []string{"jem/..."}, []string{"jem/config/...", "jem/model", "jem/sampler", "jem/optim", "jem/backend", "jem/backend/philox", "jem/internal/..."}, true,
		"a configuration is resolved before any image is read or device opened"},
	{"feed/...", nil, []string{"jem/predict/...", "jem/train/...", "jem/eval/...", "jem/bench/...", "jem/experiments/...", "jem/sweep", "jem/cmd/..."}, nil, true,
		"images are read in one way whatever becomes of them"},
	{"predict/...", nil, append([]string{"jem/train/..."}, aboveStep...), nil, true,
		"who only wants a network's answers, a service for example, links no trainer and no attack"},
	{"serve/...", nil, []string{"jem/train/...", "jem/eval/...", "jem/bench/...", "jem/experiments/...", "jem/sweep", "jem/cmd/..."}, nil, true,
		"a service answers: what it is worth was measured before, and verdicts come to it as an interface"},
	{"serve/batch", nil, []string{"jem/serve/...", "net/http", "external"}, nil, false,
		"who shares a device knows no protocol"},
	{"eval/attack", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/philox", "jem/sampler", "jem/internal/..."}, true,
		"attacks are algorithms that know no run"},
	{"eval/inception", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/philox", "jem/internal/..."}, true,
		"the judge of samples is a network that knows no run"},
	{"eval/...", nil, []string{"jem/train/...", "jem/bench/...", "jem/experiments/...", "jem/sweep", "jem/cmd/..."}, nil, true,
		"what a network is worth does not depend on how it was trained"},
	{"train/step", nil, []string{"jem/train", "jem/train/journal", "jem/train/session", "jem/train/replay"}, nil, true,
		"a step knows nothing of the course of a run"},
	{"train/...", []string{"train/session"}, []string{"jem/train/session"}, nil, true,
		"who begins a run, and who writes its records, is decided above what runs"},
	{"train/gauges", nil, []string{"jem/train/journal", "jem/train/session", "jem/internal/rundir"}, nil, false,
		"who shows a run to others doesn't know how it is kept"},
	{"train/...", nil, aboveStep, nil, true,
		"nothing imports upward"},
	{"bench/...", nil, []string{"jem/train", "jem/eval/...", "jem/experiments/...", "jem/cmd/..."}, nil, true,
		"what is timed is a step, not a run"},
	{"experiments/...", nil, []string{"jem/cmd/..."}, nil, true,
		"nothing imports upward"},
	{"toy/...", nil, []string{"jem/cmd/...", "jem/experiments/...", "jem/eval/...", "jem/bench/...", "jem/sweep", "jem/train/session", "jem/train/journal"}, nil, true,
		"a demonstration trains as all runs do, and leaves none"},
	{"sweep", nil, []string{"jem/cmd/...", "jem/experiments/...", "jem/eval/...", "jem/bench/..."}, nil, true,
		"a sweep trains runs, and measures nothing that they don't record"},
	{"toy", nil, []string{"jem/toy/page"}, nil, true,
		"what a demonstration finds doesn't depend on how it is shown"},
	{"...", []string{"cmd/...", "backend/cpu/...", "cuda/...", "predict/predicttest", ".", "tensors", "examples/..."}, []string{"jem/backend/cpu/...", "jem/cuda/..."}, nil, true,
		"only the command and the library link a concrete device; everything else takes a backend.Device"},
	{".", nil, []string{"jem/..."}, []string{"jem/predict/...", "jem/feed/...", "jem/config/...", "jem/model", "jem/sampler", "jem/optim", "jem/backend/...", "jem/internal/..."}, true,
		"the library opens a model and asks it: it links no trainer, no attack, no service"},
	{".", nil, []string{"jem/cuda/...", "jem/tensors", "gonum.org/v1/plot/..."}, nil, true,
		"the library draws no charts and needs no driver"},
	{"...", []string{"tensors", "examples/..."}, []string{"jem"}, nil, true,
		"the library is for other programs: ours stand on what is below it"},
	{"tensors", nil, []string{"jem/..."}, []string{"jem"}, false,
		"who has tensors of another library sees what every other program sees"},
	{"examples/...", nil, []string{"jem/..."}, []string{"jem", "jem/tensors"}, false,
		"what an example does, a program elsewhere can do"},
	{"...", []string{"predict/predicttest"}, []string{"jem/predict/predicttest", "jem/feed/feedtest", "jem/internal/mutation", "jem/internal/browsertest", "jem/internal/allocs", "jem/comm/commtest"}, []string{"jem/feed/feedtest"}, false,
		"what serves tests stays out of the program"},
	{"...", []string{"internal/browsertest"}, []string{"github.com/chromedp/..."}, nil, false,
		"a browser is for tests alone, through one package"},
	{"...", []string{"comm/mpi", "comm/nccl", "cuda/..."}, []string{"github.com/ebitengine/purego/..."}, nil, false,
		"whoever opens libraries makes the program a dynamic one: engines and devices with a stub alone, by a build tag"},
	{"...", []string{"cuda/..."}, []string{"gorgonia.org/cu/..."}, nil, false,
		"the CUDA bindings exit without a driver: they stay in the package that has a stub"},
	{"...", []string{"tensors", "examples/..."}, []string{"gorgonia.org/tensor/..."}, nil, true,
		"tensors of another library, and the dozen modules that they bring, are for programs that have such"},
	{"...", []string{"cmd/..."}, []string{"go.uber.org/zap/...", "github.com/urfave/cli/...", "github.com/schollz/progressbar/...", "golang.org/x/term"}, nil, true,
		"the command is the only place that prints, logs and parses arguments"},
	{"...", nil, []string{"gopkg.in/yaml.v2/...", "gopkg.in/yaml.v3/..."}, nil, true,
		"one YAML library, the maintained go.yaml.in/yaml/v3"},
	{"...", []string{"predict/predicttest", "internal/browsertest", "internal/allocs"}, []string{"testing"}, nil, false,
		"test code stays out of the program"},
}, sideways()...)

// sideways keeps the questions apart.
func sideways() (rules []refusal) {
	for i, q := range questions {
		var others []string
		for _, o := range slices.Concat(questions[:i], questions[i+1:]) {
			others = append(others, "jem/"+o)
		}
		rules = append(rules, refusal{q, nil, others, nil, true, "one question knows nothing of another"})
	}
	return rules
}

// TestNamedPackagesExist: a rule about a package that was renamed away guards nothing.
func TestNamedPackagesExist(t *testing.T) {
	all := list(t, "cuda")
	exists := func(pattern string) bool {
		for path := range all {
			if within(path, pattern) {
				return true
			}
		}
		return false
	}
	for _, r := range refusals {
		for _, name := range slices.Concat([]string{r.who}, r.except) {
			if name != "." && !exists("jem/"+name) {
				t.Errorf("a rule names %s, which is gone: %s", name, r.why)
			}
		}
		for _, name := range slices.Concat(r.mustNot, r.allowed) {
			if strings.HasPrefix(name, "jem/") && !exists(name) {
				t.Errorf("the rule on %s names %s, which is gone: %s", r.who, name, r.why)
			}
		}
	}
}

// TestLayers asserts the import picture of the design, in every build that exists.
func TestLayers(t *testing.T) {
	for _, tags := range []string{"", "cuda", "mpi", "cuda,mpi"} {
		t.Run("tags_"+tags, func(t *testing.T) {
			all := list(t, tags)
			checkRefusals(t, all, refusals)
		})
	}
}

// TestLayersNotice plants a forbidden import for every refusal: a rule that cannot fail is
// none.
func TestLayersNotice(t *testing.T) {
	for _, r := range refusals {
		dep := strings.TrimSuffix(strings.Replace(r.mustNot[0], "jem/...", "jem/nowhere", 1), "/...")
		p := listed{ImportPath: "jem/" + strings.Replace(strings.TrimSuffix(r.who, "/..."), "...", "model", 1), Imports: []string{dep}, Deps: []string{dep}}
		if len(violations(map[string]listed{p.ImportPath: p, dep: {ImportPath: dep}}, []refusal{r})) != 1 {
			t.Errorf("%s importing %s goes unnoticed", p.ImportPath, dep)
		}
	}
}

func checkRefusals(t *testing.T, all map[string]listed, rules []refusal) {
	t.Helper()
	for _, v := range violations(all, rules) {
		t.Error(v)
	}
}

// violations lists the packages that depend on what they must not.
func violations(all map[string]listed, rules []refusal) []string {
	var found []string
	for _, r := range rules {
		for _, p := range all {
			name, ours := strings.CutPrefix(p.ImportPath, "jem/")
			if p.ImportPath == "jem" {
				name, ours = ".", true
			}
			if !ours || !within(name, r.who) || anyWithin(name, r.except) {
				continue
			}
			deps := p.Imports
			if r.indirect {
				deps = p.Deps
			}
			for _, d := range deps {
				if d != p.ImportPath && refused(all[d], d, r.mustNot) && !anyWithin(d, r.allowed) {
					found = append(found, p.ImportPath+" depends on "+d+": "+r.why)
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// refused reports whether a dependency is in the list; external is any package that is
// neither this module's nor the standard library's.
func refused(p listed, path string, list []string) bool {
	external := !p.Standard && !within(path, "jem/...") && path != "C"
	return anyWithin(path, list) || external && slices.Contains(list, "external")
}

func within(path, pattern string) bool {
	below, tree := strings.CutSuffix(pattern, "...")
	below = strings.TrimSuffix(below, "/")
	return path == pattern || tree && (below == "" || path == below || strings.HasPrefix(path, below+"/"))
}

func anyWithin(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return within(path, p) })
}

// list asks go list for all packages of the module and what they depend on. Nothing is
// compiled, so the cuda build is listed without CUDA.
func list(t *testing.T, tags string) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Deps", "-tags", tags, "./...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -tags %q: %v\n%s", tags, err, stderr.String())
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list -tags %q: %v", tags, err)
		}
		all[p.ImportPath] = p
	}
	if _, ok := all["jem/backend"]; !ok {
		t.Fatalf("go list -tags %q found no jem/backend among %d packages", tags, len(all))
	}
	return all
}

// TestProgramsPackagesAreListed: the packages that the program is made of, ours and others', stand
// in a file, so that a new one shows in review. JEM_UPDATE=1 writes it anew.
func TestProgramsPackagesAreListed(t *testing.T) {
	const file = "cmd/jem/packages.txt"
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/jem")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	slices.Sort(packages)
	got := strings.Join(packages, "\n") + "\n"
	if os.Getenv("JEM_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	listed := strings.Fields(string(want))
	for _, p := range packages {
		if !slices.Contains(listed, p) {
			t.Errorf("the program now contains %s: if that is meant, JEM_UPDATE=1 go test . writes %s", p, file)
		}
	}
	for _, p := range listed {
		if !slices.Contains(packages, p) {
			t.Errorf("the program no longer contains %s: JEM_UPDATE=1 go test . writes %s", p, file)
		}
	}
}
