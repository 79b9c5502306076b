package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/metrics"
)

// MetricTolerance is the relative error that figures may have: they are computed in float64
// from inputs in decimal, so only the order of sums, root finding and eigenvalues differ.
const MetricTolerance = 1e-6

// Metrics are recorded figures, each entry with its inputs, as in
//
//	{"ood": {"in": [0.2, 0.3], "ood": [0.1, 0.3], "auroc": 0.875, "note": "…"}}
//
// The inputs say which figures an entry may hold: in and ood scores; logits and labels;
// probs of samples; x and y features.
type Metrics struct {
	Name    string
	Entries map[string]map[string]json.RawMessage
}

// Figure is one recorded number beside its repetition.
type Figure struct {
	Entry    string  `json:"entry"` // as in calibration.ece20
	Value    float64 `json:"value"`
	Want     float64 `json:"want"`
	Relative float64 `json:"relative_error"` // |value − want| / |want|; absolute where want is 0
	OK       bool    `json:"ok"`
}

// maxMetrics bounds a file of figures: its inputs are decimal numbers.
const maxMetrics = 256 << 20

// ReadMetrics reads a file of figures. It returns nil without error for JSON of another
// form, such as a recorded step's.
func ReadMetrics(path string) (*Metrics, error) {
	text, err := durable.ReadFile(path, maxMetrics)
	if err != nil {
		return nil, fmt.Errorf("read golden figures: %w", err)
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) != nil {
		return nil, nil
	}
	m := &Metrics{Name: path, Entries: map[string]map[string]json.RawMessage{}}
	for name, raw := range top {
		var entry map[string]json.RawMessage
		switch {
		case json.Unmarshal(raw, &entry) == nil && entry != nil:
			m.Entries[name] = entry
		case !bytes.HasPrefix(raw, []byte(`"`)): // text beside the entries does no harm
			return nil, nil
		}
	}
	if len(m.Entries) == 0 {
		return nil, nil
	}
	return m, nil
}

// Check computes every figure again, entries in the order of their names. A figure that it
// doesn't know is an error, not a success.
func (m *Metrics) Check() ([]Figure, error) {
	var all []Figure
	for _, name := range sortedKeys(m.Entries) {
		figures, err := checkEntry(name, m.Entries[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", m.Name, fault.Short(name), err)
		}
		all = append(all, figures...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: holds no figures", m.Name)
	}
	return all, nil
}

func checkEntry(name string, fields map[string]json.RawMessage) (figures []Figure, err error) {
	r := &record{fields: fields}
	compute, err := r.family()
	if err != nil {
		return nil, err
	}
	for _, key := range sortedKeys(fields) {
		if key == "note" || slices.Contains(r.inputs, key) {
			continue
		}
		want, err := numbers(fields[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fault.Short(key), err)
		}
		got, err := compute(key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fault.Short(key), err)
		}
		if len(got) != len(want) {
			return nil, fmt.Errorf("%s: holds %d numbers, want %d", fault.Short(key), len(want), len(got))
		}
		for i := range got {
			entry := name + "." + key
			if len(got) > 1 {
				entry += "[" + strconv.Itoa(i) + "]"
			}
			figures = append(figures, compare(entry, got[i], want[i]))
		}
	}
	return figures, nil
}

func compare(entry string, got, want float64) Figure {
	e := math.Abs(got - want)
	if want != 0 {
		e /= math.Abs(want)
	}
	return Figure{entry, got, want, e, e <= MetricTolerance}
}

// numbers reads a number or a list of numbers.
func numbers(raw json.RawMessage) ([]float64, error) {
	var one *float64
	if json.Unmarshal(raw, &one) == nil && one != nil {
		return []float64{*one}, nil
	}
	var list []float64
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
		return nil, fmt.Errorf("is neither a number nor a list of numbers")
	}
	return list, nil
}

// computer gives the numbers of a figure by its name.
type computer func(key string) ([]float64, error)

// record is an entry being checked.
type record struct {
	fields map[string]json.RawMessage
	inputs []string // names of the fields that are inputs
}

func (r *record) has(names ...string) bool {
	for _, n := range names {
		if _, ok := r.fields[n]; !ok {
			return false
		}
	}
	r.inputs = names
	return true
}

// family tells from the inputs which figures an entry holds.
func (r *record) family() (computer, error) {
	switch {
	case r.has("in", "ood"):
		return r.detection()
	case r.has("logits", "labels"):
		return r.classification()
	case r.has("probs"):
		p, err := r.table("probs")
		return inception(p), err
	case r.has("x", "y"):
		return r.distances()
	}
	return nil, fmt.Errorf("has none of the known inputs: in and ood, logits and labels, probs, x and y")
}

func (r *record) table(key string) (metrics.Table, error) {
	var rows [][]float64
	if err := json.Unmarshal(r.fields[key], &rows); err != nil {
		return metrics.Table{}, errors.New(fault.Sprintf("%s: %v", key, err))
	}
	t, err := metrics.Rows(rows)
	if err != nil {
		err = fmt.Errorf("%s: %w", fault.Short(key), err)
	}
	return t, err
}

func unknown(key string) error {
	return fmt.Errorf("%s is no figure of these inputs", fault.Short(key))
}

// numbered reads a name such as ece20.
func numbered(key, prefix string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0 && n <= 1e6
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
