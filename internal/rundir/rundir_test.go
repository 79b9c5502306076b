package rundir

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"jem/internal/fault"
)

func newRun(t *testing.T) *Dir {
	t.Helper()
	d, err := Create(filepath.Join(t.TempDir(), "runs", "a"), []byte("seed: 1\n"), []byte("{}\n"), Environment("test device"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.lock.Release() }) // for tests that end early
	return d
}

func log(t *testing.T, d *Dir, steps ...int) {
	t.Helper()
	for _, step := range steps {
		if err := d.Log(Record{Step: step, Kind: "train", Values: map[string]float64{"loss": float64(step) / 2}}); err != nil {
			t.Fatal(err)
		}
	}
}

func loggedSteps(t *testing.T, p Path) (steps []int) {
	t.Helper()
	records, _, err := ReadMetrics(p.Metrics())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		steps = append(steps, r.Step)
	}
	return steps
}

func closeRun(t *testing.T, d *Dir) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCreateMakesARunOnceAndOpenGoesOn(t *testing.T) {
	d := newRun(t)
	log(t, d, 1, 2)
	closeRun(t, d)
	if _, err := Create(string(d.Path), nil, nil, Env{}); !errors.Is(err, ErrExists) {
		t.Errorf("a second Create: %v, want ErrExists", err)
	}
	config, err := os.ReadFile(d.Config())
	if err != nil || string(config) != "seed: 1\n" {
		t.Errorf("config.yaml is %q, %v", config, err)
	}
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Started(Environment("other device")); err != nil {
		t.Fatal(err)
	}
	log(t, again, 3)
	closeRun(t, again)
	if got := loggedSteps(t, d.Path); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("metrics of steps %v", got)
	}
	starts, err := ReadEnv(d.Env())
	if err != nil || len(starts) != 2 || starts[0].Device != "test device" || starts[1].Device != "other device" {
		t.Errorf("starts %+v, %v", starts, err)
	}
	if s := starts[0]; s.Go == "" || s.OS == "" || s.Cores < 1 || len(s.Command) == 0 || time.Since(s.Start) > time.Hour {
		t.Errorf("environment lacks something: %+v", s)
	}
}

func TestOpenRefusesAFolderThatIsNoRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v in it, %v", left, err)
	}
}

func TestCreateTakesOverAHalfMadeFolder(t *testing.T) {
	d := newRun(t)
	log(t, d, 1)
	closeRun(t, d)
	if err := os.Remove(d.Config()); err != nil { // as if Create had died before its end
		t.Fatal(err)
	}
	again, err := Create(string(d.Path), nil, nil, Environment("test device"))
	if err != nil {
		t.Fatal(err)
	}
	closeRun(t, again)
	if starts, err := ReadEnv(d.Env()); err != nil || len(starts) != 1 || len(loggedSteps(t, d.Path)) != 0 {
		t.Errorf("kept %d starts, metrics of %v, %v", len(starts), loggedSteps(t, d.Path), err)
	}
}

func TestTheSecondProcessLearnsWhoHasTheFolder(t *testing.T) {
	d := newRun(t)
	for name, try := range map[string]func() (*Dir, error){
		"Open":   func() (*Dir, error) { return Open(string(d.Path)) },
		"Create": func() (*Dir, error) { return Create(string(d.Path), nil, nil, Env{}) },
	} {
		_, err := try()
		var locked *LockedError
		if !errors.As(err, &locked) {
			t.Fatalf("%s: %v, want a *LockedError", name, err)
		}
		host, _ := os.Hostname()
		if h := locked.Holder; h.PID != os.Getpid() || h.Host != host || time.Since(h.Start) > time.Hour {
			t.Errorf("%s: holder %+v", name, h)
		}
	}
	closeRun(t, d)
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	closeRun(t, again)
	if got := (&LockedError{Path: "runs/a"}).Error(); got != "runs/a is in use by another process" {
		t.Errorf("unknown holder: %s", got)
	}
}

