package toy

import (
	"fmt"
	"slices"

	"jem/backend"
	"jem/backend/philox"
	"jem/model"
	"jem/train"
)

// walk moves chains, each of a class, from noise.
func (m *maker) walk(j *model.JEM) error {
	x, grad, y := m.dev.New(backend.Image, chains, 2, 1, 1), m.dev.New(backend.Image, chains, 2, 1, 1), m.dev.New(backend.Index, chains)
	defer m.dev.Free(x, grad, y)
	images, labels := make([]float32, 2*chains), make([]int32, chains)
	philox.New(m.cfg.Seed, 0, philox.Restart).FillUniform(images, -1, 1)
	c := &m.result.Chains
	for i := range labels {
		labels[i] = int32(i % len(m.result.Classes))
		c.Class = append(c.Class, int(labels[i]))
	}
	m.dev.Upload(x, images)
	m.dev.UploadIndex(y, labels)
	target := model.Given{JEM: j, Labels: y, Climb: model.ClimbLogit}
	move := m.cfg.Generation().Move
	key := philox.New(m.cfg.Seed, 0, philox.SampleNoise)
	for f := range frames {
		if err := m.dev.Download(images, x); err != nil {
			return err
		}
		if slices.ContainsFunc(images, func(v float32) bool { return v-v != 0 }) { // NaN or ±Inf
			return &train.DivergedError{Step: m.step, Reason: fmt.Sprintf("a chain has left all numbers after %d SGLD steps", f*framesApart)}
		}
		var at [][2]float64
		for i := range chains {
			at = append(at, m.plane.place(images[2*i], images[2*i+1]))
		}
		c.Steps, c.At = append(c.Steps, f*framesApart), append(c.At, at)
		for k := range framesApart {
			target.LogDensityGrad(grad, x)
			move.Step(m.dev, x, grad, f*framesApart+k, key.At(0, f*framesApart+k))
		}
	}
	return nil
}
