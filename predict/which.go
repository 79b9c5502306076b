package predict

import "jem/internal/fault"

// Which says which of a run's weights are used.
type Which string

// The weights that a run has.
const (
	Usual Which = ""    // the averaged ones where there are some, else the raw ones
	EMA   Which = "ema" // their moving average over the steps of training, see optim.ema
	Raw   Which = "raw" // as the last step left them
)

// Using opens a run with those of its weights. Files have one kind of them.
func Using(which Which) Option { return func(p *Predictor) { p.which = which } }

// uses reports whether the weights asked for are the averaged ones. The error is a *fault.Error
// where the run has none.
func (s *stored) uses(which Which) (averaged bool, err error) {
	have := s.config.Optim.EMA > 0
	if which == EMA && !have {
		return false, &fault.Error{Path: s.state.Path, Kind: fault.ErrMissing, Reason: "has no averaged weights: the run was trained with optim.ema 0; its raw ones are its only ones"}
	}
	return have && which != Raw, nil
}

// Into opens a network in the place of another one that nobody uses any more, if it is of the same kind: with its
// plans and in its memory, which a device may have no other way to get back. Of nil, or of another kind, it does nothing.
func Into(spare *Predictor) Option { return func(p *Predictor) { p.spare = spare } }
