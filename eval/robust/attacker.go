package robust

import (
	"context"
	"fmt"
	"math"

	"jem/backend/philox"
	"jem/eval/attack"
	"jem/internal/fault"
	"jem/predict"
)

// attacker makes the attack of a radius, or the one that looks for the smallest change. With
// climb it goes on with images that are broken already.
func attacker(p *predict.Predictor, o Options, climb bool) (in func(radius float64) attack.Attack, free attack.Attack) {
	ball := func(radius float64) attack.Ball { return attack.Ball{Norm: attack.Norm(o.Norm), Radius: radius} }
	c := p.Net().Config
	switch o.Kind {
	case "apgd-ce":
		return func(r float64) attack.Attack {
			return attack.APGD{Ball: ball(r), Loss: attack.CrossEntropy, Steps: o.Steps, Restarts: o.Restarts, Climb: climb}
		}, nil
	case "apgd-dlr":
		return func(r float64) attack.Attack {
			return attack.APGD{Ball: ball(r), Loss: attack.DLR, Steps: o.Steps, Restarts: o.Restarts, Climb: climb}
		}, nil
	case "square":
		return func(r float64) attack.Attack {
			return attack.Square{Ball: ball(r), Queries: o.Queries, Shape: []int{c.InC, c.Size, c.Size}}
		}, nil
	case "boundary":
		return nil, attack.Boundary{Steps: o.Queries}
	case "pointwise":
		return nil, attack.Pointwise{}
	}
	return func(r float64) attack.Attack {
		return attack.PGD{Ball: ball(r), Steps: o.Steps, Restarts: o.Restarts, Climb: climb}
	}, nil
}

// transfer makes an attack's images against another target.
func transfer(from attack.Target, in func(radius float64) attack.Attack) func(radius float64) attack.Attack {
	return func(radius float64) attack.Attack { return attack.Transfer{From: from, With: in(radius)} }
}

// expected averages a target over draws of its noise.
func expected(t attack.Target, draws int) attack.Target {
	if draws == 1 {
		return t
	}
	return &attack.Expected{Of: t, Draws: draws}
}

// until is a target that answers until its context ends, or its answers are no numbers, from
// which an attack would make a wrong figure.
type until struct {
	ctx context.Context
	attack.Target
}

// Logits implements attack.Target.
func (u *until) Logits(images []float32, n int, key philox.Key) ([]float32, error) {
	if err := u.ctx.Err(); err != nil {
		return nil, err
	}
	return sane(u.Target.Logits(images, n, key))
}

// Gradient implements attack.Target.
func (u *until) Gradient(dx, images []float32, loss attack.Loss, labels []int32, key philox.Key) ([]float32, error) {
	if err := u.ctx.Err(); err != nil {
		return nil, err
	}
	return sane(u.Target.Gradient(dx, images, loss, labels, key))
}

// sane passes finite logits on.
func sane(logits []float32, err error) ([]float32, error) {
	if err != nil {
		return nil, err
	}
	for i, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, &fault.Error{Kind: fault.ErrBad, Reason: fmt.Sprintf("logit %d of a batch is %g: the weights are broken, or SGLD left the images", i, v)}
		}
	}
	return logits, nil
}
