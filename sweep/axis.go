package sweep

import (
	"fmt"
	"slices"
	"strings"

	"jem/config"
	"jem/config/settings"
)

// Axis is a setting with the values that it takes, one after the other.
type Axis struct {
	Path   string
	Values []string
}

// ParseAxis reads an axis as in optim.lr=1e-3,2e-3. Errors: *settings.Error.
func ParseAxis(where, text string) (Axis, error) {
	path, list, found := strings.Cut(text, "=")
	a := Axis{Path: strings.TrimSpace(path)}
	for _, v := range strings.Split(list, ",") {
		a.Values = append(a.Values, strings.TrimSpace(v))
	}
	problem := ""
	switch {
	case !found || a.Path == "":
		return a, fault(where, "", fmt.Sprintf("%q: want KEY=VALUE,VALUE, as in optim.lr=1e-3,2e-3", text))
	case a.Path == "seed":
		problem = "seeds are no axis: their number is asked for by itself"
	case slices.Contains(a.Values, ""):
		problem = fmt.Sprintf("%q: a value between commas is missing", list)
	case isList(a.Path):
		problem = "is itself a list: name its values in a file of cases"
	}
	if problem != "" {
		return a, fault(where, a.Path, problem)
	}
	return a, nil
}

// isList reports whether a setting is a list, whose values have commas.
func isList(path string) bool {
	for _, k := range settings.Keys(config.Default()) {
		if k.Path == path {
			return strings.HasPrefix(k.Type, "a list")
		}
	}
	return false
}

func fault(where, path, problem string) error {
	return &settings.Error{Faults: []settings.Fault{{Where: where, Path: path, Problem: problem}}}
}

// Case is settings with a name.
type Case struct {
	Name   string // empty: the plan calls it by its settings, as it does with those of axes
	Preset string // to begin with instead of the base's; empty: that one
	Layers []settings.Layer

	named []string // paths of the settings that it is called by
}

// ReadCases reads a YAML file with a list of cases under the key cases: of each the settings, and a name and a
// preset if it has them. Errors: *settings.Error, of the file system.
func ReadCases(name string) ([]Case, error) {
	layers, err := settings.FileList(name, "cases")
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, l := range layers {
		var c Case
		c.Name, _ = l.Take("name")
		c.Preset, _ = l.Take("preset")
		c.Layers = []settings.Layer{l}
		if c.Name == "" {
			c.named = l.Paths()
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fault(name, "cases", "is empty: want at least one case")
	}
	return all, nil
}

// crossed are the cases, each with every combination of the axes' values, the last axis the fastest.
func crossed(cases []Case, axes []Axis) []Case {
	if len(cases) == 0 {
		cases = []Case{{}}
	}
	for _, a := range axes {
		var more []Case
		for _, c := range cases {
			for _, v := range a.Values {
				with := c
				with.Layers = append(slices.Clone(c.Layers), settings.Option("--grid", a.Path+"="+v))
				with.named = append(slices.Clone(c.named), a.Path)
				more = append(more, with)
			}
		}
		cases = more
	}
	return cases
}
