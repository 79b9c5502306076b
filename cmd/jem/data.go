package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"jem/config/settings"
	"jem/internal/data"
	"jem/internal/fault"
)

var dataDirFlag = &cli.StringFlag{Name: "data-dir", Usage: "folder of the published files; default: $" + data.DirEnv + ", the cache, /usr/share/datasets"}

func dataCommand() *cli.Command {
	return parent(&cli.Command{
		Name:  "data",
		Usage: "list, check and download the published image sets, and the weights for FID",
		Subcommands: []*cli.Command{
			leaf(&cli.Command{
				Name:        "list",
				Usage:       "list the sets, and which are here",
				Description: examples("", "jem data list"),
				Flags:       []cli.Flag{dataDirFlag, jsonFlag},
				Action:      listData,
			}),
			leaf(&cli.Command{
				Name:        "verify",
				Usage:       "compare a set's files with the published hashes",
				Description: examples("", "jem data verify cifar10 --data-dir data"),
				Flags:       []cli.Flag{dataDirFlag, jsonFlag},
				Action:      verifyData,
			}, "NAME"),
			leaf(&cli.Command{
				Name:        "fetch",
				Usage:       "download a set from its publisher; an interrupted download goes on where it stopped",
				Description: examples("", "jem data fetch fashion-mnist", "jem data fetch cifar10 --data-dir data --mirror https://mirror.example/cifar/"),
				Flags: append([]cli.Flag{
					dataDirFlag,
					&cli.StringSliceFlag{Name: "mirror", Usage: "try this base URL first; may be repeated"},
					&cli.DurationFlag{Name: "stall", Value: 30 * time.Second, Usage: "turn to the next server when one sends nothing for so long"},
				}, logFlags()...),
				Action: fetchData,
			}, "NAME"),
		},
	})
}

// lookup returns the listing of a command's NAME argument.
func lookup(c *cli.Context) (data.Listing, error) {
	var names []string
	for _, l := range data.Downloads() {
		if l.Name == c.Args().First() && l.Drawn() {
			return l, usagef(c, "%s is drawn by the program: there are no files to fetch or to check", l.Name)
		}
		if l.Name == c.Args().First() {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return data.Listing{}, usagef(c, "no data set %q: %s", c.Args().First(), settings.DidYouMean(c.Args().First(), names))
}

// set is one line of the list.
type set struct {
	Name  string       `json:"name"`
	Title string       `json:"title"`
	Terms string       `json:"terms"`
	Home  string       `json:"home"`
	Files []fileStatus `json:"files"`
}

type fileStatus struct {
	Name   string     `json:"name"`
	Split  data.Split `json:"split"`
	Path   string     `json:"path"`
	State  data.State `json:"state"`
	Detail string     `json:"detail,omitempty"`
}

func statusOf(name, dir string) ([]fileStatus, error) {
	found, err := data.Verify(name, dir)
	all := []fileStatus{}
	for _, s := range found {
		all = append(all, fileStatus{s.File.Name, s.File.Split, s.Path, s.State, s.Detail})
	}
	return all, err
}

func listData(c *cli.Context) error {
	var all []set
	rows := []string{"NAME\tFILES HERE\tWHAT\tTERMS"}
	for _, l := range data.Downloads() {
		files, err := statusOf(l.Name, c.String("data-dir"))
		if err != nil {
			return err
		}
		here := 0
		for _, f := range files {
			if f.State != data.Absent {
				here++
			}
		}
		all = append(all, set{l.Name, l.Title, l.Terms, l.Home, files})
		count := fmt.Sprintf("%d of %d", here, len(files))
		if l.Drawn() {
			count = "needs none"
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s", l.Name, count, l.Title, l.Terms))
	}
	if c.Bool("json") {
		return printJSON(c, all)
	}
	return printTable(c, rows...)
}

// verifyData fails with exit code 65 where a file can't be used.
func verifyData(c *cli.Context) error {
	l, err := lookup(c)
	if err != nil {
		return err
	}
	files, err := statusOf(l.Name, c.String("data-dir"))
	if err != nil {
		return err
	}
	var bad error
	var rows []string
	for _, f := range files {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s", f.Name, f.State, f.Path, f.Detail))
		if bad == nil && f.State == data.Absent && f.Split != data.Extra { // which isn't fetched either
			bad = &fault.Error{Path: f.Name, Kind: fault.ErrMissing, Reason: "not found; jem data fetch " + l.Name + " downloads the set"}
		}
		if bad == nil && f.State == data.Damaged {
			bad = &fault.Error{Path: f.Path, Kind: fault.ErrBad, Reason: f.Detail + "; delete it and run jem data fetch " + l.Name}
		}
	}
	if c.Bool("json") {
		err = printJSON(c, files)
	} else {
		err = printTable(c, rows...)
	}
	if err != nil {
		return err
	}
	return bad
}

func fetchData(c *cli.Context) error {
	l, err := lookup(c)
	if err != nil {
		return err
	}
	stall := c.Duration("stall")
	if stall <= 0 {
		return usagef(c, "--stall %v: want a time above 0, as in 30s", stall)
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	s.log.Info(l.Title + "; terms: " + l.Terms)
	folder, err := data.Fetch(c.Context, l.Name, c.String("data-dir"), s.download, data.FetchOptions{Mirrors: c.StringSlice("mirror"), Stall: stall})
	if err != nil {
		return err
	}
	s.close()
	printPlace(c, folder)
	return nil
}
