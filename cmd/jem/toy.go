package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/config/settings"
	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/toy"
	toypage "jem/toy/page"
)

// toyFiles are what a demonstration leaves, the page last: where that is, all is. The first, whose name says that it is one, comes before all others.
var toyFiles = []string{"result.json", "config.yaml", "points.csv", "toy.png", "toy.gif", "index.html"}

func toyCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "toy",
		Usage: "train in the plane, in seconds, and show on one page what a joint energy-based model is",
		Description: examples("A small network is trained on points of two coordinates with the objective, sampler and replay buffer of images,\n"+
			"and the same network once more by log p(y|x) alone. The page shows log p(x) and the classes as maps, chains that draw,\n"+
			"and what both networks say far from all data; an animation and a picture go with it.\n"+
			"--data names points that are drawn, or a CSV file with two coordinates and a class a line. For gaussians the true\n"+
			"density is known, and the page says how far log p(x) is from it.",
			"jem toy",
			"jem toy --data spiral --out runs/spiral",
			"jem toy --data points.csv --set sampler.steps=60"),
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "data", Value: "rings", Usage: strings.Join(toy.Sets, ", ") + "; or a CSV `FILE`"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Value: "runs/toy", Usage: "`FOLDER` for the page and what goes with it, new, empty or of an earlier demonstration, which is replaced"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "of points, weights and noise"},
			&cli.StringSliceFlag{Name: "set", Usage: "then set one of the settings, as in --set optim.lr=1e-3; may be repeated"},
			jsonFlag,
		}, deviceFlags(), logFlags()),
		Action: runToy,
	})
}

func runToy(c *cli.Context) error {
	begun := time.Now()
	layers := []settings.Layer{settings.Option("--seed", "seed="+strconv.FormatUint(c.Uint64("seed"), 10))}
	for _, text := range c.StringSlice("set") {
		layers = append(layers, settings.Option("--set "+text, text))
	}
	cfg, err := toy.Settings(layers...)
	if err != nil {
		return err
	}
	cfg.Device = deviceOf(c)
	folder := c.String("out")
	if err := toyPlace(folder); err != nil {
		return err
	}
	data, err := toyData(c, cfg)
	if err != nil {
		return err
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	dev, err := openDevice(cfg.Device)
	if err != nil {
		return err
	}
	defer dev.Close()
	follow := s.follow()
	r, err := toy.Make(c.Context, dev, toy.Options{Data: data, Settings: cfg, Watch: func(what string, done, of int) { follow("training "+what, done, of) }})
	if err != nil {
		return err
	}
	r.Run.Version, r.Run.Total = version().Version, time.Since(begun)
	if err := writeToy(folder, r); err != nil {
		return err
	}
	s.close()
	page := filepath.Join(folder, "index.html")
	if c.Bool("json") {
		return printJSON(c, toySummary(page, r, time.Since(begun)))
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: open it in a browser (made in %.1f s)\n", page, time.Since(begun).Seconds())
	return err
}

// toyPlace refuses a folder that holds anything but an earlier demonstration: nothing beside its files, and these not without
// the first, as points.csv and config.yaml of the user's own would be.
func toyPlace(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	begun := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == toyFiles[0] })
	for _, e := range entries {
		if original, temporary := durable.Original(e.Name()); temporary && slices.Contains(toyFiles, original) || begun && slices.Contains(toyFiles, e.Name()) {
			continue
		}
		return fmt.Errorf("%s holds %s, which is no part of a demonstration: name another folder with --out: %w", fault.Printable(folder), fault.Quote(e.Name()), rundir.ErrExists)
	}
	return nil
}

// toyData draws the points, or reads them.
func toyData(c *cli.Context, cfg config.Config) (toy.Data, error) {
	name := c.String("data")
	if d, ok := toy.Drawn(name, cfg.Seed); ok {
		return d, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return toy.Data{}, usagef(c, "--data %q: want %s or a CSV file, and there is none of that name", name, strings.Join(toy.Sets, ", "))
	case err != nil:
		return toy.Data{}, err
	case !info.Mode().IsRegular(): // a pipe would keep one who opens it
		return toy.Data{}, &fault.Error{Path: name, Kind: fault.ErrBad, Reason: "is no file: --data names a CSV file"}
	}
	file, err := os.Open(name)
	if err != nil {
		return toy.Data{}, err
	}
	defer file.Close()
	d, err := toy.Read(filepath.Base(name), file, cfg.Seed)
	return d, fault.At(name, err)
}

// writeToy writes the files, none before all are made.
func writeToy(folder string, r *toy.Result) error {
	var html, points bytes.Buffer
	if err := toypage.Write(&html, r); err != nil {
		return err
	}
	animation, err := toypage.Animation(r)
	if err != nil {
		return err
	}
	still, err := toypage.Still(r)
	if err != nil {
		return err
	}
	result, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := writePoints(csv.NewWriter(&points), r); err != nil {
		return err
	}
	content := map[string][]byte{"points.csv": points.Bytes(), "config.yaml": r.Run.Settings, "result.json": append(result, '\n'), "toy.png": still, "toy.gif": animation, "index.html": html.Bytes()}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(folder, "index.html")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range toyFiles {
		if err := durable.WriteFile(filepath.Join(folder, name), content[name]); err != nil {
			return err
		}
	}
	return nil
}

// writePoints writes the points as --data reads them, those held out last.
func writePoints(w *csv.Writer, r *toy.Result) error {
	_ = w.Write([]string{"x", "y", "class"}) // Flush tells
	for _, p := range []toy.Points{r.Train, r.HeldOut} {
		for i := range p.X {
			_ = w.Write([]string{strconv.FormatFloat(p.X[i], 'g', -1, 64), strconv.FormatFloat(p.Y[i], 'g', -1, 64), r.Classes[p.Class[i]]})
		}
	}
	w.Flush()
	return w.Error()
}

// toySummary is what --json prints.
func toySummary(page string, r *toy.Result, took time.Duration) any {
	d := struct {
		Page         string   `json:"page"`
		Data         string   `json:"data"`
		Accuracy     float64  `json:"accuracy"`      // on held-out points
		TwinAccuracy float64  `json:"twin_accuracy"` // of the network trained by log p(y|x) alone
		KL           *float64 `json:"kl,omitempty"`  // of the true density from the model, nats
		Seconds      float64  `json:"seconds"`
	}{Page: page, Data: r.Name, Accuracy: r.JEM.Accuracy, TwinAccuracy: r.Twin.Accuracy, Seconds: took.Seconds()}
	if r.Truth != nil {
		d.KL = &r.Truth.KL
	}
	return d
}
