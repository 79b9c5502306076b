package cpu

import (
	"math"
	"testing"

	"jem/backend"
	"jem/backend/philox"
)

// pictureNet is a small network for pictures (3,H,W): a layer of 16 channels, dropout; 3×3 with stride 2
// beside a 1×1 shortcut to 32 channels, added in place; 3×3; a mean over pixels. Its step moves the
// pictures up the mean's gradient.
type pictureNet struct {
	d                       *Device
	stem, down, short, last backend.Conv
	grads                   []*tensor // of the four layers' parameters

	x, dx, norms, pooled                  *tensor
	act, drop, out, feature, top          *tensor
	dtop, dout, dact                      *tensor
	dpooled                               *tensor
	labels, logits, lse, dlogits, w, bias *tensor
	coef                                  *tensor
}

// newPictureNet is for n pictures, with working memory or ordinary tensors.
func newPictureNet(d *Device, n, h, w int, working bool) *pictureNet {
	memory := d.New
	if working {
		memory = d.NewWorking
	}
	net := &pictureNet{d: d}
	layer := func(in, size, width, out, kernel, stride int) backend.Conv {
		s := backend.ConvSpec{N: n, InC: in, H: size, W: width, OutC: out, Kernel: kernel, Stride: stride, Pad: (kernel - 1) / 2, Slope: 0.2}
		v := normals(out * in * kernel * kernel)
		for i := range v {
			v[i] /= float32(math.Sqrt(float64(in * kernel * kernel)))
		}
		weights := upload(d, backend.Dense, v, out, in, kernel, kernel)
		net.grads = append(net.grads, d.New(backend.Dense, weights.shape...).(*tensor), d.New(backend.Dense, out).(*tensor))
		return d.NewConv(s, weights, upload(d, backend.Dense, normals(out), out))
	}
	h2, w2 := (h+1)/2, (w+1)/2
	net.stem, net.down = layer(3, h, w, 16, 3, 1), layer(16, h, w, 32, 3, 2)
	net.short, net.last = layer(16, h, w, 32, 1, 2), layer(32, h2, w2, 32, 3, 1)
	image := func(c, h, w int, to ...**tensor) {
		for _, t := range to {
			*t = memory(backend.Image, n, c, h, w).(*tensor)
		}
	}
	image(16, h, w, &net.act, &net.drop, &net.dact)
	image(32, h2, w2, &net.out, &net.feature, &net.top, &net.dtop, &net.dout)
	net.dpooled = memory(backend.Dense, n, 32).(*tensor)
	net.x, net.dx = d.New(backend.Image, n, 3, h, w).(*tensor), d.New(backend.Image, n, 3, h, w).(*tensor)
	net.norms, net.pooled = d.New(backend.Dense, n).(*tensor), d.New(backend.Dense, n, 32).(*tensor)
	net.w, net.bias = upload(d, backend.Dense, normals(5*32), 5, 32), upload(d, backend.Dense, normals(5), 5)
	net.logits, net.dlogits, net.lse = d.New(backend.Dense, n, 5).(*tensor), memory(backend.Dense, n, 5).(*tensor), d.New(backend.Dense, n).(*tensor)
	net.labels, net.coef = d.New(backend.Index, n).(*tensor), upload(d, backend.Dense, normals(4*n), n, 4)
	net.start(0)
	return net
}

// start sets pictures that depend on a number, each on no other.
func (n *pictureNet) start(number int) {
	v := make([]float32, backend.Len(n.x))
	testKey.At(number, 0).FillUniform(v, -1, 1)
	n.d.Upload(n.x, v)
}

// gradient makes the calls to the pictures' gradient, with those of parameters or not.
func (n *pictureNet) gradient(key philox.Key, sums bool) {
	d := n.d
	n.stem.Forward(nil, n.act, n.x, nil)
	d.Dropout(n.drop, n.act, key, 0.2)
	n.down.Forward(n.out, nil, n.drop, nil)
	n.short.Forward(n.out, n.feature, n.drop, n.out)
	n.last.Forward(nil, n.top, n.feature, nil)
	d.AvgPool(n.pooled, n.top)
	d.Linear(n.logits, n.pooled, n.w, n.bias)
	d.LogSumExp(n.lse, n.logits)
	d.LogitGrad(n.dlogits, n.logits, n.labels, n.coef)
	d.LinearInputGrad(n.dpooled, n.dlogits, n.w)
	d.AvgPoolGrad(n.dtop, n.dpooled, n.top, 0.2)
	n.sum(sums, 3, n.last, n.feature, n.dtop)
	n.last.InputGrad(n.dout, n.dtop, n.feature, nil)
	n.sum(sums, 1, n.down, n.drop, n.dout)
	n.sum(sums, 2, n.short, n.drop, n.dout)
	n.down.InputGrad(n.dact, n.dout, nil, nil)
	n.short.InputGrad(n.dact, n.dout, nil, n.dact)
	d.Dropout(n.dact, n.dact, key, 0.2)
	d.LeakyReLUGrad(n.dact, n.dact, n.act, 0.2)
	n.sum(sums, 0, n.stem, n.x, n.dact)
	n.stem.InputGrad(n.dx, n.dact, nil, nil)
	d.RowNorm(n.norms, n.dx)
	d.Axpy(n.dx, 0.1, n.x)
}

func (n *pictureNet) sum(wanted bool, layer int, c backend.Conv, x, dy *tensor) {
	if wanted {
		c.ParamGrad(n.grads[2*layer], n.grads[2*layer+1], x, dy)
	}
}

// step is a chain's.
func (n *pictureNet) step(_ int, key philox.Key) {
	n.gradient(key, false)
	n.d.SGLDStep(n.x, n.dx, key, backend.SGLD{StepSize: 0.5, Noise: 0.01, Lo: -1, Hi: 1})
}

// results are what each picture has.
func (n *pictureNet) results(t testing.TB) (all []float32) {
	for _, r := range []*tensor{n.x, n.dx, n.norms, n.pooled, n.logits, n.lse} {
		all = append(all, download(t, n.d, r)...)
	}
	return all
}

// poisonArenas leaves arenas as another program might: full of what it wrote.
func (d *Device) poisonArenas() {
	for _, l := range append(d.lanes[:len(d.lanes):len(d.lanes)], d) {
		fill(l.arena.data, float32(math.NaN()))
		l.arena.layout = nil
	}
}
