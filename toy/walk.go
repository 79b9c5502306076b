package toy

import (
	"jem/backend"
	"jem/backend/philox"
	"jem/model"
	"jem/sampler"
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
	move := sampler.SGLD{Clamp: m.cfg.Sampler.Clamp, StepSize: m.cfg.Sampler.StepSize, Noise: m.cfg.Sampler.Noise}
	key := philox.New(m.cfg.Seed, 0, philox.SampleNoise)
	for f := range frames {
		if err := m.dev.Download(images, x); err != nil {
			return err
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
