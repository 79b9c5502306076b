package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/backend/backendtest"
	"jem/bench/kernels"
	"jem/bench/timing"
	"jem/comm"
	"jem/config"
	"jem/config/settings"
	"jem/internal/data"
	"jem/internal/data/layout"
	"jem/train/step"
)

// benchFlags are those of both measurements.
func benchFlags(more ...cli.Flag) []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "model", Value: "wrn-16-2", Usage: "network, wrn-DEPTH-WIDTH"},
		&cli.IntFlag{Name: "batch", Value: 64, Usage: "images a batch"},
		&cli.IntFlag{Name: "size", Value: 32, Usage: "pixels of an image's side, a multiple of 8"},
		&cli.IntFlag{Name: "channels", Value: 3, Usage: "of an image: 1 or 3"},
		&cli.IntFlag{Name: "classes", Value: 10, Usage: "of the network"},
		jsonFlag,
	}
	return append(append(flags, more...), deviceFlags()...)
}

func benchCommand() *cli.Command {
	return parent(&cli.Command{
		Name:  "bench",
		Usage: "measure how fast a device trains",
		Subcommands: []*cli.Command{
			leaf(&cli.Command{
				Name:  "step",
				Usage: "time whole training steps on pictures of noise",
				Description: examples("Under mpirun or srun, bin/jem-mpi has all ranks take them together, and tells how long they wait for each other:\n"+
					"mpirun -n 2 bin/jem-mpi bench step --threads 1 --sgld-steps 5",
					"jem bench step --model wrn-16-2 --batch 64 --sgld-steps 20"),
				Flags: benchFlags(
					&cli.IntFlag{Name: "sgld-steps", Value: 20, Usage: "SGLD steps K a training step"},
					&cli.IntFlag{Name: "steps", Value: 5, Usage: "training steps to measure, after one to warm up"},
					rankTimeoutFlag,
				),
				Action: benchStep,
			}),
			benchScoreCommand(),
			growthCommand(),
			scalingCommand(),
			leaf(&cli.Command{
				Name:        "memory",
				Usage:       "tell what memory training takes on the device, without taking it",
				Description: examples("", "jem bench memory --model wrn-28-10 --batch 64", "jem bench memory --model wrn-10-2 --batch 32 --size 64"),
				Flags:       benchFlags(),
				Action:      benched(benchMemory),
			}),
			leaf(&cli.Command{
				Name:        "layers",
				Usage:       "time each distinct convolution of the network in each direction",
				Description: examples("", "jem bench layers --model wrn-16-2 --batch 64"),
				Flags: benchFlags(
					&cli.DurationFlag{Name: "time", Value: 300 * time.Millisecond, Usage: "at least so long for each"},
				),
				Action: benched(benchLayers),
			}),
			leaf(&cli.Command{
				Name:        "kernels",
				Usage:       "time every other operation beside a copy of memory",
				Description: examples("", "jem bench kernels"),
				Flags: append([]cli.Flag{
					&cli.IntFlag{Name: "elements", Value: 1 << 26, Usage: "numbers an operand holds"},
					&cli.DurationFlag{Name: "time", Value: 100 * time.Millisecond, Usage: "at least so long for each"},
					jsonFlag,
				}, deviceFlags()...),
				Action: benchKernels,
			}),
		},
	})
}

// benchConfig is the paper's configuration at the size that the flags say.
func benchConfig(c *cli.Context) (config.Config, error) {
	cfg := config.Default()
	if c.IsSet("steps") && c.Int("steps") < 1 {
		return cfg, usagef(c, "--steps %d: want at least 1", c.Int("steps"))
	}
	if n, err := fmt.Sscanf(c.String("model")+" ", "wrn-%d-%d ", &cfg.Model.Depth, &cfg.Model.Width); n != 2 || err != nil {
		return cfg, usagef(c, "--model %q: want wrn-DEPTH-WIDTH, as in wrn-16-2", c.String("model"))
	}
	switch im := imagesOf(c); {
	case im.Size < 8 || im.Size%8 != 0 || im.Size > data.MaxSide:
		return cfg, usagef(c, "--size %d: want a multiple of 8 up to %d", im.Size, data.MaxSide)
	case im.Channels != 1 && im.Channels != 3:
		return cfg, usagef(c, "--channels %d: want 1 or 3", im.Channels)
	case im.Classes < 2 || im.Classes > layout.MaxClasses:
		return cfg, usagef(c, "--classes %d: want 2 to %d", im.Classes, layout.MaxClasses)
	}
	cfg.Train.Batch = c.Int("batch")
	if c.String("device") != "" { // jem bench scaling opens none
		cfg.Device = deviceOf(c)
	}
	if c.IsSet("sgld-steps") {
		cfg.Sampler.Steps = c.Int("sgld-steps")
	}
	return cfg, config.Validate(cfg)
}

