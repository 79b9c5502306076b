package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
)

// layout is a kind and shape worth trying: one element, one more than a power of two,
// channels below, at, and beside the multiples of a vector register.
type layout struct {
	kind  backend.Kind
	shape []int
}

func (l layout) String() string { return fmt.Sprint(l.kind, l.shape) }

func layouts() []layout {
	d, i := backend.Dense, backend.Image
	return []layout{
		{d, []int{1}}, {d, []int{8193}}, {d, []int{3, 5}}, {d, []int{2, 3, 4, 5}},
		{i, []int{1, 1, 1, 1}}, {i, []int{3, 3, 5, 7}}, {i, []int{1, 5, 3, 2}}, {i, []int{3, 16, 3, 3}},
		{i, []int{1, 17, 3, 5}}, {i, []int{2, 24, 1, 9}}, {i, []int{3, 32, 7, 5}}, {i, []int{1, 40, 4, 4}},
	}
}

func memoryChecks() []Check {
	return []Check{
		{"memory", "new_is_zero", newIsZero},
		{"memory", "round_trip", roundTrip},
		{"memory", "rows_share_memory", rowsShare},
		{"memory", "view_shares_memory", viewShares},
		{"memory", "upload_rows", uploadRows},
		{"memory", "copy_between_kinds", copyKinds},
		{"memory", "fill", fill},
		{"memory", "image_border_stays_zero", borderStaysZero},
	}
}

func newIsZero(p *Probe) {
	for _, l := range layouts() {
		p.same(l.String(), p.alloc(l.kind, l.shape...), make([]float32, size(l.shape)))
	}
}

// roundTrip uploads bit patterns that arithmetic would change (−0, denormals, NaN, ±∞).
func roundTrip(p *Probe) {
	for _, l := range layouts() {
		v := p.random(size(l.shape))
		for i, x := range []float32{float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, float32(math.NaN()), float32(math.Inf(-1)), math.MaxFloat32} {
			if i < len(v)-1 {
				v[i] = x
			}
		}
		p.fixed(v, l.kind, l.shape...)
		src := append([]float32{}, v...)
		t := p.put(src, l.kind, l.shape...)
		clear(src) // "src may be reused at once"
		p.same(l.String(), t.Tensor, v)
	}
}

// rowsShare writes through a view and reads the owner, and the other way.
func rowsShare(p *Probe) {
	for _, l := range []layout{{backend.Dense, []int{5, 7}}, {backend.Image, []int{5, 3, 4, 3}}, {backend.Image, []int{5, 17, 4, 3}}} {
		v := p.random(size(l.shape))
		t := p.put(append([]float32{}, v...), l.kind, l.shape...)
		row := len(v) / 5
		view := p.dev.Rows(t.Tensor, 1, 3)
		p.same(l.String()+" rows 1:3", view, v[row:3*row])
		fresh := p.random(2 * row)
		p.dev.Upload(view, fresh)
		copy(v[row:], fresh)
		p.same(l.String()+" after writing rows 1:3", t.Tensor, v)
		p.dev.Fill(p.dev.Rows(p.dev.Rows(t.Tensor, 2, 5), 2, 3), 7) // row 4, a view of a view
		for i := 4 * row; i < 5*row; i++ {
			v[i] = 7
		}
		p.same(l.String()+" after filling row 4", t.Tensor, v)
	}
	// Neighbours of a destination that is a view stay as they are.
	x, slots := p.put(p.random(12), backend.Dense, 12), p.index(0, 1, 2, 3)
	dst := p.put(make([]float32, 4), backend.Dense, 4)
	p.dev.GatherRows(p.dev.Rows(dst.Tensor, 1, 3), x.Tensor, p.dev.Rows(slots, 2, 4))
	p.same("gather through index rows 2:4", dst.Tensor, []float32{0, x.v[2], x.v[3], 0})
}

func viewShares(p *Probe) {
	t := p.put(p.random(40), backend.Dense, 8, 5)
	v := append([]float32{}, t.v...)
	view := p.dev.View(t.Tensor, 7, 3, 2)
	p.same("view", view, v[7:13])
	p.dev.Axpy(view, 1, p.put([]float32{1, 2, 3, 4, 5, 6}, backend.Dense, 3, 2).Tensor)
	for i := range 6 {
		v[7+i] += float32(i + 1)
	}
	p.same("owner after Axpy on the view", t.Tensor, v)
	p.same("view of the view", p.dev.View(view, 2, 3), v[9:12])
}

func uploadRows(p *Probe) {
	for _, l := range []layout{{backend.Dense, []int{5, 7}}, {backend.Image, []int{5, 3, 4, 3}}, {backend.Image, []int{5, 20, 4, 3}}} {
		t := p.put(p.random(size(l.shape)), l.kind, l.shape...)
		want, row := append([]float32{}, t.v...), len(t.v)/5
		src := p.random(3 * row)
		for i, r := range []int{4, 0, 2} {
			copy(want[r*row:(r+1)*row], src[i*row:])
		}
		p.dev.UploadRows(t.Tensor, []int{4, 0, 2}, src)
		clear(src)
		p.same(l.String(), t.Tensor, want)
	}
}

func copyKinds(p *Probe) {
	for _, l := range layouts() {
		x := p.in(l.kind, l.shape...)
		same := p.out(l.kind, l.shape...)
		p.dev.Copy(same, x.Tensor)
		p.same(l.String(), same, x.v)
		if l.kind != backend.Image {
			continue
		}
		dense := p.out(backend.Dense, l.shape...)
		p.dev.Copy(dense, x.Tensor)
		p.same(l.String()+" to dense", dense, x.v)
		back := p.out(backend.Image, l.shape...)
		p.dev.Copy(back, dense)
		p.same(l.String()+" from dense", back, x.v)
	}
}

