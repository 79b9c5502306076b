package kernels

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSignatures: every argument is of a known type and the names are unique.
func TestSignatures(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range All() {
		if seen[k.Name] {
			t.Errorf("%s is listed twice", k.Name)
		}
		seen[k.Name] = true
		for _, a := range k.Args {
			scalar := slices.Contains([]Type{I32, I64, U32, U64, F32}, a.Type) && a.Elem == ""
			pointer := a.Type == Pointer && slices.Contains([]string{"f32", "bf16", "i32", "key"}, a.Elem)
			if !scalar && !pointer {
				t.Errorf("%s: argument %q: type %d, element %q", k.Name, a.Name, a.Type, a.Elem)
			}
		}
	}
}

func find(t *testing.T, name string) Kernel {
	t.Helper()
	for _, k := range All() {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no kernel %s", name)
	return Kernel{}
}

func TestPack(t *testing.T) {
	k := find(t, "conv_forward_tail_bf16")
	got := k.Pack(nil, uint64(1<<40), uintptr(0), uint64(3), uint64(0), uint64(0), 7, -1, float32(0.2))
	want := []uint64{1 << 40, 0, 3, 0, 0, 7, math.MaxUint32, uint64(math.Float32bits(0.2))}
	if !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestPackRefuses(t *testing.T) {
	k := find(t, "axpy_f32")
	for name, args := range map[string][]any{
		"too few":             {uint64(1), uint64(2), 3},
		"zero pointer":        {uint64(1), uint64(0), 3, float32(1)},
		"float64 for float32": {uint64(1), uint64(2), 3, 1.0},
		"integer as pointer":  {uint64(1), 2, 3, float32(1)},
	} {
		if !panics(func() { k.Pack(nil, args...) }) {
			t.Errorf("%s: packed", name)
		}
	}
	if !panics(func() { find(t, "linear").Pack(nil, uint64(1), uint64(1), uint64(1), uint64(1), 1<<31, 1, 1) }) {
		t.Error("2³¹ as i32: packed")
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestLaunch: the grids cover the work, without a block too many.
func TestLaunch(t *testing.T) {
	for _, c := range []struct {
		rule        Rule
		sizes       []int
		grid, block [3]uint32
	}{
		{One, nil, [3]uint32{1, 1, 1}, [3]uint32{1, 1, 1}},
		{Quads, []int{1}, [3]uint32{1, 1, 1}, [3]uint32{256, 1, 1}},
		{Quads, []int{1024}, [3]uint32{1, 1, 1}, [3]uint32{256, 1, 1}},
		{Quads, []int{1025}, [3]uint32{2, 1, 1}, [3]uint32{256, 1, 1}},
		{Elements, []int{257}, [3]uint32{2, 1, 1}, [3]uint32{256, 1, 1}},
		{Stream, []int{3 * 1024 * 4, 3, 1024}, [3]uint32{4, 1, 1}, [3]uint32{256, 1, 1}},
		{Stream, []int{3 * 1023 * 4, 3, 1023}, [3]uint32{12, 1, 1}, [3]uint32{256, 1, 1}},
		{Stream, []int{1025, 1, 1025}, [3]uint32{2, 1, 1}, [3]uint32{256, 1, 1}},
		{Warps, []int{9}, [3]uint32{2, 1, 1}, [3]uint32{256, 1, 1}},
		{Blocks, []int{9}, [3]uint32{9, 1, 1}, [3]uint32{256, 1, 1}},
		{Tiles, []int{5, 1025}, [3]uint32{5, 2, 1}, [3]uint32{256, 1, 1}},
		{Planes, []int{5, 33}, [3]uint32{5, 2, 1}, [3]uint32{32, 8, 1}},
		{Columns, []int{257, 33}, [3]uint32{2, 2, 1}, [3]uint32{32, 8, 1}},
		{Columns, []int{1 << 20, 1}, [3]uint32{256, 1, 1}, [3]uint32{32, 8, 1}},
		{Parts, []int{4097}, [3]uint32{2, 1, 1}, [3]uint32{256, 1, 1}},
		{Parts, []int{1 << 30}, [3]uint32{1024, 1, 1}, [3]uint32{256, 1, 1}},
	} {
		if g := c.rule.Launch(c.sizes...); g.Grid != c.grid || g.Block != c.block {
			t.Errorf("rule %d of %v: %v, want %v × %v", c.rule, c.sizes, g, c.grid, c.block)
		}
	}
	if !panics(func() { Quads.Launch(0) }) || !panics(func() { Planes.Launch(3) }) || !panics(func() { Blocks.Launch(1 << 31) }) {
		t.Error("a wrong launch was not refused")
	}
}

var list = flag.String("list", "", "write the names of all kernels to this file, for scripts/kernels-check.sh")

// TestListed: every source exports what the table lists, and nothing else.
func TestListed(t *testing.T) {
	var listed, exported []string
	for _, k := range All() {
		listed = append(listed, k.Name)
	}
	sources, err := filepath.Glob("*.cu")
	if err != nil || len(sources) == 0 {
		t.Fatalf("sources: %v, %v", sources, err)
	}
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^EXPORTED(?:_FULL)? (\w+)\(`).FindAllSubmatch(source, -1) {
			exported = append(exported, string(m[1]))
		}
	}
	slices.Sort(listed)
	slices.Sort(exported)
	if !slices.Equal(listed, exported) {
		t.Errorf("families.go lists\n%q\nthe sources export\n%q", listed, exported)
	}
	if *list != "" {
		if err := os.WriteFile(*list, []byte(strings.Join(listed, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
