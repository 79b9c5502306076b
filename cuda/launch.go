//go:build cuda && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"jem/backend/philox"
	"jem/cuda/internal/driver"
	"jem/kernels"
)

// storage is the type that an image's elements are held in.
type storage uint8

const (
	single storage = iota // float32
	half                  // bfloat16
)

// entry names a kernel: its family and, where that has one for each, the images' storage.
type entry struct {
	family string
	storage
}

// kernel is a loaded kernel with its signature.
type kernel struct {
	kernels.Kernel
	function driver.Kernel
}

// loadKernels loads the first embedded image that the driver takes. Drivers refuse what is not
// for them with various codes, so every refusal leads to the next image but a lack of memory.
func loadKernels(ctx *driver.Context) (map[entry]*kernel, error) {
	images, err := kernels.Images()
	if err != nil {
		return nil, err
	}
	var refused []error
	for _, image := range images {
		m, err := ctx.Load(image.Data)
		var failure *driver.Error
		if errors.As(err, &failure) && failure.OutOfMemory() {
			return nil, err
		}
		if err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", image.Name, err))
			continue
		}
		return findKernels(m)
	}
	return nil, fmt.Errorf("no embedded image of the kernels suits this card and driver: %w", errors.Join(refused...))
}

func findKernels(m driver.Module) (map[entry]*kernel, error) {
	found := map[entry]*kernel{}
	for _, k := range kernels.All() {
		f, err := m.Kernel(k.Name)
		if err != nil {
			return nil, err
		}
		e := entry{k.Family.Name, single}
		if strings.HasSuffix(k.Name, "_bf16") && k.Stored {
			e.storage = half
		}
		found[e] = &kernel{k, f}
	}
	return found, nil
}

// call is a launch being put together: arguments in the kernel's order, then over. It belongs
// to the device and its methods take no interfaces, so a launch allocates nothing.
type call struct {
	d        *Device
	op       string
	k        *kernel
	words    [driver.MaxWords]uint64
	n        int
	sizes    [3]int
	geometry kernels.Geometry
	launch   func() error // the method value, made once
}

func (c *call) init(d *Device) {
	c.d = d
	c.launch = func() error {
		return c.d.ctx.Launch(c.k.function, c.geometry.Grid, c.geometry.Block, c.words[:c.n])
	}
}

// kernel begins a launch on behalf of the verb op.
func (d *Device) kernel(op, family string, s storage) *call { return d.call.begin(op, family, s) }

// conversion begins a launch that may come while the arguments of another are collected.
func (d *Device) conversion(op, family string) *call { return d.inner.begin(op, family, single) }

func (c *call) begin(op, family string, s storage) *call {
	c.op, c.k, c.n = op, c.d.kernels[entry{family, s}], 0
	if c.k == nil {
		panic("cuda: no kernel " + family)
	}
	return c
}

// add appends an argument of one of the types that it may have here.
func (c *call) add(word uint64, t ...kernels.Type) *call {
	if c.n < len(c.k.Args) {
		for _, want := range t {
			if c.k.Args[c.n].Type == want {
				c.words[c.n] = word
				c.n++
				return c
			}
		}
	}
	panic("cuda: " + c.k.Name + " takes " + c.k.Signature)
}

// ptr adds addresses.
func (c *call) ptr(ps ...driver.Pointer) *call {
	for _, p := range ps {
		if c.add(uint64(p), kernels.Pointer); p == 0 && !c.k.Args[c.n-1].Optional && c.d.err == nil {
			panic("cuda: " + c.k.Name + ": no " + c.k.Args[c.n-1].Name)
		}
	}
	return c
}

// num adds integers.
func (c *call) num(vs ...int) *call {
	for _, v := range vs {
		c.add(uint64(v), kernels.I32, kernels.I64)
		if c.k.Args[c.n-1].Type == kernels.I32 && v != int(int32(v)) {
			panic(fmt.Sprintf("cuda: %s of %d: sizes end at 2³¹", c.k.Name, v))
		}
	}
	return c
}

// float adds numbers.
func (c *call) float(vs ...float32) *call {
	for _, v := range vs {
		c.add(uint64(math.Float32bits(v)), kernels.F32)
	}
	return c
}

// stream adds a key.
func (c *call) stream(key philox.Key) *call {
	k, at := c.d.streamKey(key)
	return c.word(k).ptr(at)
}

// word adds a key's numbers.
func (c *call) word(k philox.Key) *call {
	return c.add(k.Seed, kernels.U64).add(uint64(k.Step), kernels.U32).add(uint64(k.Sub), kernels.U32).add(k.First, kernels.U64)
}

// over launches the kernel over the sizes that its rule takes.
func (c *call) over(sizes ...int) {
	if c.n != len(c.k.Args) {
		panic("cuda: " + c.k.Name + " takes " + c.k.Signature)
	}
	if c.d.err != nil {
		return
	}
	n := copy(c.sizes[:], sizes)
	c.geometry = c.k.Rule.Launch(c.sizes[:n]...)
	c.d.run(c.op, c.launch)
}
