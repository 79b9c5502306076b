package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/backend/cpu"
	"jem/config"
	"jem/cuda"
	"jem/internal/choices"
)

// openCUDA opens the GPU as a configuration says.
func openCUDA(d config.Device) (backend.Device, error) { return openCard(d, 0, false) }

// openCard opens one of the machine's cards, shared with other libraries or not.
func openCard(d config.Device, ordinal int, shared bool) (backend.Device, error) {
	o := cuda.Options{
		Ordinal: ordinal, Shared: shared,
		Precision: d.Precision, Scope: d.PrecisionScope,
		ConvEngine: d.ConvEngine, WorkspaceLimit: d.WorkspaceLimit, NoGraph: !d.Graph,
	}
	memo := &choices.Memo{}
	if d.TimeEngines {
		o.Memo = memo
	}
	dev, err := cuda.Open(o)
	var trouble *cuda.Error
	if err != nil && !errors.As(err, &trouble) {
		return nil, deviceFault(err.Error())
	}
	if err == nil {
		memo.Device = choices.Device(dev.Info())
	}
	return dev, err
}

// deviceExit is the exit code for trouble with the card, 0 for other errors. A lack of memory is
// the configuration's: the card is well, and a second try would ask for as much.
func deviceExit(err error) int {
	var trouble *cuda.Error
	switch {
	case !errors.As(err, &trouble):
		return 0
	case trouble.Memory:
		return exitConfig
	}
	return exitDevice
}

// allowances are what the conformance suite grants a device; nil for the usual.
func allowances(dev backend.Device) map[string]float64 {
	switch dev.Info().Kind {
	case "cpu":
		return cpu.Allowances()
	case "cuda":
		return cuda.Allowances()
	}
	return nil
}

// The settings of a GPU that are switches.
var (
	noGraphFlag     = &cli.BoolFlag{Name: "no-graph", Usage: "on a GPU: launch the steps of sampling chains one by one instead of replaying them"}
	timeEnginesFlag = &cli.BoolFlag{Name: "time-engines", Usage: "on a GPU: time cuDNN's ways to make each convolution once, instead of taking the first that it proposes"}
)

// cudaFlags are those of commands that open a device without a configuration.
func cudaFlags() []cli.Flag {
	return append(in(onDevice,
		&cli.StringFlag{Name: "precision", Value: "fp32", Usage: "convolutions: fp32, bf16 (a CPU with AVX512_BF16, a GPU) or tf32 (a GPU)"},
		&cli.StringFlag{Name: "precision-scope", Value: "chain", Usage: "where that holds: chain (sampling) or all"},
	), in(onGPU,
		&cli.StringFlag{Name: "conv-engine", Value: "auto", Usage: "of cuDNN: auto, graph or legacy"},
		&cli.IntFlag{Name: "workspace-limit", Value: 256, Usage: "working memory of a convolution on a GPU, MiB"},
		timeEnginesFlag, noGraphFlag,
	)...)
}

func readCUDAFlags(c *cli.Context, d *config.Device) {
	d.Precision, d.PrecisionScope, d.ConvEngine = c.String("precision"), c.String("precision-scope"), c.String("conv-engine")
	d.WorkspaceLimit, d.TimeEngines, d.Graph = c.Int("workspace-limit"), c.Bool(timeEnginesFlag.Name), !c.Bool(noGraphFlag.Name)
}
