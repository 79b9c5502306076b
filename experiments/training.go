package experiments

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/config"
	"jem/config/settings"
)

// Run is something that is trained, as a difference from a recipe: its preset first, then Set,
// then what is special about the scale. Options are those of jem train --set.
type Run struct {
	Name  string // begins its folder's name; tables refer to it
	About string // what it is, for tables
	// Recipe is a preset that has a form for CPUs, NAME-small, of which the smaller scales train;
	// empty: the scale's own.
	Recipe string
	// Begins is a run of as many seeds whose weights this one begins with at Paper; empty: random ones.
	Begins string
	Set    []string
	Smoke  []string
	Small  []string
	Paper  []string
	Seeds  int // 1 to so many; 0: seed 1 alone. At Smoke always that
}

// Training is a run with a seed at a scale: what is trained once and then serves every table.
type Training struct {
	Run    Run
	Seed   uint64
	Scale  Scale
	Config config.Config
	Toy    bool // on generated images
	hash   string
	step   int // of the checkpoint that is measured; 0: the end's
}

// options are the run's differences at a scale.
func (r Run) options(s Scale) []string {
	return slices.Concat(r.Set, pick(s, r.Smoke, r.Small, r.Paper))
}

// preset is what the run differs from at a scale.
func (r Run) preset(s Scale) string {
	if r.Recipe == "" {
		return s.preset()
	}
	return r.Recipe + pick(s, "-small", "-small", "")
}

// seeds lists the run's seeds at a scale; Smoke, whose numbers mean nothing, has one.
func (r Run) seeds(s Scale) []uint64 {
	all := []uint64{1}
	if s == Smoke {
		return all
	}
	for n := 2; n <= r.Seeds; n++ {
		all = append(all, uint64(n))
	}
	return all
}

// trainings resolves a run. Where images and device are is no part of what is trained.
func (r Run) trainings(s Scale, toy bool) ([]Training, error) {
	var all []Training
	for _, seed := range r.seeds(s) {
		layers := []settings.Layer{settings.Option("seed of "+r.Name, fmt.Sprintf("seed=%d", seed))}
		for _, o := range r.options(s) {
			layers = append(layers, settings.Option("run "+r.Name, o))
		}
		cfg, err := config.Load(r.preset(s), layers...)
		if err != nil {
			return nil, err
		}
		if s == Paper {
			cfg.Train.Init = r.Begins // Lab.Train puts the run's folder in its place
		}
		all = append(all, Training{Run: r, Seed: seed, Scale: s, Config: cfg, Toy: toy, hash: identity(cfg, toy)})
	}
	return all, nil
}

// identity names a configuration: two trainings with one identity are the same training.
// It is of what differs from the default, so that a setting that comes later, at a default
// under which nothing changes, leaves it as it is.
func identity(cfg config.Config, toy bool) string {
	var b strings.Builder
	for _, c := range settings.Diff(config.Default(), cfg) {
		if c.Path != "data.dir" && !strings.HasPrefix(c.Path, "device.") {
			fmt.Fprintf(&b, "%s=%v\n", c.Path, c.To)
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%stoy=%t\n", b.String(), toy))
	return hex.EncodeToString(sum[:5])
}

// Folder is the name of the training's run folder.
func (t Training) Folder() string { return fmt.Sprintf("%s-seed%d-%s", t.Run.Name, t.Seed, t.hash) }

// path is the run folder below an output folder: one that is there already for the same
// configuration, under whatever name, else a new one.
func (t Training) path(out string) string {
	runs := filepath.Join(out, "runs")
	entries, _ := os.ReadDir(runs) // none while nothing has been trained
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-"+t.hash) {
			return filepath.Join(runs, e.Name())
		}
	}
	return filepath.Join(runs, t.Folder())
}

// Network describes what is trained.
func (t Training) Network() string {
	m := t.Config.Model
	name := fmt.Sprintf("WRN-%d-%d", m.Depth, m.Width)
	if m.Norm != "none" {
		name += ", " + m.Norm + " norm"
	}
	return name
}

// differences lists what distinguishes the training from its recipe, its seed apart.
func (t Training) differences() ([]string, error) {
	from, err := config.Preset(t.Run.preset(t.Scale))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, c := range settings.Diff(from, t.Config) {
		if c.Path != "seed" && c.Path != "data.dir" && !strings.HasPrefix(c.Path, "device.") {
			all = append(all, fmt.Sprintf("%s=%v", c.Path, c.To))
		}
	}
	return all, nil
}

// samples reports whether the training runs SGLD.
func (t Training) samples() bool { return t.Config.HasChains() }
