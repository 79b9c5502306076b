package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/backend/philox"
	"jem/bench/serving"
	"jem/predict"
	"jem/serve/batch"
)

func benchScoreCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "score",
		Usage: "time a network's answers by the size of the batch, and to many who ask at once",
		Description: examples("The first table is the device's: batches of noise, uploaded, through the network (and back to\n"+
			"the pixels), answers downloaded. The second is of clients who ask about one image each, again as soon as they are\n"+
			"answered: within this process, through the batching of jem serve, and with --url over HTTP to a jem serve that runs.\n"+
			"Everything is measured in turns, --rounds times; rates are of the median round.",
			"jem bench score runs/first",
			"jem bench score runs/first --url http://127.0.0.1:8080"),
		Flags: append(append([]cli.Flag{
			modelFlag("a run's or checkpoint's `FOLDER`, or a .pt, .pth or .safetensors file"),
			&cli.IntSliceFlag{Name: "sizes", Value: cli.NewIntSlice(1, 4, 16, 64), Usage: "images of a batch to measure; repeat the flag for each"},
			&cli.IntSliceFlag{Name: "clients", Value: cli.NewIntSlice(1, 64), Usage: "who ask at once; repeat the flag for each"},
			&cli.DurationFlag{Name: "time", Value: time.Second, Usage: "at least so long for each, a round"},
			&cli.IntFlag{Name: "rounds", Value: 3, Usage: "how often all is measured, in turns"},
			&cli.IntFlag{Name: "max-batch", Value: 64, Usage: "images of a batch of the clients'"},
			&cli.DurationFlag{Name: "max-wait", Value: 2 * time.Millisecond, Usage: "how long an image waits for others"},
			&cli.StringFlag{Name: "url", Usage: "also ask the jem serve at this `URL`, which should serve the same model on the same cores"},
			&cli.StringFlag{Name: "name", Value: "jem", Usage: "what the model is called there"},
			&cli.StringFlag{Name: "token-file", Usage: "a `FILE` with the token that is wanted there, in its first line"},
			jsonFlag, normFlag, sizeFlag, checkpointFlag, weightsFlag,
		}, deviceFlags()...), logFlags()...),
		Action: benchScore,
	}, "[MODEL]")
}

// scoreBench is what jem bench score measures.
type scoreBench struct {
	Device  backend.Info   `json:"device"`
	Subject string         `json:"model"`
	Rounds  int            `json:"rounds"`
	Rates   []serving.Rate `json:"rates"`
	Loads   []scoreLoad    `json:"loads"`

	c     *cli.Context
	b     *batch.Batcher
	image []float32
	token string
}

// scoreLoad is a load with where it was, and beside what the device does.
type scoreLoad struct {
	Where string `json:"where"` // process, http
	serving.Load
	OfDevice float64 `json:"of_device_rate"` // images a second, of the device's rate for batches of max-batch
	OfImage  float64 `json:"of_one_image"`   // the median request, of the device's time for one image
}

func benchScore(c *cli.Context) error {
	if err := benchScoreFlags(c); err != nil {
		return err
	}
	path, err := soleModel(c)
	if err != nil {
		return err
	}
	o, err := optionsOf(c)
	if err != nil {
		return err
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	b, err := batch.Start(func() (backend.Device, *batch.Model, error) {
		dev, err := openDevice(deviceOf(c))
		if err != nil {
			return nil, nil, err
		}
		p, err := openScored(c, s, dev, path, o, func(*predict.Predictor) {})
		return dev, &batch.Model{Predictor: p}, err
	}, batch.Options{Most: c.Int("max-batch"), Wait: c.Duration("max-wait"), Queue: 1 << 20})
	if err != nil {
		return err
	}
	defer b.Close(context.Background())
	r := &scoreBench{Device: b.Model().Device().Info(), Subject: cmp.Or(path, c.String(checkpointFlag.Name)), Rounds: c.Int("rounds"), c: c, b: b}
	if file := c.String("token-file"); file != "" {
		if r.token, err = readToken(file); err != nil {
			return err
		}
	}
	if err := r.measure(); err != nil {
		return err
	}
	return r.print()
}

func benchScoreFlags(c *cli.Context) error {
	for _, f := range []string{"sizes", "clients"} {
		if list := c.IntSlice(f); len(list) == 0 || slices.Min(list) < 1 {
			return usagef(c, "--%s %v: want numbers from 1", f, list)
		}
	}
	if at := c.String("url"); at != "" {
		if u, err := url.Parse(at); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return usagef(c, "--url %q: want that of a service, as http://127.0.0.1:8080", at)
		}
	}
	for _, f := range []string{"rounds", "max-batch"} {
		if c.Int(f) < 1 {
			return usagef(c, "--%s %d: want at least 1", f, c.Int(f))
		}
	}
	return nil
}

