package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/config/settings"
)

// shortcut is a flag for a setting that the paper or its script has a name for.
type shortcut struct{ flag, path, help string }

// shortcuts in the order of the help. The official script's name is in brackets.
var shortcuts = []shortcut{
	{"dataset", "data.name", "data set [dataset]"},
	{"data-dir", "data.dir", "folder of the published files, or of your own pictures [data_root]"},
	{"batch", "train.batch", "images a batch [batch_size]"},
	{"epochs", "train.epochs", "epochs [n_epochs]"},
	{"steps", "train.steps", "stop after so many training steps"},
	{"init", "train.init", "begin with the weights of this run, checkpoint or file (.pt, .pth, .safetensors)"},
	{"lr", "optim.lr", "learning rate [lr]"},
	{"sgld-steps", "sampler.steps", "SGLD steps K a training step [n_steps]"},
	{"sgld-step-size", "sampler.step_size", "SGLD step size α [sgld_lr]"},
	{"sgld-noise", "sampler.noise", "SGLD noise's standard deviation σ [sgld_std]"},
	{"reinit-prob", "sampler.reinit", "probability that a chain starts afresh [reinit_freq]"},
	{"buffer-size", "sampler.buffer", "images of the replay buffer [buffer_size]"},
	{"seed", "seed", "seed of all random numbers [seed]"},
	{"device", "device.name", "cpu or cuda"},
	{"cpu-isa", "device.cpu_isa", "instruction set: generic, avx2 or avx512; default: the best"},
	{"threads", "device.threads", "threads; 0: as many as jem devices says"},
	{"conv-algo", "device.conv_algo", "convolutions on the CPU: auto, direct or winograd"},
	{"precision", "device.precision", "convolutions: fp32, bf16 (a CPU with AVX512_BF16, a GPU) or tf32 (a GPU)"},
	{"precision-scope", "device.precision_scope", "where that holds: chain (sampling) or all"},
	{"conv-engine", "device.conv_engine", "of cuDNN: auto, graph or legacy"},
	{"workspace-limit", "device.workspace_limit", "working memory of a convolution on a GPU, MiB"},
}

// category is the section of the help. Flags of a device are those of every command.
func (s shortcut) category() string {
	switch {
	case s.flag == "conv-engine" || s.flag == "workspace-limit":
		return onGPU
	case strings.HasPrefix(s.path, "device."):
		return onDevice
	}
	return "Settings by their names in the paper"
}

// skipBadFlag is of every command that reads pictures.
var skipBadFlag = &cli.BoolFlag{Name: "skip-bad", Usage: "pass over pictures that can't be read, with a note: data.skip_bad"}

// configFlags are those of commands that resolve a configuration.
func configFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "preset", Aliases: []string{"p"}, Usage: "start from this preset; jem config presets lists them"},
		&cli.StringSliceFlag{Name: "config", Aliases: []string{"c"}, Usage: "then read settings from a YAML `FILE`; may be repeated, the later wins"},
		&cli.StringSliceFlag{Name: "set", Usage: "then set one, as in --set optim.lr=1e-3; may be repeated"},
		skipBadFlag,
	}
	for _, s := range shortcuts {
		flags = append(flags, in(s.category(), &cli.StringFlag{Name: s.flag, Usage: s.help + ": " + s.path})...)
	}
	return append(flags, in(onGPU, timeEnginesFlag, noGraphFlag)...)
}

// configOf resolves a command's configuration: default, preset, files, shortcuts, --set.
func configOf(c *cli.Context) (config.Config, error) {
	layers, err := layers(c)
	if err != nil {
		return config.Config{}, err
	}
	return config.Load(c.String("preset"), layers...)
}

// configOver is config on top of a run's configuration, in which a preset counts as a whole.
func configOver(c *cli.Context, saved config.Config) (config.Config, error) {
	if c.IsSet("preset") {
		return configOf(c)
	}
	text, err := config.Document(saved)
	if err != nil {
		return saved, err
	}
	over, err := layers(c)
	if err != nil {
		return saved, err
	}
	return config.Load("", append([]settings.Layer{settings.YAML("the run's config.yaml", []byte(text))}, over...)...)
}

// layers are the settings of files, shortcuts and --set, in this order.
func layers(c *cli.Context) ([]settings.Layer, error) {
	var layers []settings.Layer
	for _, name := range c.StringSlice("config") {
		l, err := settings.File(name)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	for _, s := range shortcuts {
		if c.IsSet(s.flag) {
			layers = append(layers, settings.Option("--"+s.flag, s.path+"="+c.String(s.flag)))
		}
	}
	if c.Bool(skipBadFlag.Name) {
		layers = append(layers, settings.Option("--"+skipBadFlag.Name, "data.skip_bad=true"))
	}
	if c.Bool(timeEnginesFlag.Name) {
		layers = append(layers, settings.Option("--"+timeEnginesFlag.Name, "device.time_engines=true"))
	}
	if c.Bool(noGraphFlag.Name) {
		layers = append(layers, settings.Option("--"+noGraphFlag.Name, "device.graph=false"))
	}
	for _, text := range c.StringSlice("set") {
		layers = append(layers, settings.Option("--set", text))
	}
	return layers, nil
}
