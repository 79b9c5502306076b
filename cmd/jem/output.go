package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"jem/internal/durable"
	"jem/internal/rundir"
)

// readerGone reports whether a result could not be printed because its reader has had enough,
// as in jem score … | head.
func readerGone(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) && path.Path == os.Stdout.Name() && errors.Is(path.Err, syscall.EPIPE)
}

// printPlace says where a result has been written, in a line of its own. Unlike a result, and like
// a line of the log, it may go unread.
func printPlace(c *cli.Context, place string) { fmt.Fprintln(c.App.Writer, escape(place)) }

// jsonFlag makes a command's result machine-readable.
var jsonFlag = &cli.BoolFlag{Name: "json", Usage: "print the result as JSON on stdout"}

// printJSON prints a result for machines.
func printJSON(c *cli.Context, v any) error {
	b, err := marshal(v)
	if err == nil {
		_, err = c.App.Writer.Write(b)
	}
	return err
}

// printTable prints rows of tab-separated cells in columns.
func printTable(c *cli.Context, rows ...string) error {
	b, err := table(rows...)
	if err == nil {
		_, err = c.App.Writer.Write(b)
	}
	return err
}

// table sets rows of tab-separated cells in columns. Cells may hold names of files, runs and
// classes, which may hold anything; no control character of theirs reaches the terminal.
func table(rows ...string) ([]byte, error) {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		cells := strings.Split(r, "\t")
		for i, cell := range cells {
			cells[i] = escape(cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	err := w.Flush()
	return b.Bytes(), err
}

// csvName is a file's, run's or class's name as a cell of a CSV file: without control characters,
// and with an apostrophe in front where a spreadsheet would take it for a formula.
func csvName(name string) string {
	name = escape(name)
	if name != "" && strings.Contains("=+-@", name[:1]) {
		return "'" + name
	}
	return name
}

// logFlags are those of every command that takes a while.
func logFlags() []cli.Flag {
	return in(onScreen,
		&cli.StringFlag{Name: "log-format", Value: "console", Usage: "log lines as console or json"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "least level logged: debug, info, warn or error"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress, and log errors only"},
	)
}

// logger writes to w as the command's logFlags say.
func logger(c *cli.Context, w io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.String("log-level"))
	if err != nil {
		return nil, usagef(c, "--log-level %q: want debug, info, warn or error", c.String("log-level"))
	}
	if c.Bool("quiet") {
		level = zapcore.ErrorLevel
	}
	var enc zapcore.Encoder
	switch c.String("log-format") {
	case "console":
		cfg := zap.NewDevelopmentEncoderConfig()
		cfg.EncodeTime = zapcore.TimeEncoderOfLayout("2006-01-02 15:04:05")
		cfg.EncodeLevel = zapcore.LowercaseLevelEncoder
		cfg.ConsoleSeparator = " "
		enc = zapcore.NewConsoleEncoder(cfg)
	case "json":
		enc = jsonEncoder()
	default:
		return nil, usagef(c, "--log-format %q: want console or json", c.String("log-format"))
	}
	return zap.New(zapcore.NewCore(enc, zapcore.AddSync(w), level)), nil
}

func jsonEncoder() zapcore.Encoder {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	return zapcore.NewJSONEncoder(cfg)
}

// jsonLogger writes JSON to w.
func jsonLogger(w io.Writer) *zap.Logger {
	return zap.New(zapcore.NewCore(jsonEncoder(), zapcore.AddSync(w), zap.InfoLevel))
}

// terminal reports whether w is one, so that a progress bar makes sense.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printResult shows what a measurement found, as JSON or as rows, and writes it as JSON into the
// file that --out names, if it does. What can't be written there is shown all the same: it may
// have taken hours.
func printResult(c *cli.Context, v any, rows []string) error {
	var kept error
	if out := c.String("out"); out != "" {
		b, err := marshal(v)
		if err == nil {
			err = writeInto(out, b)
		}
		kept = err
	}
	if c.Bool("json") {
		return errors.Join(kept, printJSON(c, v))
	}
	return errors.Join(kept, printTable(c, rows...))
}

// figure is a number that may be NaN or infinite, for which JSON has strings, as metrics.jsonl writes them.
type figure float64

// MarshalJSON implements json.Marshaler.
func (n figure) MarshalJSON() ([]byte, error) { return rundir.AppendNumber(nil, float64(n)), nil }

// marshal is JSON for a file.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// writeInto writes a file and makes its folder where it isn't there.
func writeInto(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return durable.WriteFile(path, content)
}
