package experiments

import (
	"fmt"
	"slices"
	"strings"
)

// Scale is how large the trainings and the measurements of an experiment are.
type Scale string

// The scales. Only Paper can be compared with the paper's numbers.
const (
	Smoke Scale = "smoke" // minutes in all, on generated images: does everything work?
	Small Scale = "small" // about eight hours of training in all on two CPU cores, two of them for the paper's own tables; published images
	Paper Scale = "paper" // the published configuration
)

// Scales lists them, the smallest first.
func Scales() []Scale { return []Scale{Smoke, Small, Paper} }

// ParseScale reads a scale's name.
func ParseScale(name string) (Scale, error) {
	if !slices.Contains(Scales(), Scale(name)) {
		return "", fmt.Errorf("unknown scale %q: want smoke, small or paper", name)
	}
	return Scale(name), nil
}

// preset is the recipe that the scale's runs differ from.
func (s Scale) preset() string {
	return map[Scale]string{Smoke: "smoke", Small: "study", Paper: "cifar10"}[s]
}

// Label is the sentence that every table of the scale carries.
func (s Scale) Label() string {
	switch s {
	case Smoke:
		return "SCALED DOWN (smoke): tiny networks, seconds of training, few images. It shows that the program works; no number here means anything."
	case Small:
		return "SCALED DOWN (small): WRN-10-2 or smaller and 5 SGLD steps on a CPU instead of WRN-28-10 and 20, a fraction of the paper's epochs. " +
			"Differences between our own rows are the result; those to the paper mostly measure the scale."
	}
	return "Full scale: the paper's network, sampler and epochs."
}

// pick returns the value of a scale.
func pick[T any](s Scale, smoke, small, paper T) T {
	switch s {
	case Smoke:
		return smoke
	case Small:
		return small
	}
	return paper
}

// names joins scales for messages.
func names[T ~string](list []T) string {
	var all []string
	for _, v := range list {
		all = append(all, string(v))
	}
	return strings.Join(all, ", ")
}
