package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/eval/ood"
	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
	"jem/predict/weights"
	"jem/serve"
	"jem/serve/batch"
	servepage "jem/serve/page"
)

func serveCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "serve",
		Usage: "answer over HTTP what a model says of images: class, log p(x), a verdict; and a page to try it",
		Description: examples("MODEL is a run, a checkpoint, or a file of weights (.pt, .pth, .safetensors).\n"+
			"Programs ask by the Open Inference Protocol (REST, with binary tensors): docs/serving.md. People open the address.\n"+
			"--rule adds a verdict, fitted on the images that the run held out; probabilities are at the temperature that suits\n"+
			"those best, if --temperature doesn't name one.\n"+
			"A newer checkpoint of the run is opened when it is there, without a pause.\n"+
			"SIGTERM or Ctrl-C ends it: what was asked is answered, and the exit code is 0. A device that fails ends it with 69.",
			"jem serve runs/first",
			"jem serve runs/first --rule px --false-alarms 0.05 --unknown textures",
			"jem serve model.pt --listen 0.0.0.0:8080 --token-file token"),
		Flags: slices.Concat([]cli.Flag{
			modelFlag("a run's or checkpoint's `FOLDER`, or a .pt, .pth or .safetensors file"),
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8080", Usage: "where to answer, `HOST:PORT`; without HOST this machine alone; port 0: any that is free"},
			&cli.StringFlag{Name: "name", Value: "jem", Usage: "of the model in the protocol's paths"},
			&cli.StringFlag{Name: "token-file", Usage: "answer only who knows the token in `FILE`, its first line"},
			&cli.StringSliceFlag{Name: "host", Usage: "answer only to this name, besides localhost and the address of --listen; may be repeated; default: any name, on this machine's own addresses localhost alone"},
			&cli.StringFlag{Name: "rule", Usage: "say what is unusual by this score: " + strings.Join(ood.Ruling, ", ")},
			&cli.Float64Flag{Name: "false-alarms", Value: 0.05, Usage: "share of usual images that --rule may call unusual"},
			&cli.Float64Flag{Name: "temperature", Usage: "that probabilities are at; 1: the network's own; default: fitted on held-out images, 1 where there are none"},
			&cli.StringSliceFlag{Name: "unknown", Usage: "a set that isn't the run's, `NAME`, see jem eval --task ood: the page shows where its log p(x) lies; may be repeated"},
			&cli.IntFlag{Name: "limit", Value: 1000, Usage: "held-out images, and of each unknown set, that log p(x) is compared with"},
			&cli.IntFlag{Name: "max-batch", Value: 32, Usage: "images that the device takes at once"},
			&cli.DurationFlag{Name: "max-wait", Value: 2 * time.Millisecond, Usage: "the longest that a request waits for others while the device is idle"},
			&cli.IntFlag{Name: "queue", Value: 512, Usage: "images that may wait; who asks then gets 429"},
			&cli.IntFlag{Name: "max-images", Value: 256, Usage: "images of a request"},
			&cli.IntFlag{Name: "max-body", Value: 64, Usage: "MiB of a request"},
			&cli.DurationFlag{Name: "reload", Value: 10 * time.Second, Usage: "how often to look for a newer checkpoint of the run; 0: never"},
			&cli.DurationFlag{Name: "drain", Value: 30 * time.Second, Usage: "the longest that the end waits for answers"},
			&cli.BoolFlag{Name: "no-access-log", Usage: "don't log each answer, only those of 500 and more"},
			jsonFlag, normFlag, sizeFlag, checkpointFlag, weightsFlag, dataDirFlag,
		}, deviceFlags(), logFlags()),
		Action: runServe,
	}, "[MODEL]")
}

// service is a jem serve in this process.
type service struct {
	c     *cli.Context
	s     *screen
	path  string
	o     weights.Options
	fit   served
	http  *serve.Server
	batch *batch.Batcher
}

func runServe(c *cli.Context) error {
	path, err := soleModel(c)
	if err != nil {
		return err
	}
	options, err := serveOptions(c)
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
	l, err := openPort(c, "listen")
	if err != nil {
		return err
	}
	defer l.Close()
	options.Hosts = hostsOf(c, l)
	options.Answered = accessLog(c, s)
	v := &service{c: c, s: s, path: path, o: o, http: serve.New(options),
		fit: served{rule: c.String("rule"), falseAlarms: c.Float64("false-alarms"), temperature: c.Float64("temperature"), unknown: c.StringSlice("unknown"), limit: c.Int("limit")}}
	return v.run(l)
}

