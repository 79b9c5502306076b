package cpu

import (
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/internal/allocs"
)

// onEach runs f for every instruction set of this machine, every family of algorithms and
// every awkward shape. The bounds are those of the forward pass and the two gradients.
func onEach(t *testing.T, f func(t *testing.T, l *layer, bounds [3]float64)) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, algo := range []string{"direct", "winograd"} {
			for _, spec := range oracleSpecs {
				l := newLayer(openDevice(t, Options{ISA: isa.String(), Threads: 2, ConvAlgo: algo}), spec)
				if algo == "winograd" && !winoFits(l.conv.(*conv), forwardPass) {
					continue // the same as direct
				}
				t.Run(algo+"/"+specName(spec), func(t *testing.T) {
					forward, input, param := l.conv.Algorithms()
					f(t, l, [3]float64{bound(forward, spec.Stride), bound(input, spec.Stride), bound(param, spec.Stride)})
				})
			}
		}
	})
}

func testDevice(tb testing.TB, isa asm.ISA, threads int) *Device {
	return openDevice(tb, Options{ISA: isa.String(), Threads: threads})
}

func TestConvForwardIsTheDefinition(t *testing.T) {
	onEach(t, func(t *testing.T, l *layer, bounds [3]float64) {
		want := make([]sum, len(l.dy))
		hw := l.spec.OutH() * l.spec.OutW()
		for i := range want {
			want[i].add(float64(l.b[i/hw%l.spec.OutC]))
		}
		product(l.spec, func(yi, wi, xi int) { want[yi].add(float64(l.w[wi]) * float64(l.x[xi])) })
		raw, act := l.newY(), l.newY()
		poison(raw, act)
		l.conv.Forward(raw, nil, l.tx, nil)
		compare(t, "raw", download(t, l.d, raw), want, bounds[0])

		for i, r := range l.dy {
			want[i].add(float64(r))
		}
		poison(raw)
		l.conv.Forward(raw, act, l.tx, l.ty)
		compare(t, "raw with residual", download(t, l.d, raw), want, bounds[0])
		copy(act.data, l.ty.data)
		l.conv.Forward(act, nil, l.tx, act)
		compare(t, "in place", download(t, l.d, act), want, bounds[0])
		poison(act)
		l.conv.Forward(nil, act, l.tx, l.ty)
		for i := range want {
			want[i] = leaky(want[i])
		}
		compare(t, "act", download(t, l.d, act), want, bounds[0])
		checkZeros(t, "raw", raw)
		checkZeros(t, "act", act)
	})
}

func TestConvInputGradIsTheTranspose(t *testing.T) {
	onEach(t, func(t *testing.T, l *layer, bounds [3]float64) {
		want := make([]sum, len(l.x))
		product(l.spec, func(yi, wi, xi int) { want[xi].add(float64(l.w[wi]) * float64(l.dy[yi])) })
		dx := l.newX()
		poison(dx)
		l.conv.InputGrad(dx, l.ty, nil, nil)
		compare(t, "dx", download(t, l.d, dx), want, bounds[1])

		for i, x := range l.x {
			if !(x > 0) {
				want[i] = want[i].scale(0.2)
			}
			want[i].add(float64(x))
		}
		poison(dx)
		l.conv.InputGrad(dx, l.ty, l.tx, l.tx)
		compare(t, "dx with slope and residual", download(t, l.d, dx), want, bounds[1])
		checkZeros(t, "dx", dx)
	})
}

func TestConvParamGradAccumulates(t *testing.T) {
	onEach(t, func(t *testing.T, l *layer, bounds [3]float64) {
		dw, db := make([]sum, len(l.w)), make([]sum, len(l.b))
		for i := range dw {
			dw[i].add(float64(l.w[i]))
		}
		hw := l.spec.OutH() * l.spec.OutW()
		for i, v := range l.dy {
			db[i/hw%l.spec.OutC].add(float64(v))
		}
		product(l.spec, func(yi, wi, xi int) { dw[wi].add(float64(l.x[xi]) * float64(l.dy[yi])) })
		tw, tb := upload(l.d, backend.Dense, l.w, l.tw.shape...), l.d.New(backend.Dense, l.spec.OutC).(*tensor)
		l.conv.ParamGrad(tw, tb, l.tx, l.ty)
		compare(t, "dw", tw.data, dw, bounds[2])
		compare(t, "db", tb.data, db, bounds[2])
		tw = upload(l.d, backend.Dense, l.w, l.tw.shape...)
		l.conv.ParamGrad(tw, nil, l.tx, l.ty)
		compare(t, "dw alone", tw.data, dw, bounds[2])
	})
}

