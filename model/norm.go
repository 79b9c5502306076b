package model

import "jem/backend"

// Constants of PyTorch's norms as the official code builds them: ε is the default; batch
// norm's momentum is 0.9 in PyTorch's sense (the share of the new batch), so running
// statistics follow the last batches closely.
const (
	normEps      = 1e-5
	normMomentum = 0.9
)

// normLayer is a planned norm with the places of its parameter gradients.
type normLayer struct {
	backend.Norm
	dgamma, dbeta backend.Tensor
}

// norm plans the norm with the given name over (c,size,size) maps, or returns nil when
// the network has none.
func (n *wideResNet) norm(name string, c, size int) *normLayer {
	kind, ok := n.Config.normKind()
	if !ok {
		return nil
	}
	var mean, variance backend.Tensor
	if kind == backend.BatchNorm {
		mean, variance = n.dev.New(backend.Dense, c), n.dev.New(backend.Dense, c)
		n.dev.Fill(variance, 1)
		n.Stats = append(n.Stats, Stat{name + ".running_mean", mean}, Stat{name + ".running_var", variance})
	}
	gamma, beta := n.Params.must(name+".weight"), n.Params.must(name+".bias")
	spec := backend.NormSpec{Kind: kind, C: c, H: size, W: size, Eps: normEps, Momentum: normMomentum}
	return &normLayer{
		Norm:   n.dev.NewNorm(spec, gamma.Value, beta.Value, mean, variance),
		dgamma: gamma.Grad,
		dbeta:  beta.Grad,
	}
}

func (l *normLayer) forward(y, x backend.Tensor, m Mode) { l.Forward(y, x, m.Norm) }

// backward assigns dx and, when params is true, accumulates the parameter gradients;
// x is the input of the last forward. dx may be dy.
func (l *normLayer) backward(dx, dy, x backend.Tensor, params bool) {
	if params {
		l.ParamGrad(l.dgamma, l.dbeta, x, dy)
	}
	l.InputGrad(dx, dy, x)
}
