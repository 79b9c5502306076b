package cpu

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/cpu/asm"
)

func TestTmp(t *testing.T) {
	for _, isa := range asm.Available() {
		for _, spec := range []backend.ConvSpec{
			{N: 2, InC: 16, OutC: 16, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
			{N: 13, InC: 20, OutC: 50, H: 8, W: 12, Kernel: 3, Stride: 1, Pad: 1},
			{N: 3, InC: 32, OutC: 32, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
		} {
			d := testDevice(t, isa, 2)
			l := newLayer(d, spec)
			w := newWino(l.conv.(*conv), false)
			y := l.newY()
			poison(y)
			w.run(operands{n: spec.N, src: l.tx, raw: y})
			want := make([]sum, len(l.dy))
			hw := l.spec.OutH() * l.spec.OutW()
			for i := range want {
				want[i].add(float64(l.b[i/hw%l.spec.OutC]))
			}
			product(l.spec, func(yi, wi, xi int) { want[yi].add(float64(l.w[wi]) * float64(l.x[xi])) })
			worst := 0.0
			for i, v := range download(t, d, y) {
				worst = max(worst, (math.Abs(float64(v)-want[i].v))/want[i].size*(1<<24))
				if v != v {
					t.Fatal("nan", i)
				}
			}
			t.Log(isa, specName(spec), worst)
			checkZeros(t, "y", y)
		}
	}
}

func TestTmpBench(t *testing.T) {
	if os.Getenv("WB") == "" {
		t.Skip()
	}
	for _, isa := range asm.Available()[1:] {
		for _, spec := range networkSpecs {
			if spec.Kernel != 3 || spec.Stride != 1 || spec.InC < 16 {
				continue
			}
			if testing.Short() && spec.InC > 128 {
				continue
			}
			d := testDevice(t, isa, 2)
			l := newLayer(d, spec)
			c := l.conv.(*conv)
			y, dx := l.newY(), l.newX()
			line := fmt.Sprintf("%s %-24s", isa, specName(spec))
			kernels := asm.ConvFor(isa)
			direct, directIn := newForward(c, kernels), newInputGrad(c, kernels)
			ts := []int{8, 16, 32, 64}
			run := []func(){
				func() { direct.run(operands{n: spec.N, src: l.tx, act: y, residual: l.ty}) },
				func() { directIn.run(operands{n: spec.N, src: l.ty, raw: dx, sign: l.tx}) },
			}
			for _, tt := range ts {
				winoBlock = tt
				w, wi := newWino(c, false), newWino(c, true)
				run = append(run,
					func() { w.run(operands{n: spec.N, src: l.tx, act: y, residual: l.ty}) },
					func() { wi.run(operands{n: spec.N, src: l.ty, raw: dx, sign: l.tx}) })
			}
			best := make([]time.Duration, len(run))
			for i := range best {
				best[i] = math.MaxInt64
			}
			for range 15 {
				for i, f := range run {
					for range 2 {
						start := time.Now()
						f()
						best[i] = min(best[i], time.Since(start))
					}
				}
			}
			for i, b := range best {
				g := 2 * spec.MACs(spec.N) / float64(b.Nanoseconds())
				line += fmt.Sprintf(" %5.0f", g)
				if i%2 == 1 {
					line += fmt.Sprintf(" (%.2f %.2f)", float64(best[0])/float64(best[i-1]), float64(best[1])/float64(b))
				}
			}
			fmt.Printf("%s peak %.0f\n", line, d.Peak())
		}
	}
}
