package model

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jem/backend"
)

// Config is the shape of a network: a Wide-ResNet as published for JEM, or a multilayer perceptron.
type Config struct {
	Network string  `json:"network,omitempty"` // wide-resnet, also where it is empty; mlp
	Depth   int     `json:"depth"`             // 6n+4; hidden layers of an mlp
	Width   int     `json:"width"`             // widen factor k: stages of 16k, 32k, 64k channels; units of an mlp's hidden layers
	Classes int     `json:"classes"`
	InC     int     `json:"channels"` // image channels: 1 or 3; any number for an mlp
	Size    int     `json:"size"`     // image height and width, a multiple of 8; any for an mlp
	Norm    string  `json:"norm"`     // none, batch, instance, layer; an mlp has none
	Dropout float32 `json:"dropout"`  // within each block, behind each hidden layer; training passes only
	Slope   float32 `json:"slope"`    // LeakyReLU, 0.2 as published
}

// The values of Config.Network.
const (
	WideResNet = "wide-resnet"
	MLP        = "mlp"
)

// Networks are the values of Config.Network.
var Networks = []string{WideResNet, MLP}

// Kind is the network's, by its name in Networks.
func (c Config) Kind() string { return cmp.Or(c.Network, WideResNet) }

// Name is short for kind and size: WRN-28-10, MLP-2-64.
func (c Config) Name() string {
	if c.Network == MLP {
		return fmt.Sprintf("MLP-%d-%d", c.Depth, c.Width)
	}
	return fmt.Sprintf("WRN-%d-%d", c.Depth, c.Width)
}

// Norms are the values of Config.Norm.
var Norms = []string{"none", "batch", "instance", "layer"}

// norms are those that there is something to compute of.
var norms = map[string]backend.NormKind{
	"batch":    backend.BatchNorm,
	"instance": backend.InstanceNorm,
	"layer":    backend.LayerNorm,
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(c.Network == "" || slices.Contains(Networks, c.Network), "unknown network %q: want %s", c.Network, strings.Join(Networks, " or "))
	check(c.Width >= 1, "width %d is below 1", c.Width)
	check(c.Classes >= 2, "%d classes: a classifier needs 2 or more", c.Classes)
	if c.Network == MLP {
		c.perceives(check)
	} else {
		c.convolves(check)
	}
	check(c.Dropout >= 0 && c.Dropout < 1, "dropout rate %v is outside [0,1)", c.Dropout)
	check(c.Slope > 0 && c.Slope <= 1, "LeakyReLU slope %v is outside (0,1]", c.Slope)
	return errors.Join(faults...)
}

// convolves checks what is a Wide-ResNet's own.
func (c Config) convolves(check func(ok bool, format string, args ...any)) {
	check(c.Depth >= 10 && (c.Depth-4)%6 == 0, "depth %d is not 6n+4 with n ≥ 1 (10, 16, 22, 28, …)", c.Depth)
	check(c.InC == 1 || c.InC == 3, "%d image channels: want 1 (grey) or 3 (colour)", c.InC)
	check(c.Size >= 8 && c.Size%8 == 0, "image size %d is not a multiple of 8", c.Size)
	_, known := norms[c.Norm]
	check(known || c.Norm == "none" || c.Norm == "", "unknown norm %q: want none, batch, instance or layer", c.Norm)
}

// perceives checks what is a multilayer perceptron's own.
func (c Config) perceives(check func(ok bool, format string, args ...any)) {
	check(c.Depth >= 1, "%d hidden layers: an mlp has 1 or more", c.Depth)
	check(c.InC >= 1 && c.Size >= 1, "images of %d channels and %d×%d pixels: an mlp needs 1 number or more", c.InC, c.Size, c.Size)
	check(c.Norm == "none" || c.Norm == "", "norm %q: an mlp has none", c.Norm)
}

// Pixels is the number of an image's numbers, C·H·W.
func (c Config) Pixels() int { return c.InC * c.Size * c.Size }

// Features is the number of inputs of the last layer, see Network.Features.
func (c Config) Features() int {
	if c.Network == MLP {
		return c.Width
	}
	return c.stageChannels(2)
}

// Coupled reports whether the norm lets samples of one batch influence each other, so
// that batches of different origin must pass through the network one by one.
func (c Config) Coupled() bool { return c.Norm == "batch" }

// stage s = 0,1,2 has 16·k·2^s channels at size/2^s.
func (c Config) stageChannels(s int) int { return 16 * c.Width << s }

// blocksPerStage is n.
func (c Config) blocksPerStage() int { return (c.Depth - 4) / 6 }

// normKind is the norm's kind, and whether there is one.
func (c Config) normKind() (backend.NormKind, bool) {
	k, ok := norms[c.Norm]
	return k, ok
}
