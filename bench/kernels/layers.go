package kernels

import (
	"context"
	"time"

	"jem/backend"
	"jem/backend/philox"
)

// Layer is a convolution to measure.
type Layer struct {
	Name  string
	Count int // how often the network has it
	Spec  backend.ConvSpec
}

// LayerResult is what one direction of a convolution took.
type LayerResult struct {
	Layer       string  `json:"layer"`
	Count       int     `json:"count"`
	Direction   string  `json:"direction"` // forward, input gradient, parameter gradient
	Algorithm   string  `json:"algorithm"`
	Seconds     float64 `json:"seconds"` // best of all repetitions
	Repetitions int     `json:"repetitions"`
	GFLOPS      float64 `json:"gflops"`
	PeakShare   float64 `json:"peak_share,omitempty"` // of the measured peak; absent where that is unknown
}

// Layers measures every direction of each layer for at least the given time. peak, in
// GFLOP/s, may be 0: not known.
func Layers(ctx context.Context, dev backend.Device, layers []Layer, least time.Duration, peak float64) ([]LayerResult, error) {
	var all []LayerResult
	for _, l := range layers {
		rs, err := measure(ctx, dev, l, least)
		if err != nil {
			return nil, err
		}
		all = append(all, rs...)
	}
	if peak > 0 {
		for i := range all {
			all[i].PeakShare = all[i].GFLOPS / peak
		}
	}
	return all, nil
}

func measure(ctx context.Context, dev backend.Device, l Layer, least time.Duration) ([]LayerResult, error) {
	s, key := l.Spec, philox.New(1, 0, philox.Test)
	fill := func(kind backend.Kind, shape ...int) backend.Tensor {
		t := dev.New(kind, shape...)
		key.Sub++
		dev.Normal(t, key, 0, 0.1)
		return t
	}
	w, b := fill(backend.Dense, s.OutC, s.InC, s.Kernel, s.Kernel), fill(backend.Dense, s.OutC)
	dw, db := fill(backend.Dense, s.OutC, s.InC, s.Kernel, s.Kernel), fill(backend.Dense, s.OutC)
	x, dx := fill(backend.Image, s.N, s.InC, s.H, s.W), fill(backend.Image, s.N, s.InC, s.H, s.W)
	y, dy := fill(backend.Image, s.N, s.OutC, s.OutH(), s.OutW()), fill(backend.Image, s.N, s.OutC, s.OutH(), s.OutW())
	defer dev.Free(w, b, dw, db, x, dx, y, dy)

	conv := dev.NewConv(s, w, b)
	dev.ParamsChanged()
	forward, inputGrad, paramGrad := conv.Algorithms()
	var all []LayerResult
	for _, d := range []struct {
		name, algorithm string
		run             func()
	}{
		{"forward", forward, func() { conv.Forward(y, nil, x, nil) }},
		{"input gradient", inputGrad, func() { conv.InputGrad(dx, dy, nil, nil) }},
		{"parameter gradient", paramGrad, func() { conv.ParamGrad(dw, db, x, dy) }},
	} {
		r := LayerResult{Layer: l.Name, Count: l.Count, Direction: d.name, Algorithm: d.algorithm}
		if err := repeat(ctx, dev, d.run, least, &r); err != nil {
			return nil, err
		}
		r.GFLOPS = 2 * s.MACs(s.N) / r.Seconds / 1e9
		all = append(all, r)
	}
	return all, nil
}

// repeat runs a verb once unmeasured, then for at least the given time.
func repeat(ctx context.Context, dev backend.Device, run func(), least time.Duration, r *LayerResult) error {
	run()
	if err := dev.Sync(); err != nil {
		return err
	}
	for begin := time.Now(); r.Repetitions < 3 || time.Since(begin) < least; r.Repetitions++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		run()
		if err := dev.Sync(); err != nil {
			return err
		}
		if took := time.Since(start).Seconds(); r.Repetitions == 0 || took < r.Seconds {
			r.Seconds = took
		}
	}
	return nil
}
