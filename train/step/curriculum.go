package step

import (
	"maps"
	"slices"

	"jem/config"
	"jem/internal/metrics"
	"jem/model"
)

// Curriculum is how far a negative's images move, where that grows with what the model has learnt
// (DAT): the further, the better log p(x) tells data from them.
type Curriculum struct {
	Steps int       `json:"steps"`         // moves at present
	AUC   []float64 `json:"auc,omitempty"` // of the latest steps since they were that many
}

// add takes in how well a step told data from the images, and raises the number of moves by one when
// the mean over the window has come to the limit.
func (c *Curriculum) add(auc float64, n config.Negative) {
	c.AUC = append(c.AUC, auc)
	if extra := len(c.AUC) - n.Window; extra > 0 {
		c.AUC = slices.Delete(c.AUC, 0, extra)
	}
	total := 0.0
	for _, v := range c.AUC {
		total += v
	}
	if len(c.AUC) == n.Window && total >= float64(n.AUC)*float64(n.Window) && c.Steps < n.MaxSteps {
		*c = Curriculum{Steps: c.Steps + 1}
	}
}

// Curricula are the curricula at present, by the negative's name. They are state of the run.
func (s *Step) Curricula() map[string]Curriculum {
	all := map[string]Curriculum{}
	for role, c := range s.curricula {
		all[config.NegativeNames[role]] = Curriculum{c.Steps, slices.Clone(c.AUC)}
	}
	return all
}

// SetCurricula puts curricula back; one that isn't there begins.
func (s *Step) SetCurricula(all map[string]Curriculum) {
	s.curricula = begun(s.cfg.Ever())
	for role, c := range s.curricula {
		if was, ok := all[config.NegativeNames[role]]; ok {
			*c = Curriculum{was.Steps, slices.Clone(was.AUC)}
		}
	}
}

// begun are the curricula that a run has at its start.
func begun(c config.Config) map[model.Role]*Curriculum {
	all := map[model.Role]*Curriculum{}
	for role, n := range c.Negatives() {
		if n.MaxSteps > 0 {
			all[role] = &Curriculum{Steps: n.Steps}
		}
	}
	return all
}

// observe says how well log p(x) tells data from the images of a curriculum, by role, and, for the
// record, how far these moved, dreams where attacked images have a curriculum, too.
func (s *Step) observe() (auc map[model.Role]float64, moves int) {
	data := s.Batch.Part(model.DataPX)
	for _, role := range slices.Sorted(maps.Keys(s.curricula)) {
		c := s.curricula[role]
		if i := s.Batch.Part(role); i >= 0 && data >= 0 {
			d, err := metrics.Detect(s.Batch.logPx(data), s.Batch.logPx(i))
			if err != nil {
				continue // not finite: the step will not be taken
			}
			if auc == nil {
				auc = map[model.Role]float64{}
			}
			auc[role], moves = d.AUROC, c.Steps
		}
	}
	return auc, moves
}

// advance takes a step's areas into the curricula.
func (s *Step) advance(auc map[model.Role]float64) {
	ever := s.cfg.Ever()
	for role, v := range auc {
		s.curricula[role].add(v, ever.Negatives()[role])
	}
}
