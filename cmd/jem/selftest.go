package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/backend/backendtest"
	"jem/train/replay"
)

func selftestCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "selftest",
		Usage: "hold a device to the definitions of its operations",
		Description: examples("Every operation is compared with a definition in double precision, on awkward shapes,\n"+
			"within derived bounds. With --golden a recorded training step is repeated and its loss, chains,\n"+
			"gradients and new parameters are compared, or recorded figures (AUROC, ECE, FID, …) are computed\n"+
			"again from their inputs, to 1e-6 of each. Exit code 1 if one answer is wrong.",
			"jem selftest --golden built-in", "jem selftest --short", "jem selftest --only conv --cpu-isa avx2"),
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "short", Usage: "leave out the largest layers"},
			&cli.StringFlag{Name: "only", Usage: "only checks whose name contains this"},
			&cli.StringFlag{Name: "golden", Usage: "instead repeat a training step recorded from the official code, or those of a recipe, `FILE`.json beside its .safetensors, or a FILE of figures with their inputs; built-in: the step that the program carries. More of both are in train/replay/testdata and internal/metrics/testdata of the source"},
			jsonFlag,
		}, append(deviceFlags(), logFlags()...)...),
		Action: runSelftest,
	})
}

func runSelftest(c *cli.Context) error {
	only := c.String("only")
	if !slices.ContainsFunc(backendtest.Checks(), func(k backendtest.Check) bool { return strings.Contains(k.Path(), only) }) {
		return usagef(c, "--only %q: no check has such a name", only)
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	if golden := c.String("golden"); golden != "" && golden != builtIn {
		// A file that can't be read is reported as one of a step, the usual kind.
		if m, err := replay.ReadMetrics(c.String("golden")); err == nil && m != nil {
			return checkFigures(c, m)
		}
	}
	dev, err := openDevice(deviceOf(c))
	if err != nil {
		return err
	}
	defer dev.Close()
	if c.IsSet("golden") {
		return repeatGolden(c, dev)
	}
	defer s.close()
	asked := len(backendtest.Checks())
	s.start(int64(asked))
	done := int64(0)
	report := backendtest.Suite(dev, backendtest.Options{
		Short: c.Bool("short"), Only: only, Widen: allowances(dev),
		Stop:    func() bool { return c.Context.Err() != nil },
		Observe: func(r backendtest.Result) { done++; s.set(done, r.Path()) },
	})
	s.close()
	if err := c.Context.Err(); err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c, report)
	} else {
		err = printTable(c, selftestRows(report)...)
	}
	switch {
	case err != nil:
		return err
	case !report.Passed():
		return fmt.Errorf("%w: %d of %d checks on %s", errFailed, len(report.Failures()), len(report.Results), report.Device)
	}
	return nil
}

// selftestRows is a line a group, and one for each failure.
func selftestRows(report backendtest.Report) []string {
	type group struct {
		name           string
		asked, passed  int
		ratio, seconds float64
	}
	var groups []*group
	rows := []string{report.Device, "GROUP\tPASSED\tWORST ERROR / BOUND\tSECONDS"}
	for _, r := range report.Results {
		if len(groups) == 0 || groups[len(groups)-1].name != r.Group {
			groups = append(groups, &group{name: r.Group})
		}
		g := groups[len(groups)-1]
		g.asked++
		g.seconds += r.Seconds
		g.ratio = max(g.ratio, r.Ratio)
		if r.Passed {
			g.passed++
		}
	}
	for _, g := range groups {
		rows = append(rows, fmt.Sprintf("%s\t%d of %d\t%.2f\t%.1f", g.name, g.passed, g.asked, g.ratio, g.seconds))
	}
	for _, r := range report.Failures() {
		rows = append(rows, fmt.Sprintf("FAILED %s: %s", r.Path(), r.Message))
	}
	return rows
}
