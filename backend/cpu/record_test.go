package cpu

import (
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
)

// TestPassesKeepOrder: calls that may not be made slice by slice, or not after what follows, have the
// results that they have one by one.
func TestPassesKeepOrder(t *testing.T) {
	const n = 40 // images, and channels
	for name, run := range map[string]func(d *Device, l *layer, y, z backend.Tensor, dw *tensor){
		"parameters change": func(d *Device, l *layer, y, z backend.Tensor, _ *tensor) {
			l.conv.Forward(y, nil, l.tx, nil)
			d.Axpy(l.tw, 0.5, l.tw)
			d.ParamsChanged()
			l.conv.Forward(z, nil, l.tx, nil)
		},
		"parameters are uploaded": func(d *Device, l *layer, y, z backend.Tensor, _ *tensor) {
			l.conv.Forward(y, nil, l.tx, nil)
			d.Upload(l.tb, normals(n))
			d.ParamsChanged()
			l.conv.Forward(z, nil, l.tx, y)
		},
		"a gradient is used": func(d *Device, l *layer, y, z backend.Tensor, dw *tensor) {
			l.conv.Forward(y, nil, l.tx, nil)
			l.conv.ParamGrad(dw, nil, l.tx, y)
			d.Axpy(dw, 0.5, l.tw)
			l.conv.Forward(z, nil, l.tx, y)
		},
		"a verb that waits": func(d *Device, l *layer, y, z backend.Tensor, _ *tensor) {
			l.conv.Forward(y, nil, l.tx, nil)
			d.Copy(z, y)
			d.Fill(y, 1)
			l.conv.Forward(y, nil, l.tx, y)
			values := make([]float32, backend.Len(y))
			if err := d.Download(values, y); err != nil {
				panic(err)
			}
			d.Upload(y, values)
		},
		"another shape": func(d *Device, l *layer, y, z backend.Tensor, dw *tensor) {
			l.conv.Forward(y, nil, l.tx, nil)
			half := d.View(dw, 0, n, 2, n*9/2)
			d.Axpy(dw, 2, l.tw)
			d.LeakyReLU(half, half, 0.5)
			l.conv.Forward(z, nil, l.tx, y)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var results [2][]float32
			for i := range results {
				d := directDevice(t, asm.Best(), 2)
				d.waveBytes = 0
				l := newLayer(d, backend.ConvSpec{N: n, InC: n, OutC: n, H: 3, W: 5, Kernel: 3, Stride: 1, Pad: 1})
				y, z, dw := l.newY(), l.newY(), d.New(backend.Dense, n, n, 3, 3).(*tensor)
				if i == 0 {
					run(d, l, y, z, dw)
				} else {
					d.Pass(func() { run(d, l, y, z, dw) })
				}
				results[i] = slices.Concat(download(t, d, y), download(t, d, z), dw.data)
			}
			if !slices.Equal(results[0], results[1]) {
				t.Error("other bits than one by one")
			}
		})
	}
}

// TestPlansInAChain, measured there, leave it one that is planned as a whole.
func TestPlansInAChain(t *testing.T) {
	d := openDevice(t, Options{ISA: "generic", Threads: 2, Memo: memo{}})
	var l *layer
	x, y := d.New(backend.Image, 8, 32, 4, 4), d.NewWorking(backend.Image, 8, 32, 4, 4)
	planned := d.NewChain(1, func(int, philox.Key) {
		d.LeakyReLU(y, x, 0.5)
		if l == nil {
			l = newLayer(d, feature)
		}
		d.Axpy(x, 1, y)
	}).(*chain)
	planned.Run(testKey)
	if planned.plain || d.recording != nil {
		t.Error("a plan ended the recording")
	}
}

// TestSettled: what a pass has added up when it says so is what there is at its end, of all waves, and the pass still
// has calls to make. Beyond passes, and where calls are made one by one, it is so at once.
func TestSettled(t *testing.T) {
	const n = 100
	h, w := pictureSize(n)
	for name, how := range map[string]func(d *Device, f func()){
		"waves":      func(d *Device, f func()) { d.waveBytes = 0; d.Pass(f) },
		"one wave":   func(d *Device, f func()) { d.Pass(f) },
		"one by one": func(d *Device, f func()) { d.Pass(func() { d.now(); f() }) },
		"no pass":    func(_ *Device, f func()) { f() },
	} {
		d := directDevice(t, asm.Best(), 2)
		net := newPictureNet(d, n, h, w, true)
		var at, before []float32
		called := 0
		how(d, func() {
			net.gradient(testKey, true)
			backend.Settled(d, func() {
				called++
				for _, g := range net.grads {
					at = append(at, download(t, d, g)...)
				}
				before = download(t, d, net.dx)
			})
			d.Axpy(net.dx, 1, net.x)
		})
		var end []float32
		for _, g := range net.grads {
			end = append(end, g.data...)
		}
		if called != 1 || !slices.Equal(at, end) {
			t.Errorf("%s: called %d times, with the sums of the end: %v", name, called, slices.Equal(at, end))
		}
		if slices.Equal(before, download(t, d, net.dx)) {
			t.Errorf("%s: it was the last call", name)
		}
	}
}
