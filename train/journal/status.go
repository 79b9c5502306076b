package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"jem/internal/checkpoint"
	"jem/internal/durable"
	"jem/internal/rundir"
)

// State is what is the matter with a run.
type State string

// The states. What may write into the folder of a run is a process that has its lock.
const (
	Running  State = "running"  // a process has the lock
	Finished State = "finished" // nothing is left to do
	Stopped  State = "stopped"  // in between, and the folder was given back
	Killed   State = "killed"   // in between, and the folder was never given back
	Unknown  State = "unknown"  // another machine had the folder and never gave it back: its locks may not show here
)

// Status is how a run does, as its folder tells while it trains, afterwards, and on other machines that see the folder.
type Status struct {
	Standing
	State  State          `json:"state"`
	Holder *rundir.Holder `json:"holder"` // who has the folder, or never gave it back; nil: nobody
	Starts int            `json:"starts"` // of the run so far
	Start  *time.Time     `json:"start"`  // the latest one
	// Ranks and Machines are the latest start's: processes that take each step together, and on how many machines; Machines 0:
	// not known.
	Ranks    int `json:"ranks"`
	Machines int `json:"machines"`

	Recorded    *time.Time `json:"recorded"`     // the last record
	Training    *Figures   `json:"training"`     // of the last record of training
	PaceSeconds float64    `json:"pace_seconds"` // a step, of late; 0: not known
	LeftSeconds *float64   `json:"left_seconds"` // of the steps to come at this pace; what comes between steps is not counted
	Checkpoint  *Saved     `json:"checkpoint"`   // the newest one that is whole; nil: none yet
	Trouble     []Trouble  `json:"trouble"`      // the last notes and rollbacks, the newest last
}

// Figures are means over the steps since the record before.
type Figures struct {
	Step     int    `json:"step"`
	Loss     Number `json:"loss"`
	Gap      Number `json:"gap"`
	Accuracy Number `json:"accuracy"`
	GradNorm Number `json:"grad_norm"`
}

// Saved is a checkpoint.
type Saved struct {
	Step int       `json:"step"`
	Time time.Time `json:"time"` // as the file system has it
	Path string    `json:"path"`

	left int // stages after that step that were still to do
}

// Trouble is a sentence of the records.
type Trouble struct {
	Time time.Time `json:"time"`
	Step int       `json:"step"`
	Text string    `json:"text"`
}

const (
	paced    = 10 // records that the pace is of
	troubles = 3  // that are told
)

// StatusOf reads a run's folder. Notes and errors: those of Stand.
func StatusOf(folder string) (s Status, notes []string, err error) {
	p := rundir.Path(folder)
	sure, by := p.Held() // before what it writes is read: a run that ends meanwhile looks as it did
	standing, notes, err := Stand(folder)
	if err != nil {
		return s, notes, err
	}
	h, _, err := ReadHistory(p) // whose notes Stand has told
	if err != nil {
		return s, notes, err
	}
	s = Status{Standing: standing, Trouble: []Trouble{}, Checkpoint: Newest(folder)}
	if by != (rundir.Holder{}) {
		s.Holder = &by
	}
	if starts, err := rundir.ReadEnv(p.Env()); err == nil && len(starts) > 0 {
		last := &starts[len(starts)-1]
		s.Starts, s.Start, s.Ranks, s.Machines = len(starts), &last.Start, max(1, last.Ranks), last.Machines
	}
	s.read(h)
	host, _ := os.Hostname() // "" is nobody's
	s.State = s.state(sure, host)
	return s, notes, nil
}

// read takes in what the records tell besides.
func (s *Status) read(h History) {
	if len(h) > 0 {
		s.Recorded = &h[len(h)-1].Time
	}
	if r, there := h.Current().latest(KindTrain); there {
		v := func(name string) Number { return Number(r.Values[name]) }
		s.Training = &Figures{r.Step, v("loss"), v("gap"), v("accuracy"), v("grad_norm")}
	}
	for _, r := range h {
		if r.Text != "" {
			s.Trouble = append(s.Trouble, Trouble{r.Time, r.Step, r.Text})
		}
	}
	s.Trouble = s.Trouble[max(0, len(s.Trouble)-troubles):]
	if s.PaceSeconds = h.pace(); s.PaceSeconds > 0 && s.Steps > 0 {
		left := s.PaceSeconds * float64(max(0, s.Steps-s.Step))
		s.LeftSeconds = &left
	}
}

// state is that of a run whose lock is seen to be held, or not, on a host.
func (s *Status) state(locked bool, host string) State {
	switch {
	case locked:
		return Running
	case s.Checkpoint != nil && s.Steps > 0 && s.Checkpoint.Step >= s.Steps && s.Checkpoint.left == 0:
		return Finished
	case s.Holder == nil:
		return Stopped
	case s.Holder.Host == host:
		return Killed
	}
	return Unknown
}

// pace is the mean of the seconds of a step in the last records of training.
func (h History) pace() float64 {
	type span struct{ steps, seconds float64 }
	var all []span
	for n, each := range h.spans() {
		all = append(all, span{float64(n), each * float64(n)})
	}
	var sum span
	for _, s := range all[max(0, len(all)-paced):] {
		sum.steps, sum.seconds = sum.steps+s.steps, sum.seconds+s.seconds
	}
	if sum.steps == 0 {
		return 0
	}
	return sum.seconds / sum.steps
}

// Newest is the newest whole checkpoint of a run's folder; nil: there is none. It isn't verified.
func Newest(folder string) *Saved {
	entries, err := checkpoint.List(rundir.Path(folder).Checkpoints())
	if err != nil {
		return nil
	}
	for _, e := range slices.Backward(entries) {
		file := filepath.Join(e.Path, "state.json")
		text, err := durable.ReadFile(file, 64<<20)
		var state struct {
			Stage int `json:"stage"`
		}
		if err != nil || !checkpoint.Complete(e.Path) || json.Unmarshal(text, &state) != nil {
			continue // removed meanwhile, or damaged
		}
		if info, err := os.Stat(file); err == nil {
			return &Saved{e.Step, info.ModTime(), e.Path, state.Stage}
		}
	}
	return nil
}
