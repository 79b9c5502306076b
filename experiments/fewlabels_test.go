package experiments

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/internal/rundir"
)

// What a setting compares differs in the objective; that classifiers are looked at and kept more often
// changes nothing in their training.
func TestNetworksOfFewLabelsAreComparable(t *testing.T) {
	for _, s := range Scales() {
		for _, setting := range scarcities() {
			first := func(kind string) Training {
				all, err := lookup(setting.run(kind)).trainings(s, false)
				if err != nil {
					t.Fatal(err)
				}
				return all[0]
			}
			jem, twin := first(kindJEM).Config, first(kindTwin).Config
			jem.Objective, jem.Train, jem.Data.SharedStream = twin.Objective, twin.Train, twin.Data.SharedStream
			if identity(jem, false) != identity(twin, false) {
				t.Errorf("%s, %s: JEM and its twin differ in more than the objective", s, setting.key)
			}
			if a, b := totalSteps(first(kindJEM).Config), totalSteps(first(kindTwin).Config); a != b {
				t.Errorf("%s, %s: JEM takes %d steps, its twin %d", s, setting.key, a, b)
			}
			for _, kind := range []string{kindTwin, kindJEM, kindSuccessor} {
				if kind == kindSuccessor && setting.successor == 0 {
					continue
				}
				if d := first(kind).Config.Data; d.Crop > 0 != setting.crops || d.Flip != setting.crops {
					t.Errorf("%s, %s, %s: crops of %d, flips: %t", s, setting.key, kind, d.Crop, d.Flip)
				}
			}
			if short, whole := totalSteps(first(kindShort).Config), totalSteps(first(kindTwin).Config); short >= whole {
				t.Errorf("%s, %s: the shorter twin takes %d steps of %d", s, setting.key, short, whole)
			}
		}
	}
}

func TestNothingIsClaimedFromOneSeed(t *testing.T) {
	for _, s := range scarcities() {
		for _, c := range s.claims(Table{}) {
			if c.Verdict != notMeasured {
				t.Errorf("%s of an empty table: %s", c.sentence(), c.Verdict)
			}
			if strings.Contains(c.Text, labelJEM) && s.jem < 2 || strings.Contains(c.Text, labelUnlabelled) && s.unlabelled < 2 || s.twin < 2 {
				t.Errorf("%s is claimed from one seed", c.sentence())
			}
		}
	}
}

// recorded makes a run of a lab that has ended, with evaluations of held-out images by step and the
// checkpoints that it kept.
func recorded(t *testing.T, l *Lab, of Training, nll map[int]float64, kept ...int) {
	t.Helper()
	path := rundir.Path(of.path(l.Out))
	if err := os.MkdirAll(string(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, step := range kept {
		if err := os.MkdirAll(filepath.Join(path.Checkpoints(), fmt.Sprintf("step-%08d", step)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var lines []byte
	for _, step := range slices.Sorted(maps.Keys(nll)) {
		line, err := rundir.Record{Step: step, Kind: "eval-valid", Values: map[string]float64{"accuracy": 0.5, "loss": nll[step]}}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := os.WriteFile(path.Metrics(), lines, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (Outcome{Run: of.Run.Name}).write(string(path)); err != nil {
		t.Fatal(err)
	}
}

// The best stop is a checkpoint that is there, of the run or of its shorter sibling.
func TestTheBestStopIsThatOfHeldOutImages(t *testing.T) {
	s := scarcities()[0]
	whole, err1 := lookup(s.run(kindTwin)).trainings(Small, true)
	short, err2 := lookup(s.run(kindShort)).trainings(Small, true)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	l := &Lab{Options: Options{Scale: Small, Out: t.TempDir()}, made: true}
	if _, err := stopped(l, whole[1], s.run(kindShort)); !isNotRun(err) {
		t.Errorf("before any training: %v", err)
	}
	recorded(t, l, whole[1], map[int]float64{5: 1.0, 10: 2, 15: 1.8, 20: 5}, 0, 10, 15, 20)
	recorded(t, l, short[1], map[int]float64{5: 1.9}, 5)
	for shorter, want := range map[string]int{"": 15, s.run(kindShort): 15} {
		got, err := stopped(l, whole[1], shorter)
		if err != nil || got.step != want || got.hash != whole[1].hash {
			t.Errorf("beside %q: %s, %v", shorter, got.measuredAs(), err)
		}
		if at, err := got.checkpoint(l.Out); err != nil || filepath.Base(at) != "step-00000015" {
			t.Errorf("its checkpoint is %s, %v", at, err)
		}
	}
	recorded(t, l, short[1], map[int]float64{5: 1.7}, 5)
	got, err := stopped(l, whole[1], s.run(kindShort))
	if err != nil || got.step != 5 || got.hash != short[1].hash || got.Seed != 2 {
		t.Errorf("the shorter one is better, got %s, %v", got.measuredAs(), err)
	}
	one, err1 := l.measurePath(got, "calibration", 0)
	two, err2 := l.measurePath(short[1], "calibration", 0)
	if err1 != nil || err2 != nil || one == two {
		t.Errorf("a checkpoint's measurement is kept as the end's: %s", one)
	}
}

// The picture has the settings that differ in the number of labels alone, in their order, and the curve
// that only some panels have keeps its look.
func TestPanelsOfFewLabels(t *testing.T) {
	l := &Lab{Options: Options{Scale: Small}}
	if fewPanels(l, nil) != nil {
		t.Error("a picture of nothing")
	}
	tables := map[string]Table{}
	for _, s := range scarcities() {
		d := s.table(l)
		table := Table{Columns: d.columns}
		for i, from := range d.rows {
			row := Row{Label: from.label}
			for range d.columns {
				c := given(float64(10 * (i + 1)))
				c.Spread, c.Seeds = 2, 2
				row.Cells = append(row.Cells, c)
			}
			table.Rows = append(table.Rows, row)
		}
		tables[s.key] = table
	}
	p := fewPanels(l, tables)
	if len(p.Charts) != 4 || !strings.Contains(p.Title, "1200 steps") {
		t.Fatalf("%d panels, %s", len(p.Charts), p.Title)
	}
	var labels []string
	for _, tick := range p.Charts[0].XTicks {
		labels = append(labels, tick.Label)
	}
	if got := strings.Join(labels, " "); got != "10 25 50 100 250 all" {
		t.Errorf("places %s", got)
	}
	for i, want := range []int{4, 5, 5, 4} {
		c := p.Charts[i]
		if len(c.Lines) != want || len(c.Lines[1].X) != 6 || !slices.IsSorted(c.Lines[1].X) || c.YMax <= 0 {
			t.Errorf("panel %q has %d curves up to %g, the second with %d points", c.YLabel, len(c.Lines), c.YMax, len(c.Lines[1].X))
		}
	}
}
