package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"jem/config"
	"jem/feed"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/predict"
)

// Standing is what a run has come to, finished or not, as its folder tells it. What steps that were given up
// showed is in hours and rollbacks alone.
type Standing struct {
	Run    string `json:"run"`    // the folder's name
	Folder string `json:"folder"` // as it was named

	Step        int     `json:"step"`         // of the last record
	Steps       int     `json:"steps"`        // of the whole run; 0: not known
	Hours       float64 `json:"hours"`        // of the steps, see History.Hours
	StepSeconds float64 `json:"step_seconds"` // mean over the steps
	Rollbacks   int     `json:"rollbacks"`

	// The evaluations of the held-out images, or where there are none of the test images: Split tells.
	Split        string      `json:"split"`
	Last         *Evaluation `json:"last"`
	BestAccuracy *Evaluation `json:"best_accuracy"` // of equals the first
	BestNLL      *Evaluation `json:"best_nll"`
	Best         string      `json:"best"` // train.best: which of the two has its checkpoint kept
	// Test is the last evaluation of the test images beside held-out ones; nil: none yet.
	Test *Evaluation `json:"test"`

	Config *config.Config `json:"-"` // nil where the folder has none that can be read
}

// Evaluation is a record of one. Numbers may be anything that a file can hold.
type Evaluation struct {
	Step     int    `json:"step"`
	Images   int    `json:"images"`
	Accuracy Number `json:"accuracy"`
	NLL      Number `json:"nll"` // cross-entropy in nats
	// Of 15 bins, and of the largest p(y|x); nil in records of earlier programs.
	ECE        *Number `json:"ece"`
	Confidence *Number `json:"mean_confidence"`
}

// Number is a figure that may be NaN or infinite, for which JSON has strings, as metrics.jsonl writes them.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) { return rundir.AppendNumber(nil, float64(n)), nil }

// IsRun reports whether a folder looks like a run's: it has records or a configuration.
func IsRun(folder string) bool {
	p := rundir.Path(folder)
	return slices.ContainsFunc([]string{p.Metrics(), p.Config()}, func(file string) bool {
		info, err := os.Stat(file)
		return err == nil && info.Mode().IsRegular()
	})
}

// Runs are the folder, if it is a run's, or else the runs in it, by name. Errors: a *fault.Error where there
// are none.
func Runs(folder string) ([]string, error) {
	if IsRun(folder) {
		return []string{folder}, nil
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: folder, Kind: fault.ErrMissing, Reason: "no such run folder"}
	}
	if err != nil {
		return nil, err
	}
	var runs []string
	for _, e := range entries {
		if run := filepath.Join(folder, e.Name()); IsRun(run) {
			runs = append(runs, run)
		}
	}
	if len(runs) == 0 {
		return nil, &fault.Error{Path: folder, Kind: fault.ErrMissing, Reason: "is no run folder and has none in it"}
	}
	return runs, nil
}

// Stand reads a run's folder. Notes are sentences for the user on what could not be read. Errors: those of
// ReadHistory.
func Stand(folder string) (s Standing, notes []string, err error) {
	whole, err := filepath.Abs(folder)
	if err != nil {
		return s, nil, err
	}
	s = Standing{Run: filepath.Base(whole), Folder: folder, Best: config.BestAccuracy}
	h, notes, err := ReadHistory(rundir.Path(folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a run that has just begun has no records
		return s, notes, err
	}
	s.count(h)
	s.evaluations(h.Current())
	cfg, err := predict.RunConfig(folder)
	if err != nil {
		return s, append(notes, fmt.Sprintf("the settings of %s are not known: %v", fault.Printable(folder), err)), nil
	}
	s.Config, s.Best, s.Steps = &cfg, cfg.Train.Best, cfg.Train.Steps
	if known, err := feed.ReadFacts(rundir.Path(folder).Data()); s.Steps == 0 && err == nil && known != nil && known.Images > 0 {
		s.Steps = cfg.TotalSteps(cfg.StepsPerEpoch(known.Images))
	}
	return s, notes, nil
}

// count takes in what steps there were and how long they took.
func (s *Standing) count(h History) {
	s.Rollbacks, s.Hours = h.count(KindRollback), h.Hours()
	steps := 0
	for n := range h.spans() {
		steps += n
	}
	if steps > 0 {
		s.StepSeconds = s.Hours * 3600 / float64(steps)
	}
	for _, r := range h.Current() {
		if r.Kind != KindRollback {
			s.Step = max(s.Step, r.Step)
		}
	}
}

// evaluations takes in those of steps that were not given up.
func (s *Standing) evaluations(h History) {
	s.Split = "valid"
	if _, held := h.latest(KindEval + s.Split); !held {
		s.Split = "test"
	}
	for _, r := range h {
		if r.Kind == KindEval+"test" && s.Split != "test" {
			s.Test = evaluationOf(r)
		}
		if r.Kind != KindEval+s.Split {
			continue
		}
		e := evaluationOf(r)
		if s.Last = e; s.BestAccuracy == nil || e.Accuracy > s.BestAccuracy.Accuracy {
			s.BestAccuracy = e
		}
		if s.BestNLL == nil || e.NLL < s.BestNLL.NLL {
			s.BestNLL = e
		}
	}
}

func evaluationOf(r rundir.Record) *Evaluation {
	some := func(name string) *Number {
		v, there := r.Values[name]
		if !there {
			return nil
		}
		n := Number(v)
		return &n
	}
	return &Evaluation{
		Step: r.Step, Images: int(r.Values["images"]), Accuracy: Number(r.Values["accuracy"]), NLL: Number(r.Values["loss"]),
		ECE: some("ece"), Confidence: some("mean_confidence"),
	}
}
