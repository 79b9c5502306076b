package train

import (
	"context"
	"fmt"
)

// Length is a change of a run's length. The learning rate's cosine ends where the run does, and a
// schedule may be in shares of it, so from here on they are others.
type Length struct {
	At   int `json:"at"`   // steps taken
	From int `json:"from"` // steps of the whole run until then
	To   int `json:"to"`   // from then on
}

// Lengthened says, after Restore, that the run was to have so many steps in all until now. The rest is
// a function of the state and of the present length alone: at each step the rate is that of a
// cosine over the whole of it, as if the run had had that length from the start.
func (t *Trainer) Lengthened(from int) {
	if (t.cfg.Optim.Cosine || t.cfg.SharesLength()) && from != t.TotalSteps() {
		t.progress.Lengths = append(t.progress.Lengths, Length{At: t.progress.Step, From: from, To: t.TotalSteps()})
	}
}

// tellLength reports a change of length, and saves the state with it in.
func (t *Trainer) tellLength(o Observer, k Keeper) error {
	n := len(t.progress.Lengths)
	if n == t.saved.lengths {
		return nil
	}
	l := t.progress.Lengths[n-1]
	follows := "the learning rate follows the cosine that ends with it"
	switch {
	case t.cfg.SharesLength() && t.cfg.Optim.Cosine:
		follows = "the learning rate follows the cosine that ends with it, and train.schedule its shares"
	case t.cfg.SharesLength():
		follows = "train.schedule follows its shares"
	}
	text := fmt.Sprintf("the run has %d steps now, %d before: from step %d on %s", l.To, l.From, l.At, follows)
	if is, was := t.step.RateOf(l.At, l.To), t.step.RateOf(l.At, l.From); is != was { // as in the warm-up
		text += fmt.Sprintf(", %.3g there instead of %.3g", is, was)
	}
	if err := t.accord.Lead(func(context.Context) error { return o.Note(l.At, text) }); err != nil {
		return err
	}
	if err := t.save(o, k); err != nil {
		return err
	}
	return t.settle(o, nil) // config.yaml has the new length already: whoever goes on after a kill doesn't see the change
}