// serveOptions checks the flags and reads what they say of the server.
func serveOptions(c *cli.Context) (o serve.Options, err error) {
	for _, f := range []string{"max-batch", "queue", "max-images", "max-body", "limit"} {
		if c.Int(f) < 1 {
			return o, usagef(c, "--%s %d: want at least 1", f, c.Int(f))
		}
	}
	if c.Int("max-body") > math.MaxInt32 { // of MiB: more than any machine has
		return o, usagef(c, "--max-body %d: want MiB", c.Int("max-body"))
	}
	for _, f := range []string{"max-wait", "reload", "drain"} {
		if c.Duration(f) < 0 {
			return o, usagef(c, "--%s %s: want 0 or more", f, c.Duration(f))
		}
	}
	switch name := c.String("name"); {
	case name == "" || strings.ContainsAny(name, "/?#%") || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }):
		return o, usagef(c, "--name %q: want letters, digits and signs that a path may have", name)
	case c.IsSet("temperature") && !(c.Float64("temperature") > 0 && c.Float64("temperature") < 1e6):
		return o, usagef(c, "--temperature %g: want a number above 0", c.Float64("temperature"))
	case c.Int("queue") < c.Int("max-images"):
		return o, usagef(c, "--queue %d: want at least --max-images, %d, or such a request could never wait", c.Int("queue"), c.Int("max-images"))
	}
	if err := checkRule(c); err != nil {
		return o, err
	}
	o = serve.Options{Name: c.String("name"), Program: version().Version, Body: int64(c.Int("max-body")) << 20, Images: c.Int("max-images")}
	if file := c.String("token-file"); file != "" {
		o.Token, err = readToken(file)
	}
	return o, err
}

// readToken is a file's first line.
func readToken(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return "", &fault.Error{Path: file, Kind: fault.ErrMissing, Reason: "there is no such file: --token-file names one with the token in its first line"}
	} else if err != nil {
		return "", err
	}
	token, _, _ := strings.Cut(string(text), "\n")
	if token = strings.TrimSpace(token); len(token) < 8 {
		return "", &fault.Error{Path: file, Kind: fault.ErrBad, Reason: fmt.Sprintf("its first line has %d characters: a token has 8 or more, as openssl rand -hex 16 makes them", len(token))}
	}
	return token, nil
}

// hostsOf are the names by which the service may be called; none: by any. On an address of this machine alone only names
// that can mean it: else a page elsewhere could give its own name that address, and ask.
func hostsOf(c *cli.Context, l net.Listener) []string {
	given := c.StringSlice("host")
	at := l.Addr().(*net.TCPAddr).IP
	if len(given) == 0 && !at.IsLoopback() {
		return nil
	}
	all := append([]string{"localhost", "127.0.0.1", "::1"}, given...)
	if !at.IsUnspecified() {
		all = append(all, at.String())
	}
	return all
}

// brief is the beginning of what a client wrote, for a line of the log.
func brief(text string) string {
	const most = 256
	if len(text) > most {
		return escape(text[:most]) + "…"
	}
	return escape(text)
}

// accessLog logs answers.
func accessLog(c *cli.Context, s *screen) func(serve.Answered) {
	quiet := c.Bool("no-access-log")
	return func(a serve.Answered) {
		fields := []zap.Field{
			zap.String("method", brief(a.Method)), zap.String("path", brief(a.Path)), zap.Int("status", a.Status), zap.Int64("bytes", a.Bytes), zap.Int("images", a.Images),
			zap.Duration("took", a.Took), zap.String("from", a.From), zap.String("agent", brief(a.Agent)),
		}
		if a.Fault != nil {
			fields = append(fields, zap.String("fault", escape(a.Fault.Error())))
		}
		switch {
		case a.Panic != nil:
			s.log.Error("answered", append(fields, zap.ByteString("panic", a.Panic))...)
		case a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable:
			s.log.Error("answered", fields...)
		case !quiet:
			s.log.Info("answered", fields...)
		}
	}
}

// run opens the model, answers until the context ends, and closes.
func (v *service) run(l net.Listener) (err error) {
	c := v.c
	v.batch, err = batch.Start(v.open, batch.Options{Most: c.Int("max-batch"), Wait: c.Duration("max-wait"), Queue: c.Int("queue"), Watch: v.http.Watch})
	if errors.Is(err, context.Canceled) && c.Context.Err() != nil {
		return nil // told to end before anybody could ask
	} else if err != nil {
		return err
	}
	hearWhileItComputes()
	v.http.Serve(v.batch)
	server := &http.Server{
		Handler: v.http, ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	if err := v.tell(l); err != nil {
		return errors.Join(err, server.Close(), v.batch.Close(context.Background()))
	}
	following, stop := context.WithCancel(c.Context)
	defer stop()
	followed := make(chan struct{})
	go func() { defer close(followed); v.follow(following) }()
	select {
	case err = <-ended: // the port is gone
	case <-v.batch.Broken(): // whoever watches the process starts another one
		v.broke(v.batch.Err())
	case <-c.Context.Done():
	}
	stop()
	<-followed
	return errors.Join(err, v.end(server))
}

// hearWhileItComputes lets as many threads run Go code at the same time as do already and as many again. Those of the device keep
// theirs for as long as a batch takes, and who asks meanwhile would be heard only then; so the system shares the cores out.
func hearWhileItComputes() { runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0)) }

// tell says where the service is.
func (v *service) tell(l net.Listener) error {
	address := "http://" + l.Addr().String()
	v.s.log.Info("answering", zap.String("address", address), zap.String("model", v.c.String("name")), zap.Int("step", v.batch.Model().Step))
	if v.c.Bool("json") {
		return printJSON(v.c, map[string]string{"address": address, "model": v.c.String("name")})
	}
	_, err := fmt.Fprintln(v.c.App.Writer, address)
	return err
}