// measure takes the rounds.
func (r *scoreBench) measure() error {
	ch, h, w := r.b.Model().Shape()
	r.image = make([]float32, ch*h*w)
	philox.New(1, 0, philox.Test).FillUniform(r.image, -1, 1)
	sizes := slices.Compact(slices.Sorted(slices.Values(append([]int{1, r.b.Most()}, r.c.IntSlice("sizes")...))))
	rates, loads := map[rateKey][]serving.Rate{}, map[loadKey][]serving.Load{}
	for range r.Rounds {
		for _, backward := range []bool{false, true} {
			if err := r.round(sizes, backward, rates, loads); err != nil {
				return err
			}
		}
	}
	r.settle(sizes, rates, loads)
	return nil
}

type rateKey struct {
	images   int
	backward bool
}

type loadKey struct {
	where    string
	clients  int
	backward bool
}

// round measures everything once, forward alone or there and back.
func (r *scoreBench) round(sizes []int, backward bool, rates map[rateKey][]serving.Rate, loads map[loadKey][]serving.Load) error {
	ctx, least := r.c.Context, r.c.Duration("time")
	err := r.b.Do(ctx, func(m *batch.Model) error {
		all, err := serving.Rates(ctx, m.Predictor, sizes, backward, least)
		for _, rate := range all {
			k := rateKey{rate.Images, backward}
			rates[k] = append(rates[k], rate)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, clients := range r.c.IntSlice("clients") {
		ways, err := r.ways(backward, clients)
		if err != nil {
			return err
		}
		for _, way := range ways {
			l, err := serving.Drive(ctx, clients, 1, least, way.ask)
			way.close()
			if err != nil {
				return fmt.Errorf("%d clients, %s: %w", clients, way.where, err)
			}
			k := loadKey{way.where, clients, backward}
			l.Backward = backward
			loads[k] = append(loads[k], l)
		}
	}
	return nil
}

// way is how an image is asked about.
type way struct {
	where string
	ask   func(context.Context) error
	close func()
}

// ways are all of them.
func (r *scoreBench) ways(backward bool, clients int) ([]way, error) {
	all := []way{{"process", func(ctx context.Context) error {
		_, err := r.b.Submit(ctx, r.image, predict.Asked{Mass: backward})
		return err
	}, func() {}}}
	at := r.c.String("url")
	if at == "" {
		return all, nil
	}
	outputs := []string{"logits", "log_px"}
	if backward {
		outputs = append(outputs, "approx_mass")
	}
	ch, h, w := r.b.Model().Shape()
	remote, err := serving.NewRemote(r.c.Context, at, r.c.String("name"), r.token, clients, r.image, [3]int{ch, h, w}, outputs)
	if err != nil {
		return nil, err
	}
	return append(all, way{"http", remote.Ask, remote.Close}), nil
}

// settle takes the median round of each.
func (r *scoreBench) settle(sizes []int, rates map[rateKey][]serving.Rate, loads map[loadKey][]serving.Load) {
	for _, backward := range []bool{false, true} {
		var whole, one serving.Rate
		for _, n := range sizes {
			all := rates[rateKey{n, backward}]
			if len(all) == 0 {
				continue
			}
			m := middle(all, func(a serving.Rate) float64 { return a.PerSecond })
			r.Rates = append(r.Rates, m)
			if n == 1 {
				one = m
			}
			if n == r.b.Most() {
				whole = m
			}
		}
		for _, clients := range r.c.IntSlice("clients") {
			for _, where := range []string{"process", "http"} {
				all := loads[loadKey{where, clients, backward}]
				if len(all) == 0 {
					continue
				}
				m := middle(all, func(a serving.Load) float64 { return a.PerSecond })
				r.Loads = append(r.Loads, scoreLoad{where, m, m.PerSecond / whole.PerSecond, m.P50 / one.Seconds})
			}
		}
	}
}

// middle is the one with the median value.
func middle[T any](all []T, value func(T) float64) T {
	s := slices.SortedFunc(slices.Values(all), func(a, b T) int {
		if value(a) < value(b) {
			return -1
		}
		return 1
	})
	return s[(len(s)-1)/2]
}

func (r *scoreBench) print() error {
	if r.c.Bool("json") {
		return printJSON(r.c, r)
	}
	pass := map[bool]string{false: "forward", true: "forward, gradient"}
	rows := []string{"device\t" + r.b.Model().Device().Name(), "", "BATCH\tPASS\tms\tIMAGES/s"}
	for _, a := range r.Rates {
		rows = append(rows, fmt.Sprintf("%d\t%s\t%.2f\t%.0f", a.Images, pass[a.Backward], 1000*a.Seconds, a.PerSecond))
	}
	rows = append(rows, "", "CLIENTS\tPASS\tWHERE\tIMAGES/s\tOF DEVICE\tp50 ms\tOF ONE IMAGE\tp99 ms")
	for _, l := range r.Loads {
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f", l.Clients, pass[l.Backward], l.Where, l.PerSecond, l.OfDevice, 1000*l.P50, l.OfImage, 1000*l.P99))
	}
	return printTable(r.c, rows...)
}
