// Package rundir is the folder that a run leaves behind:
//
//	runs/<name>/  config.yaml    what was asked for, resolved
//	              data.json      what images it was trained on
//	              env.json       what it ran on: one entry for each start
//	              metrics.jsonl  one record a line
//	              metrics.prom   the latest figures, for Prometheus
//	              events.out.tfevents.*  samples/  checkpoints/  report.html
//	              logs/rank001.jsonl  what other ranks than the first say
//	              evaluation.json  mistakes.png  the latest evaluation by class
//	              .jem-run       the first thing made: what else is here is ours
//	              .lock          held while a process writes here
//
// One process writes to a run folder at a time; any number may read. The package does
// not know what configuration, data and metrics mean.
//
//	d, err := rundir.Create("runs/first", config, data, rundir.Environment("cpu, AVX-512"))
//	defer d.Close()
//	err = d.Log(rundir.Record{Step: 1, Kind: "train", Values: map[string]float64{"loss": 2.3}})
package rundir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"jem/internal/claim"
	"jem/internal/durable"
)

// ErrExists says that a folder already holds a run.
var ErrExists = errors.New("holds a run already: resume it, or choose another folder")

// Path is the place of a run folder, and knows where the things in it are. It is all
// that a reader needs.
type Path string

// Config is the resolved configuration, YAML. A folder is a run when it has one.
func (p Path) Config() string { return p.join("config.yaml") }

// Data says what images the run was trained on, JSON. Runs from before it was kept have none.
func (p Path) Data() string { return p.join("data.json") }

// Env is what ReadEnv reads.
func (p Path) Env() string { return p.join("env.json") }

// Metrics is what ReadMetrics reads.
func (p Path) Metrics() string { return p.join("metrics.jsonl") }

// Gauges is the text file for Prometheus, of the latest start. It is nothing of the run's: who trains may write it
// elsewhere, or not at all.
func (p Path) Gauges() string { return p.join("metrics.prom") }

// Checkpoints is the folder for package checkpoint.
func (p Path) Checkpoints() string { return p.join("checkpoints") }

// Report is the page that package report writes.
func (p Path) Report() string { return p.join("report.html") }

// Evaluation is what the latest evaluation came to by class, JSON, and Mistakes the images it was
// worst on, PNG.
func (p Path) Evaluation() string { return p.join("evaluation.json") }

// Mistakes is what Evaluation says.
func (p Path) Mistakes() string { return p.join("mistakes.png") }

// RankLog is what a rank of a run, other than the first one, has to say, one JSON object a line.
func (p Path) RankLog(rank int) string {
	return filepath.Join(p.join("logs"), fmt.Sprintf("rank%03d.jsonl", rank))
}

// Samples is the folder of sample grids.
func (p Path) Samples() string { return p.join("samples") }

// Sample is the sample grid of a step.
func (p Path) Sample(step int) string {
	return filepath.Join(p.Samples(), fmt.Sprintf("step-%08d.png", step))
}

func (p Path) join(name string) string { return filepath.Join(string(p), name) }

// Dir is a run folder that this process holds the lock of. It is for one goroutine, but for Sync and Ours,
// which may be called beside Log.
type Dir struct {
	Path
	lock    *lock
	metrics *metrics
	notes   []string
}

// Notes are sentences about what was found in the folder and could not be used. Each is told
// once.
func (d *Dir) Notes() []string {
	notes := d.notes
	d.notes = nil
	return notes
}

func (d *Dir) note(text string) {
	if text != "" {
		d.notes = append(d.notes, text)
	}
}

// Create starts a run in a folder that Vacant lets pass. config and data are written as they are.
// Errors: those of Vacant.
func Create(path string, config, data []byte, env Env) (*Dir, error) {
	if err := Vacant(path); err != nil {
		return nil, err
	}
	d, err := create(Path(filepath.Clean(path)), config, data, env)
	return d, describe(path, err)
}

func create(p Path, config, data []byte, env Env) (*Dir, error) {
	_, there := os.Stat(string(p))
	if err := claim.Take(string(p), unfinished); err != nil {
		return nil, cmp.Or(p.vacant(), err) // it may have become a run since Create looked
	}
	d, err := hold(p, func(d *Dir) error {
		if err := d.clear(); err != nil {
			return err
		}
		for _, dir := range []string{p.Samples(), p.Checkpoints()} {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
		}
		if err := errors.Join(d.Started(env), d.SetData(data), d.prepare()); err != nil {
			return err
		}
		return durable.WriteFile(p.Config(), config) // last: the folder is now a run
	})
	if err != nil && errors.Is(there, fs.ErrNotExist) && !errors.As(err, new(*LockedError)) {
		p.unmake()
	}
	return d, err
}

