package experiments

import (
	"errors"
	"fmt"
	"slices"
)

// Experiment is a table or figure of the paper, or one beside it.
type Experiment struct {
	ID    string // as in jem reproduce ID
	Title string
	Where string   // in the paper
	Runs  []string // trained for it, names of Runs
	Sets  []string // image sets that it measures on besides those of its runs
	// Judged says that samples are judged by Inception, whose weights are no set of images.
	Judged bool
	// Build measures what has been trained and makes the tables and pictures. Figures whose
	// run is missing become cells that say so.
	Build func(*Lab) (*Result, error)
}

// All lists the experiments in the paper's order.
func All() []Experiment {
	return []Experiment{
		table1(), samples(), reliability(), table2(), table3(), robustness(), attacks(), distal(), refinement(),
		ablation(), semiSupervised(), fewLabelsTable(), successorsTable(), stability(), longChains(),
	}
}

// Select returns the experiments of the ids; "all" stands for every one.
func Select(ids ...string) ([]Experiment, error) {
	var chosen []Experiment
	for _, id := range ids {
		if id == "all" {
			return All(), nil
		}
		i := slices.IndexFunc(All(), func(e Experiment) bool { return e.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("unknown experiment %q: want all or one of %s", id, IDs())
		}
		chosen = append(chosen, All()[i])
	}
	return chosen, nil
}

// IDs lists the names of the experiments.
func IDs() string {
	var ids []string
	for _, e := range All() {
		ids = append(ids, e.ID)
	}
	return names(ids)
}

// Trainings are what experiments need, each configuration once, the most important first.
func Trainings(s Scale, toy bool, list []Experiment) ([]Training, error) {
	var all []Training
	for _, r := range Runs() {
		if !slices.ContainsFunc(list, func(e Experiment) bool { return slices.Contains(e.Runs, r.Name) }) {
			continue
		}
		ts, err := r.trainings(s, toy)
		if err != nil {
			return nil, err
		}
		for _, t := range ts {
			if !slices.ContainsFunc(all, func(o Training) bool { return o.hash == t.hash }) {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

// Reproduce trains what experiments need and has not been trained, and writes their
// tables: each as soon as all its runs have ended, so that there is something to look at
// early, and at the end every one. After a cancelled context it returns context.Canceled;
// called again it goes on.
func (l *Lab) Reproduce(list []Experiment) error {
	trainings, err := Trainings(l.Scale, l.made, list)
	if err != nil {
		return err
	}
	for _, t := range trainings {
		if l.OnlyReady {
			break
		}
		if _, ended, err := l.outcome(t); ended || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		var absent *NotRun
		if err := asMissing(l, l.Train(t)); errors.As(err, &absent) {
			l.Tell(fmt.Sprintf("%s is %v", t.Folder(), absent))
			continue
		} else if err != nil {
			return err
		}
		ready, err := l.ready(using(list, t))
		if err == nil {
			err = l.write(ready)
		}
		if err != nil {
			return err
		}
	}
	return l.write(list)
}

// using are the experiments with a training.
func using(list []Experiment, t Training) []Experiment {
	return slices.DeleteFunc(slices.Clone(list), func(e Experiment) bool { return !slices.Contains(e.Runs, t.Run.Name) })
}

// ready are the experiments all of whose runs have ended.
func (l *Lab) ready(list []Experiment) (ready []Experiment, err error) {
	for _, e := range list {
		all, err := Trainings(l.Scale, l.made, []Experiment{e})
		if err != nil {
			return nil, err
		}
		missing := false
		for _, t := range all {
			_, ended, err := l.outcome(t)
			if err != nil {
				return nil, err
			}
			missing = missing || !ended
		}
		if !missing {
			ready = append(ready, e)
		}
	}
	return ready, nil
}

// write builds and writes experiments.
func (l *Lab) write(list []Experiment) error {
	for _, e := range list {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		r, err := e.Build(l)
		if err != nil {
			return fmt.Errorf("%s: %w", e.ID, err)
		}
		if err := describe(l, e, r); err != nil {
			return fmt.Errorf("%s: %w", e.ID, err)
		}
		if err := r.Write(l.Out); err != nil {
			return fmt.Errorf("%s: %w", e.ID, err)
		}
	}
	return writeIndex(l)
}
