//go:build cuda && linux && amd64

package cuda_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/cu"
	cudnn "gorgonia.org/cu/dnn"

	"jem/cuda"
	"jem/cuda/sim/control"
)

var libraryCall = regexp.MustCompile(`^(cu[A-Z]|cudnn[A-Z])`)

func binary(t *testing.T) *elf.File {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// imported lists the functions of driver and cuDNN that this binary asks the loader for: all
// that the bindings know.
func imported(t *testing.T) []string {
	t.Helper()
	symbols, err := binary(t).ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range symbols {
		if libraryCall.MatchString(s.Name) {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// called lists those of them that this program calls: those that short runs are seen to call,
// and those named in our own C code.
func called(t *testing.T) []string {
	t.Helper()
	known := imported(t)
	control.Reset()
	for _, engine := range []string{"graph", "legacy"} {
		if err := shortRun(cuda.Options{ConvEngine: engine}); err != nil {
			t.Fatal(err)
		}
	}
	ours := scan(t, `\b((?:cu|cudnn)[A-Z]\w*)\(`, "internal/*/*.c", "internal/*/*.go")
	return slices.DeleteFunc(known, func(name string) bool {
		return control.Count(name) == 0 && !slices.Contains(ours, strings.TrimSuffix(name, "_v2"))
	})
}

// scan lists the first groups of all matches in files.
func scan(t *testing.T, pattern string, globs ...string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	for _, glob := range globs {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				found = append(found, m[1])
			}
		}
	}
	return found
}

// The stand-ins have a body for every function of driver and cuDNN that this program calls; all
// others refuse by name.
func TestStandinsImplementWhatIsCalled(t *testing.T) {
	bodies := scan(t, `(?m)^(?:EXPORT )?(?:int|void|size_t|cudnnStatus_t|const char \*) ?((?:cu|cudnn)[A-Z]\w*)\(`, "sim/*.cpp")
	if len(bodies) == 0 {
		t.Skip("the stand-ins' sources are not here")
	}
	onStandin(t)
	calls := called(t)
	for _, name := range calls {
		if !slices.Contains(bodies, name) {
			t.Errorf("%s is called and not simulated", name)
		}
	}
	if len(calls) < 60 {
		t.Errorf("only %d functions are called: %v", len(calls), calls)
	}
}

// The shims take a descriptor's handle to be the first field of the binding's type.
func TestHandlesComeFirst(t *testing.T) {
	for _, v := range []any{cu.Function{}, cudnn.Context{}, cudnn.TensorDescriptor{}, cudnn.Filter{}, cudnn.Convolution{}} {
		if f := reflect.TypeOf(v).Field(0); f.Name != "internal" && f.Name != "fn" || f.Type.Size() != 8 {
			t.Errorf("%T begins with %s %s", v, f.Name, f.Type)
		}
	}
}
