// Package settings fills a struct from layers: YAML documents and path=value options, the
// later winning. It is strict: a key that the struct doesn't have, a value of the wrong
// type or a key given twice is a fault, and all faults of all layers are reported together,
// each with its place and the nearest key that exists.
//
// A field takes part if it has a yaml tag. Nested structs are groups; the path of a field
// is the tags from the top joined with dots, as in train.batch. Leaves are strings,
// booleans, integers, floats and slices of these.
//
// The package does not know what the settings mean.
package settings

import (
	"fmt"
	"reflect"
	"strings"
)

// Key describes one leaf.
type Key struct {
	Path  string `json:"path"`
	Type  string `json:"type"`  // as Want says it: "a whole number", …
	Value any    `json:"value"` // the field's own value
}

// Keys lists the leaves of v, a struct or a pointer to one, in the order of its fields.
func Keys(v any) []Key {
	t := newTable(v)
	keys := make([]Key, len(t.paths))
	for i, p := range t.paths {
		field := t.leaves[p]
		keys[i] = Key{Path: p, Type: want(field.Type()), Value: field.Interface()}
	}
	return keys
}

// Change is a leaf whose value differs between two structs.
type Change struct {
	Path string `json:"path"`
	From any    `json:"from"`
	To   any    `json:"to"`
}

// Diff lists the leaves that differ between two structs of one type, in field order.
// A nil slice equals an empty one.
func Diff(from, to any) []Change {
	a, b := Keys(from), Keys(to)
	var changes []Change
	for i := range a {
		if fmt.Sprint(a[i].Value) != fmt.Sprint(b[i].Value) {
			changes = append(changes, Change{Path: a[i].Path, From: a[i].Value, To: b[i].Value})
		}
	}
	return changes
}

// Differing lists the leaves in which structs of one type are not all alike, in field order.
func Differing[T any](all []T) (paths []string) {
	if len(all) == 0 {
		return nil
	}
	differ := map[string]bool{}
	for _, one := range all[1:] {
		for _, c := range Diff(all[0], one) {
			differ[c.Path] = true
		}
	}
	for _, k := range Keys(all[0]) {
		if differ[k.Path] {
			paths = append(paths, k.Path)
		}
	}
	return paths
}

// table finds the fields of a struct by path.
type table struct {
	paths  []string // of the leaves, in field order
	leaves map[string]reflect.Value
	groups []string
}

func newTable(v any) *table {
	t := &table{leaves: map[string]reflect.Value{}}
	t.add("", reflect.Indirect(reflect.ValueOf(v)))
	return t
}

func (t *table) add(prefix string, group reflect.Value) {
	for i := range group.NumField() {
		name, _, _ := strings.Cut(group.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		path, field := join(prefix, name), group.Field(i)
		if field.Kind() == reflect.Struct {
			t.groups = append(t.groups, path)
			t.add(path, field)
			continue
		}
		t.paths = append(t.paths, path)
		t.leaves[path] = field
	}
}

// leaf is the field at a path below a group, found without a table of all: training asks in each step. The zero
// Value where there is none.
func leaf(group reflect.Value, path string) reflect.Value {
	name, rest, below := strings.Cut(path, ".")
	for i := range group.NumField() {
		if tag, _, _ := strings.Cut(group.Type().Field(i).Tag.Get("yaml"), ","); tag != name {
			continue
		}
		if !below {
			return group.Field(i)
		}
		return leaf(group.Field(i), rest)
	}
	return reflect.Value{}
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}
