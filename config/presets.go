package config

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jem/config/settings"
	"jem/internal/fault"
	"jem/model"
)

// presetFiles are the presets, each a YAML file with what is special about it: the
// difference from Default, or from the preset that it extends.
//
//go:embed presets/*.yaml
var presetFiles embed.FS

// extends is the key by which a preset names its parent.
const extends = "extends"

// Default is the configuration that presets and files start from: CIFAR-10 as the paper
// trains it (Grathwohl et al. 2020), the preset cifar10.
func Default() Config {
	return Config{
		Seed:      1,
		Data:      Data{Name: "cifar10", Ground: "white", Valid: 5000, ByClass: true, Noise: 0.03, EvalNoise: true, Crop: 4, Flip: true, Strong: "none", LabelsPerClass: -1},
		Model:     Model{Network: model.WideResNet, Depth: 28, Width: 10, Norm: "none", Slope: 0.2},
		Objective: Objective{PX: 1, PYX: 1},
		Sampler:   Sampler{Steps: 20, StepSize: 1, Noise: 0.01, StepDecay: 1, NoiseDecay: 1, Buffer: 10000, Reinit: 0.05, Start: "uniform"},
		Attack:    Negative{Start: "labeled", Label: "labeled", Climb: "cross_entropy", Move: "sign", Steps: 10, StepSize: 4. / 255, Keep: "linf", Radius: 16. / 255, AUC: 0.8, Window: 8},
		Dream:     Negative{Start: "outliers", Label: "data", Climb: "logit", Move: "unit", Steps: 10, StepSize: 0.2, Keep: "box", AUC: 0.8, Window: 8},
		Optim: Optim{
			Name: "adam", LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Momentum: 0.9,
			Warmup: 1000, DecayEpochs: []int{50, 100}, DecayRate: 0.3,
		},
		SAM:   SAM{Every: 1},
		Train: Loop{Batch: 64, Epochs: 150, LogEvery: 10, Best: BestAccuracy, KeepLast: 2, KeepEvery: 10, MaxLoss: 1e8},
		Guard: Guard{
			MaxGap: 100, MaxLogPx: 1e6, MaxGrad: 1e6, MaxPixel: 100, Saturation: 0.99, Spike: 20, Window: 100,
			Budget: 5, Period: 1000, Suspect: 100, LRFactor: 0.5,
		},
		Device: Device{Name: "cpu", ConvAlgo: "auto", Precision: "fp32", PrecisionScope: "chain", ConvEngine: "auto", WorkspaceLimit: 256, Graph: true},
	}
}

// PresetNames lists the presets in alphabetical order.
func PresetNames() []string {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	slices.Sort(names)
	return names
}

// Preset returns a preset's configuration. An unknown name is a *settings.Error.
func Preset(name string) (Config, error) {
	layers, err := presetLayers(name)
	if err != nil {
		return Config{}, err
	}
	return Load("", layers...)
}

// Load resolves a configuration: Default, the preset unless its name is empty, then the
// layers, the later winning. All faults, of reading as of the values, come as one
// *settings.Error.
func Load(preset string, layers ...settings.Layer) (Config, error) {
	c := Default()
	if preset != "" {
		parents, err := presetLayers(preset)
		if err != nil {
			return c, err
		}
		layers = slices.Concat(parents, layers)
	}
	var bad, invalid, idle *settings.Error
	errors.As(settings.Apply(&c, layers...), &bad)
	errors.As(Validate(c), &invalid)
	errors.As(c.overruled(layers), &idle)
	return c, settings.Join(bad, invalid, idle)
}

// earlier is what runs did before there was a setting for it: their config.yaml lacks it.
const earlier = "data: {ground: black, by_class: false}"

// LoadRun resolves the configuration that a run was saved with, by this program or an earlier one.
func LoadRun(saved settings.Layer) (Config, error) {
	return Load("", settings.YAML("runs of earlier programs", []byte(earlier)), saved)
}

// PresetAbout returns the comment at the head of a preset's file: what it is for.
func PresetAbout(name string) string {
	text, err := presetFiles.ReadFile(presetPath(name))
	if err != nil {
		return ""
	}
	var about []string
	for line := range strings.Lines(string(text)) {
		comment, found := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !found {
			break
		}
		about = append(about, strings.TrimPrefix(comment, " "))
	}
	return strings.Join(about, "\n")
}

// presetLayers returns a preset's ancestors and itself, the oldest first.
func presetLayers(name string) ([]settings.Layer, error) {
	var layers []settings.Layer
	for name != "" {
		text, err := presetFiles.ReadFile(presetPath(name))
		if err != nil {
			problem := fmt.Sprintf("unknown preset %s: %s jem config presets lists them", fault.Quote(name), settings.DidYouMean(name, PresetNames()))
			return nil, &settings.Error{Faults: []settings.Fault{{Problem: problem}}}
		}
		layer := settings.YAML("preset "+name, text)
		name, _ = layer.Take(extends)
		layers = append(layers, layer)
	}
	slices.Reverse(layers)
	return layers, nil
}

func presetPath(name string) string { return "presets/" + name + ".yaml" }
