package torchfile

import "strings"

// The values of the machine are nil, bool, int64, float64, string and the types below.

type global string // an allowed name, as "torch FloatStorage"

type tuple struct {
	items []any
	depth int
}

type list struct {
	items []any
	depth int
}

// dict is a dict or an OrderedDict. Keys are strings and int64.
type dict struct {
	keys   []any // in order
	values map[any]any
	depth  int
}

func newDict() *dict { return &dict{values: map[any]any{}, depth: 1} }

// storage is one array of a file, before it is read.
type storage struct {
	key   string
	kind  element
	count int64
	at    int64 // its first byte in the file, known once it has been found there
}

// tensor is a view of a storage.
type tensor struct {
	*storage
	offset        int64 // elements
	shape, stride []int64
}

// The names that a file may use, and nothing else.
const (
	orderedDict   = global("collections OrderedDict")
	rebuildTensor = global("torch._utils _rebuild_tensor_v2")
)

// lookup returns an allowed global. What isn't allowed is never looked for anywhere.
func lookup(module, name string) (global, bool) {
	g := global(module + " " + name)
	_, isStorage := g.storageType()
	return g, g == orderedDict || g == rebuildTensor || isStorage
}

// storageType is the element type of torch.FloatStorage and its like.
func (g global) storageType() (element, bool) {
	name, ok := strings.CutPrefix(string(g), "torch ")
	e, known := elements[name]
	return e, ok && known
}

// depth is how deeply values are nested in v.
func depth(v any) int {
	switch v := v.(type) {
	case *tuple:
		return v.depth
	case *list:
		return v.depth
	case *dict:
		return v.depth
	}
	return 0
}
