package ood

import (
	"jem/backend/philox"
	"jem/feed"
	"jem/predict"
)

// noiseCount is how many images of noise there are, as Liang et al. 2018 take.
const noiseCount = 10000

// noiseImages are pictures of noise, function of the run's seed: "uniform" has pixels from
// U[−1,1), "gaussian" from N(0,2²) cut off at ±1 (mean ½ and deviation 1 of pixels in [0,1]:
// Liang et al. 2018). They get no evaluation noise on top.
func noiseImages(p *predict.Predictor, name string, limit int) feed.Images {
	n := noiseCount
	if limit > 0 {
		n = min(n, limit)
	}
	rank := uint32(0)
	if name == "gaussian" {
		rank = 1
	}
	c := p.Net().Config
	return &noisePictures{n: n, pixels: c.InC * c.Size * c.Size, gaussian: rank == 1, key: philox.New(p.Config.Seed, rank, philox.EvalNoise).At(0, 3)}
}

type noisePictures struct {
	n, pixels int
	gaussian  bool
	key       philox.Key
}

// Len implements Images.
func (m *noisePictures) Len() int { return m.n }

// Batches implements Images.
func (m *noisePictures) Batches() int { return (m.n + feed.EvalBatch - 1) / feed.EvalBatch }

// Batch implements Images. All labels are 0.
func (m *noisePictures) Batch(i int, images []float32, labels []int32) int {
	n := min(feed.EvalBatch, m.n-i*feed.EvalBatch)
	clear(labels[:n])
	images = images[:n*m.pixels]
	if !m.gaussian {
		m.key.At(i, 3).FillUniform(images, -1, 1)
		return n
	}
	m.key.At(i, 3).FillNormal(images)
	for j, v := range images {
		images[j] = min(max(2*v, -1), 1)
	}
	return n
}