func TestConvFollowsItsParameters(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		l := newLayer(testDevice(t, isa, 1), oracleSpecs[0])
		before, after := l.newY(), l.newY()
		l.conv.Forward(before, nil, l.tx, nil)
		for i := range l.tw.data {
			l.tw.data[i] *= 2
		}
		for i := range l.tb.data {
			l.tb.data[i] *= 2
		}
		l.d.ParamsChanged()
		l.conv.Forward(after, nil, l.tx, nil)
		for i, v := range before.data {
			if after.data[i] != 2*v {
				t.Fatalf("%s: element %d is %g after doubling the parameters, was %g", isa, i, after.data[i], v)
			}
		}
	})
}

func TestConvTakesAnyBatch(t *testing.T) {
	batched := oracleSpecs[3]
	tiled := backend.ConvSpec{N: 13, InC: 16, OutC: 48, H: 4, W: 12, Kernel: 3, Stride: 1, Pad: 1}
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range []backend.ConvSpec{batched, tiled} {
			l := newLayer(testDevice(t, isa, 2), spec)
			all, one := l.newY(), l.newY()
			l.conv.Forward(all, nil, l.tx, nil)
			for n := range l.spec.N {
				l.conv.Forward(l.d.Rows(one, n, n+1), nil, l.d.Rows(l.tx, n, n+1), nil)
			}
			for i, v := range all.data {
				if one.data[i] != v {
					t.Fatalf("%s/%s: element %d differs between batches", isa, specName(spec), i)
				}
			}
		}
	})
}

func TestConvAllocatesNothing(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range oracleSpecs {
			l := newLayer(testDevice(t, isa, 2), spec)
			y, dx := l.newY(), l.newX()
			tw, tb := upload(l.d, backend.Dense, l.w, l.tw.shape...), upload(l.d, backend.Dense, l.b, l.spec.OutC)
			n := allocs.PerRun(2, func() {
				l.d.ParamsChanged()
				l.conv.Forward(nil, y, l.tx, l.ty)
				l.conv.InputGrad(dx, l.ty, l.tx, nil)
				l.conv.ParamGrad(tw, tb, l.tx, l.ty)
			})
			if n != 0 {
				t.Errorf("%s/%s: %v allocations a round", isa, specName(spec), n)
			}
		}
	})
}

// networkLayer is a convolution at full size, with d the only thing that varies.
func networkLayer(d *Device, spec backend.ConvSpec) (l *layer, y, dx, dw, db *tensor) {
	l = newLayer(d, spec)
	y, dx = l.newY(), l.newX()
	dw, db = d.New(backend.Dense, l.tw.shape...).(*tensor), d.New(backend.Dense, spec.OutC).(*tensor)
	l.conv.Forward(y, nil, l.tx, nil)
	l.conv.InputGrad(dx, l.ty, nil, nil)
	l.conv.ParamGrad(dw, db, l.tx, l.ty)
	return l, y, dx, dw, db
}

func TestConvIsTheSameOnAnyNumberOfThreads(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range oracleSpecs {
			_, y1, dx1, dw1, db1 := networkLayer(testDevice(t, isa, 1), spec)
			for _, threads := range []int{2, 3} {
				_, y, dx, dw, db := networkLayer(testDevice(t, isa, threads), spec)
				for i, pair := range [][2]*tensor{{y1, y}, {dx1, dx}, {dw1, dw}, {db1, db}} {
					if !slices.Equal(pair[0].data, pair[1].data) {
						t.Errorf("%s/%s: %s differs between 1 and %d threads", isa, specName(spec), [...]string{"y", "dx", "dw", "db"}[i], threads)
					}
				}
			}
		}
	})
}

func dot(a, b []float32) sum {
	var s sum
	for i := range a {
		s.add(float64(a[i]) * float64(b[i]))
	}
	return s
}

// TestConvGradientsAreAdjoint: ⟨x∗w, dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩ at the networks' sizes.
func TestConvGradientsAreAdjoint(t *testing.T) {
	if testing.Short() {
		t.Skip("full-size layers")
	}
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range networkSpecs {
			if spec.N = min(spec.N, 3); isa == asm.Generic && spec.InC > 128 {
				continue // seconds each
			}
			l, y, dx, dw, db := networkLayer(testDevice(t, isa, 2), spec)
			forward := dot(download(t, l.d, y), l.dy)
			forward.v -= dot(l.b, db.data).v // the bias is no part of the identity
			for name, s := range map[string]sum{"x·dx": dot(l.x, download(t, l.d, dx)), "w·dw": dot(l.w, dw.data)} {
				// Roundings of some 10⁵ elements, each a few u of its size, average out
				// to 0.12·u·Σ|ab| at most (measured); 0.5 leaves room.
				const u = 1.0 / (1 << 24)
				if e := math.Abs(forward.v - s.v); !(e <= u/2*(forward.size+s.size)) {
					t.Errorf("%s/%s: y·dy is %g, %s is %g", isa, specName(spec), forward.v, name, s.v)
				}
			}
		}
	})
}