// benchImages are those that a measurement takes.
type benchImages struct {
	Channels int `json:"channels"`
	Size     int `json:"size"`
	Classes  int `json:"classes"`
}

// imagesOf reads benchFlags, or says what commands without them take.
func imagesOf(c *cli.Context) benchImages {
	im := benchImages{Channels: 3, Size: 32, Classes: 10}
	if c.Int("size") != 0 || c.IsSet("size") {
		im = benchImages{c.Int("channels"), c.Int("size"), c.Int("classes")}
	}
	return im
}

func (im benchImages) String() string {
	return fmt.Sprintf("%d×%d×%d, %d classes", im.Channels, im.Size, im.Size, im.Classes)
}

// benched makes an action of a measurement: of benchConfig's configuration, on its device.
func benched(do func(*cli.Context, config.Config, backend.Device) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		cfg, err := benchConfig(c)
		if err != nil {
			return err
		}
		dev, err := openDevice(cfg.Device)
		if err != nil {
			return err
		}
		defer dev.Close()
		return do(c, cfg, dev)
	}
}

// benchStep times steps of one rank, or of all that a launcher has started: the first one tells.
func benchStep(c *cli.Context) error {
	j := jobOf(c)
	if err := j.enlist(c, benchConfig); err != nil {
		return err
	}
	all := comm.NewAccord(context.Background(), j.ranks)
	cfg, err := benchConfig(c)
	if err = all.Check(err); err != nil {
		return err
	}
	dev, err := j.openDevice(cfg.Device)
	if err = all.Check(err); err != nil {
		return err
	}
	defer dev.Close()
	b, err := measured(c, cfg, dev, j.ranks)
	if err != nil || j.ranks.Rank() > 0 {
		return err
	}
	return tellStep(c, cfg, dev, b)
}

// measured are the times; an error of one rank alone ends all.
func measured(c *cli.Context, cfg config.Config, dev backend.Device, ranks comm.Comm) (timing.Result, error) {
	im := imagesOf(c)
	b, err := timing.Together(c.Context, dev, cfg, im.Channels, im.Size, im.Classes, c.Int("steps"), ranks)
	fault, elsewhere := (*settings.Error)(nil), (*comm.ElsewhereError)(nil) // before the steps: all know
	if err != nil && ranks.Size() > 1 && !comm.Lost(err) && !errors.Is(err, context.Canceled) && !errors.As(err, &fault) && !errors.As(err, &elsewhere) {
		err = &comm.AloneError{Err: err}
	}
	return b, err
}