func fill(p *Probe) {
	for _, l := range layouts() {
		t := p.out(l.kind, l.shape...)
		want := make([]float32, size(l.shape))
		for i := range want {
			want[i] = -2.5
		}
		p.dev.Fill(t, -2.5)
		p.same(l.String(), t, want)
	}
}

// borderStaysZero lets every operation that writes images write one, and sums 3×3
// windows of the result: whatever a device keeps around and between images, and in
// channels that pad a block, must not leak into a convolution or a sum.
func borderStaysZero(p *Probe) {
	shape := []int{2, 17, 5, 3}
	n := size(shape)
	x := p.in(backend.Image, shape...)
	rows := p.in(backend.Dense, 4, n/2)
	act := p.in(backend.Image, shape...)
	small := p.in(backend.Dense, 2, 17)
	nan := p.out(backend.Image, shape...)
	slots := p.index(3, 1)
	writers := []struct {
		name  string
		write func(t backend.Tensor)
	}{
		{"Upload", func(t backend.Tensor) { p.dev.Upload(t, x.v) }},
		{"UploadRows", func(t backend.Tensor) { p.dev.UploadRows(t, []int{0, 1}, x.v) }},
		{"Fill", func(t backend.Tensor) { p.dev.Fill(t, 3) }},
		{"Copy", func(t backend.Tensor) { p.dev.Copy(t, x.Tensor) }},
		{"Copy from dense", func(t backend.Tensor) { p.dev.Copy(t, p.dev.View(rows.Tensor, 0, shape...)) }},
		{"Uniform", func(t backend.Tensor) { p.dev.Uniform(t, p.key(), 1, 2) }},
		{"Normal", func(t backend.Tensor) { p.dev.Normal(t, p.key(), 1, 2) }},
		{"Clamp", func(t backend.Tensor) { p.dev.Copy(t, x.Tensor); p.dev.Clamp(t, 0.5, 0.75) }},
		{"Dropout", func(t backend.Tensor) { p.dev.Dropout(t, x.Tensor, p.key(), 0.5) }},
		{"LeakyReLU", func(t backend.Tensor) { p.dev.LeakyReLU(t, x.Tensor, 0.2) }},
		{"Lerp", func(t backend.Tensor) { p.dev.Fill(t, 1); p.dev.Lerp(t, x.Tensor, 0.5) }},
		{"Axpy", func(t backend.Tensor) { p.dev.Fill(t, 1); p.dev.Axpy(t, 0.5, x.Tensor) }},
		{"AvgPoolGrad", func(t backend.Tensor) { p.dev.AvgPoolGrad(t, small.Tensor, act.Tensor, 0.2) }},
		{"GatherRows", func(t backend.Tensor) { p.dev.GatherRows(t, rows.Tensor, slots) }},
		{"SGLDStep", func(t backend.Tensor) {
			p.dev.Fill(t, 1)
			p.dev.SGLDStep(t, x.Tensor, p.key(), backend.SGLD{StepSize: 1, Noise: 1, Lo: 0.5, Hi: 2})
		}},
		{"SignStep", func(t backend.Tensor) { p.dev.Fill(t, 1); p.dev.SignStep(t, x.Tensor, 0.5) }},
		{"UnitStep", func(t backend.Tensor) { p.dev.Fill(t, 1); p.dev.UnitStep(t, x.Tensor, 2) }},
		{"UnitStep along NaN", func(t backend.Tensor) { p.dev.UnitStep(t, nan, 2); p.dev.Fill(t, 1) }},
		{"Project LInf", func(t backend.Tensor) {
			p.dev.Fill(t, 2)
			p.dev.Project(t, x.Tensor, backend.Ball{Radius: 0.5, Lo: 1, Hi: 2})
		}},
		{"Project L2", func(t backend.Tensor) {
			p.dev.Fill(t, 2)
			p.dev.Project(t, x.Tensor, backend.Ball{Norm: backend.L2, Radius: 0.5, Lo: 1, Hi: 2})
		}},
		{"Project around NaN", func(t backend.Tensor) {
			p.dev.Project(t, nan, backend.Ball{Norm: backend.L2, Radius: 0.5, Lo: 1, Hi: 2})
			p.dev.Fill(t, 1)
		}},
		{"LayerNorm", func(t backend.Tensor) {
			norm := p.dev.NewNorm(backend.NormSpec{Kind: backend.LayerNorm, C: 17, H: 5, W: 3, Eps: 1e-5}, p.in(backend.Dense, 17).Tensor, p.in(backend.Dense, 17).Tensor, nil, nil)
			norm.Forward(t, x.Tensor, backend.MovingStats)
		}},
	}
	spec := backend.ConvSpec{N: 2, InC: 17, H: 5, W: 3, OutC: 2, Kernel: 3, Stride: 1, Pad: 1, Slope: 0.2}
	w := p.in(backend.Dense, 2, 17, 3, 3)
	plan := p.dev.NewConv(spec, w.Tensor, nil)
	for _, wr := range writers {
		t := p.out(backend.Image, shape...)
		wr.write(t)
		v := p.get(t)
		y := p.out(backend.Image, 2, 2, 5, 3)
		plan.Forward(y, nil, t, nil)
		p.near("convolution after "+wr.name, y, convForward(spec, 2, v, w.v, nil), p.convBound(plan, forward))
		sum := p.out(backend.Dense, 1)
		p.dev.SumSquares(sum, t)
		p.near("sum of squares after "+wr.name, sum, sumSquares(v), 2*math.Sqrt(float64(n)))
	}
}
