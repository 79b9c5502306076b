package torchfile

import (
	"strings"

	"jem/internal/dtype"
)

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

// dict is a dict, an OrderedDict or a Counter. Keys are whatever Python takes for one.
type dict struct {
	keys   []any // in order
	values map[any]any
	depth  int
}

func newDict() *dict { return &dict{values: map[any]any{}, depth: 1} }

// set is a set of Python's, whose elements nobody asks for.
type set struct{}

// long is an integer beyond 64 bits, its bytes in two's complement, the lowest first.
type long string

// other is something that can't be a weight, in words: "a torch.Size".
type other string

// storage is one array of a file, before it is read.
type storage struct {
	key   string
	kind  dtype.Type
	count int64
	at    int64 // its first byte in the file, known once it has been found there
}

// tensor is a view of a storage.
type tensor struct {
	*storage
	offset        int64 // elements
	shape, stride []int64
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

// what says in words what a value is.
func what(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64, long, float64:
		return "a number"
	case string:
		return "a text"
	case global:
		return "a " + strings.Replace(string(v), " ", ".", 1)
	case other:
		return string(v)
	case *tensor:
		return "a tensor of " + v.kind.Name
	case *storage:
		return "a storage of " + v.kind.Name
	case *dict:
		return "an empty dict"
	case *list:
		return "a list"
	case *set:
		return "a set"
	}
	return "a tuple"
}
