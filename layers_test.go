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
	who      string   // packages of this module, without the module's name
	except   []string // of those
	mustNot  []string // packages of any module; this module's begin with jem/
	allowed  []string // exceptions to mustNot
	indirect bool     // through other packages neither
	why      string
}

var refusals = []refusal{
	{"internal/philox", nil, []string{"jem/...", "external"}, nil, true,
		"the definition of the random numbers stands on its own"},
	{"backend", nil, []string{"jem/...", "external"}, []string{"jem/internal/philox"}, true,
		"the contract knows neither devices nor libraries"},
	{"backend/backendtest", nil, []string{"jem/...", "external", "testing"}, []string{"jem/backend", "jem/internal/philox"}, true,
		"the suite puts questions to the contract, and is linked into the program for jem selftest"},
	{"backend/cpu/...", nil, []string{"jem/..."}, []string{"jem/backend", "jem/backend/cpu/...", "jem/internal/philox"}, true,
		"a device knows operations, not networks or training"},
	{"backend/cpu/...", nil, []string{"C", "external"}, []string{"golang.org/x/sys/..."}, true,
		"the CPU device needs no C library and nothing but CPUID from outside"},
	{"cuda/...", nil, []string{"jem/..."}, []string{"jem/backend", "jem/cuda/...", "jem/kernels", "jem/internal/philox"}, true,
		"a device knows operations, not networks or training"},
	{"kernels", nil, []string{"jem/...", "external"}, nil, true,
		"compiled kernels are data"},
	{"model", nil, []string{"jem/..."}, []string{"jem/backend", "jem/internal/philox"}, true,
		"the model is mathematics above the contract: no sampler, no training, no device, no files"},
	{"sampler", nil, []string{"jem/..."}, []string{"jem/backend", "jem/internal/philox"}, true,
		"the sampler follows anything that has a gradient of a log-density, not this model"},
	{"internal/...", nil, []string{"jem/train/...", "jem/experiments/...", "jem/cmd/..."}, nil, true,
		"nothing imports upward"},
	{"train/...", nil, []string{"jem/experiments/...", "jem/cmd/..."}, nil, true,
		"nothing imports upward"},
	{"experiments/...", nil, []string{"jem/cmd/..."}, nil, true,
		"nothing imports upward"},
	{"...", []string{"cmd/...", "backend/cpu/...", "cuda/..."}, []string{"jem/backend/cpu/...", "jem/cuda/..."}, nil, true,
		"only the command links a concrete device; everything else takes a backend.Device"},
	{"...", []string{"cuda/..."}, []string{"gorgonia.org/cu/..."}, nil, false,
		"the CUDA bindings exit without a driver: they stay in the package that has a stub"},
	{"backend/...", nil, []string{"gorgonia.org/tensor/..."}, nil, true,
		"host tensors live at the edges, never inside the hot loop"},
	{"model", nil, []string{"gorgonia.org/tensor/..."}, nil, true,
		"host tensors live at the edges, never inside the hot loop"},
	{"sampler", nil, []string{"gorgonia.org/tensor/..."}, nil, true,
		"host tensors live at the edges, never inside the hot loop"},
	{"...", []string{"cmd/..."}, []string{"go.uber.org/zap/...", "github.com/urfave/cli/...", "github.com/schollz/progressbar/...", "golang.org/x/term"}, nil, true,
		"the command is the only place that prints, logs and parses arguments"},
	{"...", nil, []string{"gopkg.in/yaml.v2/...", "gopkg.in/yaml.v3/..."}, nil, true,
		"one YAML library, the maintained go.yaml.in/yaml/v3"},
	{"...", nil, []string{"testing"}, nil, false,
		"test code stays out of the program"},
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