func tellStep(c *cli.Context, cfg config.Config, dev backend.Device, b timing.Result) error {
	im := imagesOf(c)
	if c.Bool("json") {
		return printJSON(c, stepResult{dev.Info(), c.String("model"), im, cfg.Train.Batch, cfg.Sampler.Steps, cfg.Device.Precision, cfg.Device.PrecisionScope, b})
	}
	rows := []string{
		"device\t" + dev.Name(),
		fmt.Sprintf("network\t%s, batch %d, %d SGLD steps", cfg.Model.Name(), cfg.Train.Batch, cfg.Sampler.Steps),
		"images\t" + im.String(),
		fmt.Sprintf("step\t%.3f s (median of %d; %.3f to %.3f)", b.StepSeconds, b.Steps, b.StepMin, b.StepMax),
		fmt.Sprintf("SGLD\t%.3f s of it", b.SGLDSeconds),
		fmt.Sprintf("convolutions\t%.1f %% of it", 100*b.ConvShare),
		fmt.Sprintf("rate\t%.1f GFLOP/s of convolutions over the whole step", b.GFLOPS),
	}
	if b.Ranks > 1 {
		rows = append(rows, fmt.Sprintf("ranks\t%d, of which the first waited %.3f s for the others (%.1f %% of the step)", b.Ranks, b.ExchangeSeconds, 100*b.ExchangeShare))
	}
	if b.Peak > 0 {
		rows = append(rows, "memory\t"+mebibytes(b.Peak)+" on the device at its peak")
	}
	return printTable(c, rows...)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// benchMemory tells the memory of a training step without taking it.
func benchMemory(c *cli.Context, cfg config.Config, dev backend.Device) error {
	im := imagesOf(c)
	f, known, err := timing.Footprint(dev, cfg, im.Channels, im.Size, im.Classes)
	switch {
	case err != nil:
		return err
	case !known:
		return deviceFault(dev.Name() + " doesn't tell the sizes of things")
	case c.Bool("json"):
		return printJSON(c, memoryResult{dev.Info(), c.String("model"), im, cfg.Train.Batch, f.Total(), f})
	}
	return printTable(c,
		"device\t"+dev.Name(),
		fmt.Sprintf("network\t%s, batch %d", cfg.Model.Name(), cfg.Train.Batch),
		"images\t"+im.String(),
		"parameters\t"+mebibytes(f.Parameters)+" with gradient and moments",
		"plans\t"+mebibytes(f.Plans)+" of weights in the kernels' order, sums, working memory",
		"activations\t"+mebibytes(f.Activations)+" with their gradients",
		"replay buffer\t"+mebibytes(f.Buffer),
		"together\t"+mebibytes(f.Total()),
		"copy of the state\t"+mebibytes(f.Copy)+" of the host, in a run: checkpoints are written from it",
	)
}

// memoryResult is a foretold footprint with what it is of.
type memoryResult struct {
	Device backend.Info `json:"device"`
	Model  string       `json:"model"`
	benchImages
	Batch     int            `json:"batch"`
	Bytes     int64          `json:"bytes"` // together
	Footprint step.Footprint `json:"footprint"`
}

// stepResult is a measurement with what was measured.
type stepResult struct {
	Device backend.Info `json:"device"`
	Model  string       `json:"model"`
	benchImages
	Batch     int    `json:"batch"`
	SGLDSteps int    `json:"sgld_steps"`
	Precision string `json:"precision"`       // of convolutions' products
	Scope     string `json:"precision_scope"` // where a precision below fp32 holds
	timing.Result
}

// peaked is a device that can measure the bound on its multiply-adds, in GFLOP/s.
type peaked interface{ Peak() float64 }

func benchLayers(c *cli.Context, cfg config.Config, dev backend.Device) error {
	var layers []kernels.Layer
	im := imagesOf(c)
	for _, l := range backendtest.NetworkConvs(cfg.Model.Depth, cfg.Model.Width, im.Channels, im.Size, cfg.Train.Batch) {
		layers = append(layers, kernels.Layer{Name: l.Name, Count: l.Count, Spec: l.Spec})
	}
	peak := 0.0
	if d, ok := dev.(peaked); ok {
		peak = d.Peak()
	}
	rs, err := kernels.Layers(c.Context, dev, layers, c.Duration("time"), peak)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, struct {
			Device     backend.Info          `json:"device"`
			PeakGFLOPS float64               `json:"peak_gflops,omitempty"`
			Layers     []kernels.LayerResult `json:"layers"`
		}{dev.Info(), peak, rs})
	}
	return printTable(c, layerRows(rs, peak)...)
}

func layerRows(rs []kernels.LayerResult, peak float64) []string {
	rows := []string{"LAYER\tCOUNT\tDIRECTION\tALGORITHM\tms\tGFLOP/s\tOF PEAK"}
	for _, r := range rs {
		share := ""
		if peak > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.PeakShare)
		}
		rows = append(rows, strings.Join([]string{
			r.Layer, fmt.Sprint(r.Count), r.Direction, r.Algorithm, fmt.Sprintf("%.2f", 1000*r.Seconds), fmt.Sprintf("%.1f", r.GFLOPS), share,
		}, "\t"))
	}
	if peak > 0 {
		rows = append(rows, fmt.Sprintf("measured peak of multiply-adds: %.1f GFLOP/s", peak))
	}
	return rows
}

func benchKernels(c *cli.Context) error {
	if c.Int("elements") < 1 {
		return usagef(c, "--elements %d: want at least 1", c.Int("elements"))
	}
	dev, err := openDevice(deviceOf(c))
	if err != nil {
		return err
	}
	defer dev.Close()
	rs, err := kernels.Kernels(c.Context, dev, c.Int("elements"), c.Duration("time"))
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, struct {
			Device  backend.Info           `json:"device"`
			Kernels []kernels.KernelResult `json:"kernels"`
		}{dev.Info(), rs})
	}
	rows := []string{"KERNEL\tMB\tms\tGB/s\tOF A COPY"}
	for _, r := range rs {
		rows = append(rows, fmt.Sprintf("%s\t%.1f\t%.3f\t%.1f\t%.0f %%", r.Kernel, r.Bytes/1e6, 1000*r.Seconds, r.GBs, 100*r.CopyShare))
	}
	return printTable(c, rows...)
}
