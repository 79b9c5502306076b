package replay

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
	"jem/feed"
)

// What a step of a recipe would draw is given to it here: images and labels of its streams, where its
// chains begin, and random numbers.

// sources are the recorded streams.
func (r *Recipe) sources() feed.Sources {
	c := &r.Config
	return feed.Sources{
		PX:       given{r, "data", "data_labels", c.Train.Batch},
		Labeled:  given{r, "labeled", "labels", c.Train.Labeled()},
		Outliers: given{r, "outliers", "", c.Train.Batch},
		Start:    givenStart{r},
		Classes:  make([]string, r.Classes), Channels: r.Image[0], Size: r.Image[1],
	}
}

// given is a stream of recorded batches; labels that weren't recorded are 0, for none looks at them.
type given struct {
	recipe         *Recipe
	images, labels string
	n              int
}

// Batch implements feed.Stream.
func (g given) Batch(step int) ([]float32, []int32, error) {
	x, err := g.recipe.images(inputName(step, g.images), g.n)
	if err != nil {
		return nil, nil, err
	}
	name := inputName(step, g.labels)
	if _, ok := g.recipe.Tensors[name]; !ok {
		return x, make([]int32, g.n), nil
	}
	y, err := g.recipe.labels(name, g.n)
	return x, y, err
}

// StepsPerEpoch implements feed.Stream.
func (g given) StepsPerEpoch() int { return len(g.recipe.Trace) }

func inputName(step int, name string) string { return fmt.Sprintf("in/%d/%s", step, name) }

// givenStart begins the chains of a step, all of which begin afresh, where the recording says. The replay
// buffer that they don't come from is black.
type givenStart struct{ recipe *Recipe }

// Fill implements sampler.Start.
func (g givenStart) Fill(dst []float32, _ []int32, key philox.Key) {
	x := g.recipe.Tensors[inputName(int(key.Step), "chain/start")].F32
	if len(x) != len(dst) {
		clear(dst)
		return
	}
	copy(dst, x)
}

// givenNumbers is a device with the recorded numbers in place of its random ones.
type givenNumbers struct {
	backend.Device
	recipe *Recipe
}

// withNumbers is the device itself where a recipe draws none: it then has its own ways through chains and passes.
func (r *Recipe) withNumbers(d backend.Device) backend.Device {
	if r.Config.Sampler.Noise == 0 && !r.Config.Attack.Scatter {
		return d
	}
	return givenNumbers{d, r}
}

// Uniform implements backend.Random: where attacked images begin in their balls.
func (g givenNumbers) Uniform(dst backend.Tensor, key philox.Key, _, _ float32) {
	g.upload(dst, inputName(int(key.Step), "attack/scatter"), 0)
}

// SGLDStep implements backend.Update: the noise comes after a step without any.
func (g givenNumbers) SGLDStep(x, grad backend.Tensor, key philox.Key, p backend.SGLD) {
	if p.Noise == 0 {
		g.Device.SGLDStep(x, grad, key, p)
		return
	}
	plain := p
	plain.Noise, plain.Lo, plain.Hi = 0, 0, 0
	g.Device.SGLDStep(x, grad, key, plain)
	noise := g.New(backend.Image, x.Shape()...)
	g.upload(noise, inputName(int(key.Step), "chain/noise"), int(key.Sub))
	g.Axpy(x, p.Noise, noise)
	g.Free(noise)
	if p.Lo != p.Hi {
		g.Clamp(x, p.Lo, p.Hi)
	}
}

// upload takes the k-th of several recorded sets of images to the device. What wasn't recorded is 0, and shows in the
// comparison.
func (g givenNumbers) upload(dst backend.Tensor, name string, k int) {
	n, all := backend.Len(dst), g.recipe.Tensors[name].F32
	if len(all) < (k+1)*n {
		g.Fill(dst, 0)
		return
	}
	g.Upload(dst, all[k*n:(k+1)*n])
}
