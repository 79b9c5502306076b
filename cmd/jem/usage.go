package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config/settings"
	"jem/internal/durable"
)

// usageError is a command line that can't be understood.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// usagef makes a usageError about a command.
func usagef(c *cli.Context, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...) + "; " + c.Command.HelpName + " --help shows what there is"}
}

// parent completes a command whose work is done by its subcommands.
func parent(c *cli.Command) *cli.Command {
	c.Action, c.OnUsageError = group(c.Subcommands), onUsageError
	c.HideHelpCommand = true
	return c
}

// leaf completes a command that works itself, on the arguments named: one in brackets may be
// missing, and the last may be any number if it ends in dots.
func leaf(c *cli.Command, args ...string) *cli.Command {
	c.ArgsUsage, c.OnUsageError, c.HideHelpCommand = strings.Join(args, " "), onUsageError, true
	if len(args) == 0 {
		c.ArgsUsage = " " // else the help promises arguments
	}
	c.CustomHelpTemplate = page(c)
	least := slices.IndexFunc(append(args, "["), func(a string) bool { return a[0] == '[' })
	many := len(args) > 0 && strings.Contains(args[len(args)-1], "...")
	do := c.Action
	c.Action = func(ctx *cli.Context) error {
		switch n := ctx.NArg(); {
		case n < least:
			return usagef(ctx, "%s is missing", args[n])
		case n > len(args) && !many:
			return usagef(ctx, "unexpected argument %q", ctx.Args().Get(len(args)))
		}
		if err := jobOf(ctx).admit(strings.TrimPrefix(ctx.Command.HelpName, ctx.App.HelpName+" ")); err != nil {
			return err
		}
		if err := places(ctx); err != nil {
			return err
		}
		return do(ctx)
	}
	return c
}

// places refuses to write a file where something else is, before the work is done. Files are replaced by
// renaming: a device, or the link /dev/stdout, would be gone.
func places(c *cli.Context) error {
	for _, f := range c.Command.Flags {
		s, ok := f.(*cli.StringFlag)
		if !ok || s.Name != "out" && s.Name != "gif" && s.Name != "metrics-file" || !c.IsSet(s.Name) || !strings.Contains(s.Usage, "`FILE`") {
			continue
		}
		info, err := os.Stat(c.String(s.Name))
		if err != nil {
			continue // none yet, or said when it is written
		}
		if err := durable.CheckRegular(c.String(s.Name), info.Mode()); err != nil {
			return usagef(c, "--%s: %v", s.Name, err)
		}
	}
	return nil
}

// group is the action of a command called without a subcommand, or with one that it
// doesn't have.
func group(commands []*cli.Command) cli.ActionFunc {
	return func(c *cli.Context) error {
		if !c.Args().Present() {
			if c.Command.Name == c.App.Name {
				return cli.ShowAppHelp(c)
			}
			return cli.ShowSubcommandHelp(c)
		}
		var names []string
		for _, sub := range commands {
			names = append(names, sub.Name)
		}
		return usagef(c, "unknown command %q%s", c.Args().First(), settings.Suggest(c.Args().First(), names))
	}
}

// onUsageError says in our words what the flag parser found.
func onUsageError(c *cli.Context, err error, _ bool) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return usagef(c, "%s", err)
	}
	var names []string
	for _, f := range c.Command.Flags {
		for _, n := range f.Names() {
			if len(n) > 1 {
				names = append(names, "--"+n)
			}
		}
	}
	name = "--" + strings.TrimLeft(name, "-")
	return usagef(c, "unknown flag %s%s", name, settings.Suggest(name, names))
}