// unmake removes a folder in which nothing but the marker and the lock could be made.
func (p Path) unmake() {
	names := []string{lockName, unfinished.Marker}
	entries, err := os.ReadDir(string(p))
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !slices.Contains(names, e.Name()) }) {
		return
	}
	for _, path := range []string{p.join(names[0]), p.join(names[1]), string(p)} {
		_ = os.Remove(path) // why it could not be made is what will be said
	}
}

// SetData replaces data.json.
func (d *Dir) SetData(data []byte) error { return durable.WriteFile(d.Data(), data) }

// SetConfig replaces config.yaml.
func (d *Dir) SetConfig(config []byte) error { return durable.WriteFile(d.Config(), config) }

// Open takes the folder of a run to go on with it: a torn last line of its metrics is cut
// off. Errors: os.ErrNotExist if there is no run, *LockedError, a *fault.Error where links or
// pipes stand for what a run writes to, or of the file system.
func Open(path string) (*Dir, error) {
	p := Path(path)
	_, err := os.Stat(p.Config()) // before a lock file is left in a stranger's folder
	if err == nil && !p.ours() {
		err = fmt.Errorf("no run wrote its config.yaml: %w", os.ErrNotExist)
	}
	var d *Dir
	if err == nil {
		d, err = hold(p, (*Dir).prepare)
	}
	if err != nil {
		return nil, fmt.Errorf("open run folder %s: %w", path, err)
	}
	return d, nil
}

// hold takes the lock and lets begin do the rest; if that fails all is given back.
func hold(p Path, begin func(*Dir) error) (*Dir, error) {
	if err := p.genuine(); err != nil {
		return nil, err
	}
	l, err := acquire(p)
	if err != nil {
		return nil, err
	}
	d := &Dir{Path: p, lock: l}
	if err = d.sweep(); err == nil {
		err = begin(d)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// sweep removes the temporary files of killed processes; see durable.WriteFile. The folder
// is a run's, or marked as one that was to become one.
func (d *Dir) sweep() error {
	for _, dir := range []string{string(d.Path), d.Samples()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if _, temporary := durable.Original(e.Name()); !temporary || !e.Type().IsRegular() {
				continue
			}
			if err := remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// clear refuses a folder that holds a run, and removes what a Create left that died
// half-way.
func (d *Dir) clear() error {
	if _, err := os.Stat(d.Config()); err == nil {
		return ErrExists
	}
	if err := claim.Check(string(d.Path), unfinished); err != nil { // once more, now that nobody else writes
		return err
	}
	return errors.Join(remove(d.Env()), remove(d.Data()), remove(d.Metrics()))
}

// prepare opens the metrics, and makes the folder of sample grids where somebody removed it.
func (d *Dir) prepare() error {
	m, note, err := openMetrics(d.Metrics())
	if err != nil {
		return err
	}
	d.metrics = m
	d.note(note)
	return os.MkdirAll(d.Samples(), 0o777)
}

// Started adds a start to env.json. One that is damaged is set aside.
func (d *Dir) Started(env Env) error {
	note, err := appendEnv(d.Env(), env)
	d.note(note)
	return err
}

// Log appends a record to the metrics. When it returns, the record will survive the
// death of the process, though not of the machine.
func (d *Dir) Log(r Record) error { return d.metrics.append(r) }

// Records is the number of lines in the metrics that are not blank: of records, where nothing
// has damaged the file.
func (d *Dir) Records() int { return d.metrics.records }

// Truncate keeps the first so many of those lines, for a run that goes on from a
// checkpoint. It is no error if there are fewer.
func (d *Dir) Truncate(records int) error { return d.metrics.truncate(records) }

// Sync makes the records so far survive the death of the machine, too. It is a *LockedError if
// another process has taken the folder over meanwhile.
func (d *Dir) Sync() error {
	if err := d.Ours(); err != nil {
		return err
	}
	return durable.Sync(d.metrics.file)
}

// Ours is an error where the folder was moved from its path, or another process has taken it over.
func (d *Dir) Ours() error { return d.lock.check() }

// Close makes the metrics durable and gives the lock back.
func (d *Dir) Close() error { return errors.Join(d.metrics.close(), d.lock.release()) }

// remove deletes a file that may be missing.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
