package sweep

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jem/config"
	"jem/config/settings"
	"jem/internal/data"
)

// Plan is what a sweep comes to.
type Plan struct {
	Cases []Planned
	Paths []string // the settings in which the cases differ, in the order of the configuration
}

// Planned is a case with its runs, a seed each.
type Planned struct {
	Name     string         `json:"case"`
	Settings map[string]any `json:"settings"` // the values of Plan's Paths
	Runs     []Run          `json:"-"`
}

// Run is a training.
type Run struct {
	Name   string // of its folder, in the sweep's
	Seed   uint64
	Config config.Config
}

// Base resolves a configuration: what every run begins with, on top of a preset that is named instead of
// its own, and then the layers.
type Base func(preset string, layers ...settings.Layer) (config.Config, error)

// maxRuns bounds a sweep: more are a slip of the grid.
const maxRuns = 1000

// unshown are settings that make no difference to what is learned.
var unshown = []string{"seed", "data.dir", "device.threads"}

// NewPlan makes the plan of the cases, each with every combination of the axes' values and with so many seeds: the
// base's and those that follow it. Errors: a *settings.Error for what is no valid configuration, for cases that are
// the same, and for runs that hold no images out, which a table of held-out images can't tell apart.
func NewPlan(base Base, axes []Axis, cases []Case, seeds int) (*Plan, error) {
	if n := product(axes, len(cases), seeds); n > maxRuns {
		return nil, fault("", "", fmt.Sprintf("more than %d runs: want fewer values, cases or seeds", maxRuns))
	}
	all := crossed(cases, axes)
	p, configs, err := &Plan{}, []config.Config{}, error(nil)
	var faults []settings.Fault
	for _, c := range all {
		cfg, failed := base(c.Preset, c.Layers...)
		var invalid *settings.Error
		switch {
		case errors.As(failed, &invalid):
			faults = appendNew(faults, invalid.Faults)
		case failed != nil:
			return nil, failed
		case holdsNoneOut(cfg):
			faults = appendNew(faults, []settings.Fault{{Path: "data.valid", Problem: "0: a sweep is judged by held-out images, for nothing is to be chosen on test images; hold some out"}})
		}
		configs = append(configs, cfg)
	}
	if len(faults) > 0 {
		return nil, &settings.Error{Faults: faults}
	}
	p.Paths = slices.DeleteFunc(settings.Differing(configs), func(path string) bool { return slices.Contains(unshown, path) })
	for i, c := range all {
		p.Cases = append(p.Cases, p.planned(c, configs[i], seeds))
	}
	if err = p.distinct(configs); err != nil {
		return nil, err
	}
	return p, nil
}

// product is the number of runs, or more than maxRuns.
func product(axes []Axis, cases, seeds int) int {
	n := max(1, cases) * seeds
	for _, a := range axes {
		if n *= len(a.Values); n > maxRuns {
			break
		}
	}
	return n
}

func appendNew(all, more []settings.Fault) []settings.Fault {
	for _, f := range more {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

// holdsNoneOut reports whether a run is sure to have no held-out images; own pictures may have a folder of them.
func holdsNoneOut(c config.Config) bool {
	return c.Data.Name != data.Folder && c.Data.Valid == 0 && c.Data.ValidShare == 0
}

// planned gives a case its name and runs.
func (p *Plan) planned(c Case, cfg config.Config, seeds int) Planned {
	one := Planned{Settings: map[string]any{}}
	for _, k := range settings.Keys(cfg) {
		if slices.Contains(p.Paths, k.Path) {
			one.Settings[k.Path] = k.Value
		}
	}
	one.Name = c.called(cfg)
	for i := range uint64(seeds) {
		r := Run{Seed: cfg.Seed + i, Config: cfg}
		r.Config.Seed = r.Seed
		r.Name = fmt.Sprintf("%s-seed%d", folderName(one.Name), r.Seed)
		one.Runs = append(one.Runs, r)
	}
	return one
}

// called is the case's name with the settings that tell it from others, each called by the last part of its
// path where no other setting is; without any it is its preset's. So a case keeps its name when the grid gets more values.
func (c Case) called(cfg config.Config) string {
	last := func(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
	count, value := map[string]int{}, map[string]any{}
	for _, k := range settings.Keys(cfg) {
		count[last(k.Path)]++
		value[k.Path] = k.Value
	}
	var parts []string
	if c.Name != "" {
		parts = append(parts, c.Name)
	}
	for _, path := range c.named {
		name := path
		if count[last(path)] == 1 {
			name = last(path)
		}
		text := strings.ReplaceAll(strings.Trim(fmt.Sprint(value[path]), "[]"), " ", "+") // of a list
		parts = append(parts, name+"="+text)
	}
	return cmp.Or(strings.Join(parts, ","), c.Preset, "base")
}

// longestName bounds the name of a folder, in bytes.
const longestName = 100

// folderName is a case's name as every file system takes it.
func folderName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("=,.+-_", r)) {
			return r
		}
		return '-'
	}, name)
	plain = strings.TrimLeft(plain, ".-=")
	if len(plain) <= longestName && plain == name {
		return plain
	}
	sum := sha256.Sum256([]byte(name)) // what was cut or replaced still tells names apart
	return plain[:min(len(plain), longestName)] + "-" + hex.EncodeToString(sum[:4])
}

// distinct refuses cases that are one configuration, or have one name.
func (p *Plan) distinct(configs []config.Config) error {
	for i, c := range p.Cases {
		for j := range i {
			other := p.Cases[j]
			switch {
			case len(settings.Diff(configs[i], configs[j])) == 0:
				return fault("", "", fmt.Sprintf("cases %d and %d are the same, %s: leave one out", j+1, i+1, c.Name))
			case strings.EqualFold(c.Runs[0].Name, other.Runs[0].Name):
				return fault("", "", fmt.Sprintf("cases %d and %d are both called %s: name them otherwise", j+1, i+1, c.Name))
			}
		}
	}
	return nil
}

// Runs are all of them, in the order of training: all cases with the first seed, then the next seed, so that
// there is early something to compare.
func (p *Plan) Runs() (all []Run) {
	for i := range p.Cases[0].Runs {
		for _, c := range p.Cases {
			all = append(all, c.Runs[i])
		}
	}
	return all
}
