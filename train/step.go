package train

import (
	"math"
	"time"

	"jem/internal/philox"
	"jem/model"
	"jem/sampler"
)

// step runs one training step (Grathwohl et al. 2020, algorithm 1):
//
//  1. take data (x⁺, and (x,y) of the labelled stream),
//  2. draw chains from the replay buffer, move them K SGLD steps: x⁻, put them back,
//  3. logits of everything, the loss, the gradient at the logits, parameter gradients,
//  4. stop here if anything diverged: the weights are still those of the last step, and a
//     checkpoint has the chains of then, too,
//  5. move the weights.
func (t *Trainer) step(step int) (Record, error) {
	r := Record{Step: step + 1, Epoch: t.epoch(step), Images: int64(step+1) * int64(t.cfg.Train.Batch)}
	clock := time.Now()
	if err := t.load(step); err != nil {
		return r, err
	}
	r.DataSeconds = lap(&clock)
	t.sample(step)
	if err := t.dev.Sync(); err != nil {
		return r, err
	}
	if err := t.inspect(&r); err != nil {
		return r, err
	}
	r.SampleSeconds = lap(&clock)
	if err := t.differentiate(step, &r); err != nil {
		return r, err
	}
	if err := t.guard(&r); err != nil {
		return r, err
	}
	r.GradientSeconds = lap(&clock)
	t.update(step, &r)
	if err := t.dev.Sync(); err != nil {
		return r, err
	}
	r.UpdateSeconds = lap(&clock)
	return r, nil
}

// draw is the step under which random numbers are drawn and data are taken: after a rollback
// one that no run comes to, so that everything random is new and still a function of the
// step.
func (t *Trainer) draw(step int) int { return step + int(t.progress.Reseed)<<reseedShift }

// reseedShift leaves 2²⁴ steps to each of 2⁸ reseeds: keys have 32 bits for the step.
const reseedShift = 24

// load uploads the step's data and labels.
func (t *Trainer) load(step int) error {
	b := t.batch
	for i, p := range b.parts {
		if p.Role&(model.DataPX|model.Labeled) == 0 {
			continue
		}
		stream := t.src.PX
		if p.Role&model.Labeled != 0 {
			stream = t.src.Labeled
		}
		images, labels, err := stream.Batch(t.draw(step))
		if err != nil {
			return err
		}
		t.dev.Upload(b.views[i].x, images)
		copy(b.host(i), labels)
	}
	t.label(step)
	t.dev.UploadIndex(b.labels, b.hostLabels)
	return nil
}

// label chooses the labels that chains climb to: those of the labelled batch for
// log p(x,y), uniform ones for class-conditional samples of log p(x).
func (t *Trainer) label(step int) {
	b := t.batch
	if i := b.part(model.ChainXY); i >= 0 {
		copy(b.host(i), b.host(b.part(model.Labeled)))
	}
	if i := b.part(model.ChainPX); i >= 0 && t.cfg.Objective.ClassCond {
		key := t.keys.labels.At(t.draw(step), 0)
		for j := range b.host(i) {
			b.host(i)[j] = int32(key.IntN(uint64(j), t.net.Config.Classes))
		}
	}
}

// sample turns the chain parts into samples of the present model.
func (t *Trainer) sample(step int) {
	for which, role := range [...]model.Role{model.ChainPX, model.ChainXY} {
		if i := t.batch.part(role); i >= 0 {
			t.chain(i, step, which)
		}
	}
}

// chain draws, moves and puts back the chains of part i; which numbers them within the step.
func (t *Trainer) chain(i, step, which int) {
	v, labels := t.batch.views[i], []int32(nil)
	if t.conditional(i) {
		labels = t.batch.host(i)
	}
	t.buffer.Draw(v.x, labels, t.draw(step), which)
	if t.moves[which] == nil {
		t.moves[which] = sampler.NewChains(t.dev, t.sgld, v.x, v.grad, func(int) sampler.Target { return t.density(i) })
	}
	steps := t.sgld.Steps + t.cfg.Guard.ExtraSteps*int(t.progress.Reseed)
	t.moves[which].Move(t.batch.parts[i].N, steps, t.keys.chain.At(t.draw(step), which*steps))
	t.buffer.Put(v.x)
}

// conditional reports whether the chains of part i belong to classes.
func (t *Trainer) conditional(i int) bool {
	return t.batch.parts[i].Role&model.ChainXY != 0 || t.cfg.Objective.ClassCond
}

// density is what the chains of part i climb.
func (t *Trainer) density(i int) sampler.Target {
	if t.conditional(i) {
		return model.Given{JEM: t.jem, Labels: t.batch.views[i].labels}
	}
	return t.jem
}

// differentiate computes the loss and the parameter gradients. Parts go through the
// network together unless its norm would couple them.
func (t *Trainer) differentiate(step int, r *Record) error {
	b := t.batch
	t.dev.Fill(t.net.Params.Grad, 0)
	if !t.net.Config.Coupled() {
		whole := view{x: b.x, labels: b.labels, coef: b.coef, dlogit: b.dlogit}
		if err := t.pass(whole, b.logits, t.dropKey(step, 0)); err != nil {
			return err
		}
	} else {
		done := 0
		for i, v := range b.views {
			n := b.parts[i].N * t.net.Config.Classes
			if err := t.pass(v, b.logits[done:done+n], t.dropKey(step, i)); err != nil {
				return err
			}
			done += n
		}
	}
	r.Terms = t.objective.Terms(b.parts, b.logits, b.hostLabels)
	return t.gradNorm(r)
}

// pass runs one part forward and backward and brings its logits to the host.
func (t *Trainer) pass(v view, logits []float32, drop philox.Key) error {
	l := t.net.Forward(v.x, model.Mode{Train: true, DropKey: drop})
	t.dev.LogitGrad(v.dlogit, l, v.labels, v.coef)
	t.net.ParamGrad(v.dlogit)
	return t.dev.Download(logits, l)
}

// dropKey separates the dropout masks of a step's passes; a network has fewer than 256 blocks.
func (t *Trainer) dropKey(step, pass int) philox.Key { return t.keys.drop.At(t.draw(step), pass<<8) }

// gradNorm measures the global gradient norm; a non-finite element anywhere shows in it.
func (t *Trainer) gradNorm(r *Record) error {
	t.dev.SumSquares(t.sumSquares, t.net.Params.Grad)
	var s [1]float32
	if err := t.dev.Download(s[:], t.sumSquares); err != nil {
		return err
	}
	r.GradNorm = math.Sqrt(float64(s[0]))
	return nil
}

// update moves the weights and their moving average.
func (t *Trainer) update(step int, r *Record) {
	r.LR = t.schedule.At(step, t.epoch(step)) * float32(math.Pow(float64(t.cfg.Guard.LRFactor), float64(t.progress.Reseed)))
	scale := float32(1)
	if c := float64(t.cfg.Optim.ClipNorm); c > 0 && r.GradNorm > c {
		scale = float32(c / r.GradNorm)
	}
	t.optimizer.Step(r.LR, scale, step)
	if t.ema != nil {
		t.ema.Update(step)
	}
}

func lap(clock *time.Time) float64 {
	now := time.Now()
	seconds := now.Sub(*clock).Seconds()
	*clock = now
	return seconds
}
