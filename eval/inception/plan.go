package inception

import "jem/backend"

// planner turns layers into stages, giving the memory of feature maps to later ones as soon as
// nothing reads them any more.
type planner struct {
	n       *Network
	tensors map[string]backend.Tensor
	last    map[string]int // the last layer that reads a feature map
	free    []backend.Tensor
}

func lastUses(layers []layer, kept []string) map[string]int {
	last := map[string]int{}
	for i, l := range layers {
		for _, in := range l.in {
			last[in] = i
		}
	}
	for _, k := range kept {
		last[k] = len(layers)
	}
	return last
}

func (p *planner) stage(i int, l *layer) stage {
	s := stage{layer: l, out: p.take(l.out, l.side())}
	for _, in := range l.in {
		s.in = append(s.in, p.tensors[in])
	}
	if l.kind != maximum {
		s.convs = p.convs(l)
	}
	if len(s.convs) > 1 || l.kind == average {
		s.sum = p.take(l.out, l.side())
		p.free = append(p.free, s.sum)
	}
	p.tensors[l.name] = s.out
	for _, in := range l.in {
		if t := p.tensors[in]; p.last[in] == i && t != nil {
			p.free = append(p.free, t)
			p.tensors[in] = nil // a layer may name an input once only; a map is freed once
		}
	}
	return s
}

// take returns free memory of the shape, or new.
func (p *planner) take(c, side int) backend.Tensor {
	for i, t := range p.free {
		if s := t.Shape(); s[1] == c && s[2] == side {
			p.free = append(p.free[:i], p.free[i+1:]...)
			return t
		}
	}
	return p.n.tensor(backend.Image, Batch, c, side, side)
}

// convs plans one convolution a part of the input; the first has the bias.
func (p *planner) convs(l *layer) (all []backend.Conv) {
	weights, window := p.n.Weights.kernels[l.name], l.kh*l.kw
	first := 0
	for i, c := range l.inC {
		part := make([]float32, 0, l.out*c*window)
		for o := range l.out {
			at := (o*l.channels() + first) * window
			part = append(part, weights[at:at+c*window]...)
		}
		first += c
		w := p.n.tensor(backend.Dense, l.out, c, l.kh, l.kw)
		p.n.dev.Upload(w, part)
		var b backend.Tensor
		if i == 0 {
			b = p.n.tensor(backend.Dense, l.out)
			p.n.dev.Upload(b, p.n.Weights.biases[l.name])
		}
		spec := backend.ConvSpec{
			N: Batch, InC: c, H: l.size, W: l.size, OutC: l.out, Kernel: l.kh, Stride: l.stride, Pad: l.ph,
			NoInputGrad: true, NoParamGrad: true,
		}
		if l.kw != l.kh {
			spec.KernelW, spec.PadW = l.kw, l.pw
		}
		all = append(all, p.n.dev.NewConv(spec, w, b))
	}
	return all
}
