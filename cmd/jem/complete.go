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
	case len(words) > 0 && isFlag(words[len(words)-1]) && takesValue(command, words[len(words)-1]):
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
	case flag == "class" && c.Name == "sample":
		return []string{"each"}
	case flag == "from" && c.Name == "eval":
		return []string{"buffer", "fresh"}
	}
	list, ok := map[string]func() []string{
		"preset": config.PresetNames, "p": config.PresetNames, "dataset": dataSets,
		"task": list(evalTasks...), "split": list(feed.Splits...), "ood": func() []string { return append(setNames(data.List()), "interp", "uniform", "gaussian") },
		"scores": list(append([]string{"all"}, ood.All...)...), "protocol": list(quality.Protocols...),
		"fid-mode": list(string(inception.TensorFlow), string(inception.PyTorch)),
		"norm":     list(model.Norms...), "format": list(scoreFormats...), "sort": list("class", "logpx"),
		"device": list("cpu", "cuda"), "cpu-isa": list("generic", "avx2", "avx512"), "conv-algo": list("auto", "direct", "winograd"),
		"precision": list("fp32", "bf16", "tf32"), "precision-scope": list("chain", "all"), "conv-engine": list("auto", "graph", "legacy"),
		"checkpoint": list(predict.LatestCheckpoint, predict.BestCheckpoint), "golden": list(builtIn),
		"rule": list(ood.Ruling...), "scale": list("smoke", "small", "paper"), "log-format": list("console", "json"), "log-level": list("debug", "info", "warn", "error"),
	}[flag]
	if !ok {
		return nil
	}
	return list()
}

func list(all ...string) func() []string { return func() []string { return all } }

func dataSets() []string { return append(setNames(data.List()), data.Folder) }

func setNames(of []data.Listing) (all []string) {
	for _, l := range of {
		all = append(all, l.Name)
	}
	return all
}
