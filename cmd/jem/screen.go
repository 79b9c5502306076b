package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"jem/internal/durable"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"go.uber.org/zap"
)

// screen is stderr with log lines and, on a terminal, a progress bar below them.
type screen struct {
	log   *zap.Logger
	shows bool // a bar makes sense
	json  bool // log lines are JSON, which has no control characters

	mu  sync.Mutex
	out io.Writer
	bar *progressbar.ProgressBar // nil while there is none

	noted map[string]bool // what notes has said
}

// openScreen prepares stderr as a command's logFlags say. What ranks other than the first would say there goes to their
// logs.
func openScreen(c *cli.Context) (*screen, error) {
	if j := jobOf(c); j.several() && j.ranks.Rank() > 0 {
		return &screen{log: jsonLogger(&j.log), out: io.Discard, json: true}, nil
	}
	s := &screen{out: c.App.ErrWriter, shows: terminal(c.App.ErrWriter) && !c.Bool("quiet") && c.String("log-format") == "console", json: c.String("log-format") == "json"}
	var err error
	if s.log, err = logger(c, s); err == nil {
		durable.Tell(func(text string) { s.notes([]string{text}) })
	}
	return s, err
}

// Write puts a log line above the bar. It never fails: a reader who is gone, a closed terminal
// or a full disk below the log is no reason to end the work that it tells of.
func (s *screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(line)
	if s.bar != nil {
		_ = s.bar.Clear()
		defer s.bar.RenderBlank()
	}
	if text, end := strings.CutSuffix(string(line), "\n"); !s.json && end {
		line = []byte(escape(text) + "\n") // names may hold control characters
	}
	_, _ = s.out.Write(line)
	return n, nil
}

// start draws a bar that ends at total; options refine it.
func (s *screen) start(total int64, options ...progressbar.Option) {
	if !s.shows {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar = progressbar.NewOptions64(total, append([]progressbar.Option{
		progressbar.OptionSetWriter(s.out),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(200 * time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
	}, options...)...)
}

// set moves the bar.
func (s *screen) set(done int64, about string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar == nil {
		return
	}
	s.bar.Describe(about)
	_ = s.bar.Set64(done)
}

// close removes the bar. It may be called again.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		_ = s.bar.Clear()
		s.bar = nil
	}
}

// download shows the progress of data.Fetch.
func (s *screen) download(done, total int64) {
	if s.bar == nil {
		s.start(total, progressbar.OptionShowBytes(true))
	}
	s.set(done, fmt.Sprintf("%d MB", total>>20))
}
