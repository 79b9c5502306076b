package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/config/settings"
)

func configCommand() *cli.Command {
	return parent(&cli.Command{
		Name:  "config",
		Usage: "show settings and presets",
		Subcommands: []*cli.Command{
			leaf(&cli.Command{
				Name:        "show",
				Usage:       "print the configuration that train would use, as a file for --config",
				Description: examples("", "jem config show --preset fashion-demo > mine.yaml", "jem config show --preset cifar10-small --diff"),
				Flags:       append(configFlags(), &cli.BoolFlag{Name: "diff", Usage: "print only what differs from the default"}, jsonFlag),
				Action:      showConfig,
			}),
			leaf(&cli.Command{
				Name:        "presets",
				Usage:       "list the presets",
				Description: examples("", "jem config presets"),
				Flags:       []cli.Flag{jsonFlag},
				Action:      listPresets,
			}),
		},
	})
}

func showConfig(c *cli.Context) error {
	cfg, err := configOf(c)
	if err != nil {
		return err
	}
	diff := settings.Diff(config.Default(), cfg)
	switch {
	case c.Bool("diff") && c.Bool("json"):
		return printJSON(c, append([]settings.Change{}, diff...))
	case c.Bool("diff"):
		var rows []string
		for _, d := range diff {
			rows = append(rows, fmt.Sprintf("%s\t%v → %v", d.Path, d.From, d.To))
		}
		return printTable(c, rows...)
	case c.Bool("json"):
		return printJSON(c, settings.Keys(cfg))
	}
	text, err := config.Document(cfg)
	if err == nil {
		_, err = fmt.Fprint(c.App.Writer, text)
	}
	return err
}

// preset is one line of the list.
type preset struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func listPresets(c *cli.Context) error {
	var all []preset
	var rows []string
	for _, name := range config.PresetNames() {
		about := config.PresetAbout(name)
		all = append(all, preset{name, about})
		first, _, _ := strings.Cut(about, "\n")
		rows = append(rows, name+"\t"+first)
	}
	if c.Bool("json") {
		return printJSON(c, all)
	}
	return printTable(c, rows...)
}
