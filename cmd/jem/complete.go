package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/eval/inception"
	"jem/eval/ood"
	"jem/eval/quality"
	"jem/eval/robust"
	"jem/experiments"
	"jem/feed"
	"jem/internal/data"
	"jem/model"
	"jem/predict"
)

// completing is what the shells' scripts call the program with, after the words up to the
// cursor; the last of them is the one being written, maybe empty.
const completing = "--generate-bash-completion"

// complete prints what may stand at the cursor of a command line, a line each: values of the
// flag before it, flags, commands, or names that an argument may have. Nothing means files.
func complete(w io.Writer, app *cli.App, args []string) {
	args = args[:len(args)-1]
	if len(args) < 2 {
		args = append(args, "")
	}
	before, current := args[:len(args)-1], args[len(args)-1]
	command, words := descend(app, before)
	for _, s := range candidates(app, command, words, current) {
		if strings.HasPrefix(s, current) {
			fmt.Fprintln(w, s)
		}
	}
}

// candidates are what may follow a command and its words.
func candidates(app *cli.App, command *cli.Command, words []string, current string) []string {
	switch {
	case command == nil && isFlag(current):
		return flagNames(app.Flags)
	case command == nil:
		return commandNames(app.Commands)
	case len(command.Subcommands) > 0:
		return commandNames(command.Subcommands)
	case len(words) > 0 && takesValue(command, words[len(words)-1]):
		return values(command, strings.TrimLeft(words[len(words)-1], "-"))
	case isFlag(current) || command.ArgsUsage == " ":
		return flagNames(command.Flags)
	case command.ArgsUsage == "NAME":
		return setNames(slices.DeleteFunc(data.Downloads(), data.Listing.Drawn)) // there are no files of those
	case command.ArgsUsage == "ID":
		return append([]string{"all"}, strings.Split(experiments.IDs(), ", ")...)
	}
	return nil
}

func commandNames(commands []*cli.Command) (all []string) {
	for _, c := range commands {
		all = append(all, c.Name)
	}
	return all
}

func flagNames(flags []cli.Flag) (all []string) {
	for _, f := range flags {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		for _, n := range f.Names() {
			if len(n) > 1 {
				all = append(all, "--"+n)
			}
		}
	}
	return all
}

// values are those of a flag that has a list of them.
func values(c *cli.Command, flag string) []string {
	switch {
	case flag == "norm" && c.Name == "attack":
		return []string{"linf", "l2"}
	case flag == "attack" && c.Name == "attack":
		return robust.Kinds
	case flag == "format" && c.Name != "score":
		return gridFormats
	case flag == "class" && c.Name == "sample":
		return []string{"each"}
	case flag == "from" && c.Name != "attack": // where it names a run
		return []string{"buffer", "fresh"}
	}
	return map[string][]string{
		"preset": config.PresetNames(), "p": config.PresetNames(), "dataset": append(setNames(data.List()), data.Folder),
		"task": evalTasks, "split": feed.Splits, "ood": append(setNames(data.List()), "interp", "uniform", "gaussian"),
		"scores": append([]string{"all"}, ood.All...), "rule": ood.Ruling, "protocol": quality.Protocols,
		"fid-mode": {string(inception.TensorFlow), string(inception.PyTorch)},
		"norm":     model.Norms, "format": scoreFormats, "sort": {"class", "logpx"},
		"device": {"cpu", "cuda"}, "cpu-isa": {"generic", "avx2", "avx512"}, "conv-algo": {"auto", "direct", "winograd"},
		"precision": {"fp32", "bf16", "tf32"}, "precision-scope": {"chain", "all"}, "conv-engine": {"auto", "graph", "legacy"},
		"checkpoint": {predict.LatestCheckpoint, predict.BestCheckpoint}, "golden": {builtIn}, "weights": weightsKinds,
		"scale": {"smoke", "small", "paper"}, "log-format": {"console", "json"}, "log-level": {"debug", "info", "warn", "error"},
	}[flag]
}

func setNames(of []data.Listing) (all []string) {
	for _, l := range of {
		all = append(all, l.Name)
	}
	return all
}