func TestRecordsComeBack(t *testing.T) {
	want := Record{
		Time: time.Date(2026, 11, 24, 9, 13, 0, 123e6, time.UTC), Step: 7, Kind: "eval", Text: "a \"quoted\"\nline",
		Values: map[string]float64{"b": math.Inf(1), "a": 1e-300, "c": math.Inf(-1), "d": 0.1},
	}
	b, err := want.MarshalJSON()
	const line = `{"time":"2026-11-24T09:13:00.123Z","step":7,"kind":"eval","text":"a \"quoted\"\nline",` +
		`"a":1e-300,"b":"Infinity","c":"-Infinity","d":0.1}`
	if err != nil || string(b) != line {
		t.Fatalf("got %s, %v\nwant %s", b, err, line)
	}
	var got Record
	if err := got.UnmarshalJSON(b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	nan, err := Record{Values: map[string]float64{"loss": math.NaN()}}.MarshalJSON()
	if err != nil || got.UnmarshalJSON(nan) != nil || !math.IsNaN(got.Values["loss"]) {
		t.Errorf("NaN: %s, %v, %v", nan, err, got.Values)
	}
	if _, err := (Record{Values: map[string]float64{"step": 1}}).MarshalJSON(); err == nil {
		t.Error("a value called step was accepted")
	}
}

func TestATornLastLineIsCut(t *testing.T) {
	const whole = `{"time":"2026-11-24T09:13:00.000Z","step":1,"kind":"train","loss":1}` + "\n"
	long := `{"kind":"` + strings.Repeat("x", 200_000) // longer than one block of the search
	for name, torn := range map[string]string{"nothing torn": "", "a piece": `{"time":"20`, "a long piece": long} {
		t.Run(name, func(t *testing.T) {
			d := newRun(t)
			closeRun(t, d)
			if err := os.WriteFile(d.Metrics(), []byte(whole+torn), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := loggedSteps(t, d.Path); !slices.Equal(got, []int{1}) {
				t.Errorf("a reader sees steps %v", got)
			}
			again, err := Open(string(d.Path))
			if err != nil {
				t.Fatal(err)
			}
			log(t, again, 2)
			closeRun(t, again)
			if got := loggedSteps(t, d.Path); !slices.Equal(got, []int{1, 2}) {
				t.Errorf("after going on: steps %v", got)
			}
		})
	}
}

// What a power cut or a stranger leaves in the metrics is passed over, and told in a sentence.
func TestLinesThatAreNoRecordsArePassedOver(t *testing.T) {
	d := newRun(t)
	closeRun(t, d)
	for name, tc := range map[string]struct {
		lines string
		note  string // after the file's name
	}{
		"garbage":              {"garbage\n", ": line 2 is no record and is passed over"},
		"zeros":                {strings.Repeat("\x00", 5000) + "\n", ": line 2 is no record and is passed over"},
		"a step that is text":  {`{"step":"x"}` + "\n", ": line 2 is no record and is passed over"},
		"a negative step":      {`{"step":-5}` + "\n", ": line 2 is no record and is passed over"},
		"a value that is text": {`{"loss":"much"}` + "\n", ": line 2 is no record and is passed over"},
		"beyond all numbers":   {`{"loss":1e999}` + "\n", ": line 2 is no record and is passed over"},
		"half a line":          {`{"step":2,"ki` + "\n", ": line 2 is no record and is passed over"},
		"several":              {"\n[]\n{}\nnull x\n", ": 2 lines are no records and are passed over, the first is line 3"},
		"a line without end":   {`{"kind":"` + strings.Repeat("x", 2*maxLine) + `"}` + "\n", ": line 2 is no record and is passed over"},
		"blank lines":          {"\n  \r\n\n", ""},
		"a zeroed tail":        {strings.Repeat("\x00", 5000), ""}, // not whole: as one that is being written
	} {
		t.Run(name, func(t *testing.T) {
			const good = `{"step":1}` + "\n"
			after := good
			if tc.note == "" && strings.Contains(name, "tail") {
				after = ""
			}
			if err := os.WriteFile(d.Metrics(), []byte(good+tc.lines+after), 0o644); err != nil {
				t.Fatal(err)
			}
			records, note, err := ReadMetrics(d.Metrics())
			want := tc.note
			if want != "" {
				want = d.Metrics() + want
			}
			if err != nil || note != want || len(records) < 1 || after != "" && records[len(records)-1].Step != 1 {
				t.Errorf("%d records, %q, %v", len(records), note, err)
			}
		})
	}
}

// Lines count as records were written, damaged or not, so that a checkpoint's number of them still
// tells where its own end; blank ones don't.
func TestTruncateCountsLinesThatAreNotBlank(t *testing.T) {
	d := newRun(t)
	closeRun(t, d)
	content := "\n" + `{"step":1}` + "\n\n\x00\x00\n" + `{"step":3}` + "\n" + `{"step":4}` + "\n\x00\x00"
	if err := os.WriteFile(d.Metrics(), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	if notes := again.Notes(); len(notes) != 1 || notes[0] != d.Metrics()+": its last 2 bytes are no whole line and were cut off" {
		t.Errorf("notes %q", notes)
	}
	if again.Records() != 4 || again.Truncate(3) != nil || again.Records() != 3 {
		t.Errorf("%d records", again.Records())
	}
	log(t, again, 5)
	closeRun(t, again)
	if got := loggedSteps(t, d.Path); !slices.Equal(got, []int{1, 3, 5}) {
		t.Errorf("steps %v", got)
	}
}

// A list of starts that can't be read is set aside, whatever it is, and the run goes on.
func TestADamagedEnvIsSetAside(t *testing.T) {
	for name, content := range map[string]string{"cut": `[{"start":"20`, "empty": "", "a stranger's": `{"NODE_ENV":"x"}`, "a stranger's list": `[{"NODE_ENV":"x"}]`, "text": `["a"]`} {
		t.Run(name, func(t *testing.T) {
			d := newRun(t)
			if err := os.WriteFile(d.Env(), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadEnv(d.Env()); !errors.Is(err, fault.ErrBad) {
				t.Errorf("read: %v", err)
			}
			for range 2 { // the second time there is nothing to say
				if err := d.Started(Environment("test device")); err != nil {
					t.Fatal(err)
				}
			}
			if notes := d.Notes(); len(notes) != 1 || notes[0] != d.Env()+": is no list of a run's starts: it is now called env.json.damaged" {
				t.Errorf("notes %q", notes)
			}
			starts, err := ReadEnv(d.Env())
			kept, _ := os.ReadFile(d.Env() + ".damaged")
			if err != nil || len(starts) != 2 || string(kept) != content {
				t.Errorf("%d starts, %v; set aside: %q", len(starts), err, kept)
			}
			closeRun(t, d)
		})
	}
}

func TestTruncateKeepsTheFirstRecords(t *testing.T) {
	d := newRun(t)
	log(t, d, 1, 2, 3, 4)
	for _, tc := range []struct{ keep, want int }{{9, 4}, {4, 4}, {2, 2}} {
		if err := d.Truncate(tc.keep); err != nil || d.Records() != tc.want {
			t.Errorf("truncated to %d: %d records, %v", tc.keep, d.Records(), err)
		}
	}
	log(t, d, 3)
	if d.Records() != 3 {
		t.Errorf("%d records", d.Records())
	}
	closeRun(t, d)
	if got := loggedSteps(t, d.Path); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("steps %v", got)
	}
}

func TestAKilledProcessLeavesNoTemporaryFiles(t *testing.T) {
	d := newRun(t)
	closeRun(t, d)
	left := []string{filepath.Join(string(d.Path), ".config.yaml.tmp-7"), filepath.Join(d.Samples(), ".step-00000001.png.tmp-7")}
	for _, name := range left {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	closeRun(t, again)
	for _, name := range left {
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", name, err)
		}
	}
}

func TestPathsAreInsideTheFolder(t *testing.T) {
	p := Path("runs/a")
	want := filepath.Join("runs", "a", "samples", "step-00000500.png")
	if got := p.Sample(500); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if p.Report() != filepath.Join("runs", "a", "report.html") {
		t.Errorf("report %s", p.Report())
	}
}

// A folder that is no longer where it was, or another in its place, is not written to.
func TestAFolderThatWasMovedIsNoticed(t *testing.T) {
	d := newRun(t)
	path := string(d.Path)
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+"-moved"); err != nil {
		t.Skip(err)
	}
	for range 2 {
		if err := d.Sync(); !errors.Is(err, errMoved) {
			t.Errorf("got %v", err)
		}
		if err := os.MkdirAll(path, 0o777); err != nil { // another's, the second time
			t.Fatal(err)
		}
	}
}
