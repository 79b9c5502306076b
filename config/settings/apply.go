package settings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxFaults ends the search for faults: a file of another kind has thousands, and a suggestion for
// each takes its time.
const maxFaults = 100

// Apply sets the fields of dst, a pointer to a struct, from the layers in order. On error,
// an *Error with every fault, dst holds what could be set.
func Apply(dst any, layers ...Layer) error {
	if reflect.ValueOf(dst).Kind() != reflect.Pointer {
		panic("settings: Apply needs a pointer")
	}
	t := newTable(dst)
	var all faults
	for _, l := range layers {
		all = append(all, l.faults...)
		seen := map[string]string{}
		closed := "" // mapping already reported, whose keys are no further faults
		for _, e := range l.entries {
			if len(all) >= maxFaults {
				all.add(e.where, "", "too many faults: the rest was not read")
				return all.err()
			}
			if closed != "" && strings.HasPrefix(e.path, closed+".") {
				continue
			}
			if first, twice := seen[e.path]; twice {
				all.add(e.where, e.path, "given twice, first at "+first)
				continue
			}
			seen[e.path] = e.where
			if f := t.set(e); f != "" {
				all.add(e.where, e.path, f)
				if e.group {
					closed = e.path
				}
			}
		}
	}
	return all.err()
}

// set assigns one entry. It returns what is wrong with it.
func (t *table) set(e entry) (problem string) {
	field, known := t.leaves[e.path]
	isGroup := slices.Contains(t.groups, e.path)
	switch {
	case isGroup && (e.group || e.text == "" && !e.list):
		return ""
	case isGroup:
		return e.show() + " is no mapping: want keys below this one"
	case !known && e.group:
		return "unknown group of settings: " + DidYouMean(e.path, t.groups)
	case !known:
		return "unknown key: " + DidYouMean(e.path, t.paths)
	}
	if err := t.value(field, e); err != nil {
		return e.show() + ": want " + want(field.Type())
	}
	return ""
}

func (t *table) value(field reflect.Value, e entry) error {
	switch {
	case e.group:
		return errValue
	case field.Kind() == reflect.Slice && e.list:
		return assignList(field, e.items)
	case field.Kind() == reflect.Slice:
		return assignList(field, splitList(e.text))
	case e.list:
		return errValue
	}
	return assign(field, e.text)
}

// maxShown bounds the part of a value that a message quotes, in bytes.
const maxShown = 80

// show is the value as a message quotes it.
func (e entry) show() string {
	switch {
	case e.group:
		return "a mapping"
	case e.list:
		return "[" + short(strings.Join(e.items[:min(len(e.items), maxShown)], ", ")) + "]"
	case e.text == "":
		return "no value"
	}
	return fmt.Sprintf("%q", short(e.text))
}

// short is the beginning of a long text.
func short(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}
