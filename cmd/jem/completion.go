package main

import (
	_ "embed"
	"fmt"

	"github.com/urfave/cli/v2"
)

//go:embed completion.bash
var bashCompletion string

//go:embed completion.zsh
var zshCompletion string

//go:embed completion.fish
var fishCompletion string

func completionCommand() *cli.Command {
	script := func(name, how, text string) *cli.Command {
		return leaf(&cli.Command{Name: name, Usage: how, Action: func(c *cli.Context) error {
			_, err := fmt.Fprint(c.App.Writer, text)
			return err
		}})
	}
	return parent(&cli.Command{
		Name:  "completion",
		Usage: "print a shell's completion script",
		Subcommands: []*cli.Command{
			script("bash", "source <(jem completion bash)", bashCompletion),
			script("zsh", "source <(jem completion zsh)", zshCompletion),
			script("fish", "jem completion fish | source", fishCompletion),
		},
	})
}

func manCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "man",
		Usage: "print the manual page, as in jem man > jem.1",
		Action: func(c *cli.Context) error {
			page, err := c.App.ToManWithSection(1)
			if err == nil {
				_, err = fmt.Fprint(c.App.Writer, page)
			}
			return err
		},
	})
}