// broke logs how the device has failed, and where in the program if that is known.
func (v *service) broke(err error) {
	fields := []zap.Field{zap.String("fault", escape(err.Error()))}
	if p := (*batch.PanicError)(nil); errors.As(err, &p) {
		fields = append(fields, zap.ByteString("panic", p.Stack))
	}
	v.s.log.Error("nothing is answered any more", fields...)
}

// end lets those be answered who have asked.
func (v *service) end(server *http.Server) error {
	v.s.log.Info("ending: what was asked is answered first")
	v.http.Drain()
	ctx, stop := context.WithTimeout(context.Background(), v.c.Duration("drain"))
	defer stop()
	if err := server.Shutdown(ctx); err != nil {
		v.s.log.Warn("some were not answered within --drain: they are hung up on", zap.Duration("drain", v.c.Duration("drain")))
		_ = server.Close()
	}
	if err := v.batch.Err(); errors.Is(err, batch.ErrBroken) {
		return errors.Join(err, v.batch.Close(context.Background()))
	}
	_ = v.batch.Close(ctx) // who waited longer than ctx was told
	return nil
}

// open opens device and model, on the device's goroutine.
func (v *service) open() (backend.Device, *batch.Model, error) {
	dev, err := openDevice(deviceOf(v.c))
	if err != nil {
		return nil, nil, err
	}
	p, err := openScored(v.c, v.s, dev, v.path, v.o, predict.AtMost(v.c.Int("max-batch")))
	if err != nil {
		return dev, nil, err
	}
	m, err := v.model(v.c.Context, p, v.s.follow())
	return dev, m, err
}

// model fits what is fitted to a network.
func (v *service) model(ctx context.Context, p *predict.Predictor, watch predict.Watch) (*batch.Model, error) {
	if v.fit.rule != "" && p.Config.Data.Name == "" {
		return nil, usagef(v.c, "--rule goes with a run, which knows the images that it held out")
	}
	if v.c.IsSet("data-dir") {
		p.Config.Data.Dir = v.c.String("data-dir")
	}
	fitted, notes, err := v.fit.fit(ctx, p, watch)
	v.s.notes(notes)
	if err != nil {
		return nil, err
	}
	return &batch.Model{Predictor: p, About: serve.About{Version: strconv.Itoa(p.Step), Fitted: fitted, Examples: examplesOf(p)}}, nil
}

// examplesOf are a few held-out images for the page, of different classes.
func examplesOf(p *predict.Predictor) (all []servepage.Example) {
	held, _, err := heldOut(p)
	if err != nil || held == nil {
		return nil
	}
	c, h, w := p.Shape()
	images, labels := make([]float32, feed.EvalBatch*c*h*w), make([]int32, feed.EvalBatch)
	n, seen := held.Batch(0, images, labels), map[int32]bool{}
	for i := 0; i < n && len(all) < 8; i++ {
		if y := labels[i]; !seen[y] && int(y) < len(p.Classes) {
			seen[y] = true
			all = append(all, servepage.Example{Name: p.Classes[y], Image: slices.Clone(images[i*c*h*w : (i+1)*c*h*w])})
		}
	}
	return all
}

// follow opens newer checkpoints of a run until ctx ends.
func (v *service) follow(ctx context.Context) {
	every := v.c.Duration("reload")
	if every == 0 || !isFolder(v.path) || v.c.IsSet("checkpoint") {
		return
	}
	run, folder := predict.RunOrCheckpoint(v.path)
	if folder != "" {
		return
	}
	tried := v.batch.Model().Step
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		if newest := predict.NewestStep(run); newest > tried {
			tried = newest
			v.reload(ctx, run)
		}
	}
}

// reload opens the run's newest checkpoint in the place of the one that is served.
func (v *service) reload(ctx context.Context, run string) {
	err := v.batch.Swap(ctx, func(d backend.Device, old *batch.Model, breathe func()) (*batch.Model, error) {
		which, err := whichWeights(v.c)
		if err != nil {
			return nil, err
		}
		p, err := openFolder(v.s, d, run, "", predict.AtMost(v.c.Int("max-batch")), predict.Using(which), predict.Into(v.batch.Spare()))
		if err != nil {
			return nil, err
		}
		if p.Step <= old.Step {
			return nil, &fault.Error{Path: run, Kind: fault.ErrBad, Reason: fmt.Sprintf("has no usable checkpoint newer than that of step %d", old.Step)}
		}
		m, err := v.model(ctx, p, func(string, int, int) { breathe() })
		if err != nil {
			return &batch.Model{Predictor: p}, err // its memory can be used again
		}
		return m, nil
	})
	if ctx.Err() != nil {
		return
	}
	v.http.Reloaded(err)
	if err != nil {
		v.s.log.Warn("a newer checkpoint can't be served: the one before stays", zap.String("fault", escape(err.Error())))
		return
	}
	v.s.log.Info("a newer checkpoint answers", zap.Int("step", v.batch.Model().Step))
}
