package predict_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/feed"
	"jem/model"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
)

// TestScoreIsOfTheGradient: approximate mass and log p(x) over two batches are what model.JEM
// gives image by image.
func TestScoreIsOfTheGradient(t *testing.T) {
	dev, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	p, _, err := predict.OpenFile(dev, predicttest.OfficialFile(), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const n = feed.EvalBatch + 3
	pixels := len(p.Buffer()) / 20
	image := func(i int) []float32 { return p.Buffer()[i%20*pixels : (i%20+1)*pixels] }
	var told, all int
	given := 0
	s, err := p.Score(context.Background(), predict.Want{Features: true}, n, func(dst []float32) int {
		from := given
		for ; given < n && (given-from+1)*pixels <= len(dst); given++ {
			copy(dst[(given-from)*pixels:], image(given))
		}
		return given - from
	}, func(_ string, done, total int) { told = done; all = total })
	if err != nil || s.Len() != n || told != n || all != n {
		t.Fatalf("%d scores, told of %d of %d: %v", s.Len(), told, all, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	same := func([]float32) int { stop(); return feed.EvalBatch }
	if part, err := p.Score(ctx, predict.Want{}, n, same, nil); !errors.Is(err, context.Canceled) || part.Len() != feed.EvalBatch {
		t.Errorf("stopped after a batch: %d scores, %v", part.Len(), err)
	}
	jem := model.NewJEM(dev, p.Net())
	x, g := dev.New(backend.Image, 1, 3, 32, 32), dev.New(backend.Image, 1, 3, 32, 32)
	lse, grad := dev.New(backend.Dense, 1), make([]float32, pixels)
	for _, i := range []int{0, 7, feed.EvalBatch + 2} {
		dev.Upload(x, image(i))
		jem.LogPx(lse, x)
		jem.LogDensityGrad(g, x)
		var logPx [1]float32
		if err := errors.Join(dev.Download(logPx[:], lse), dev.Download(grad, g)); err != nil {
			t.Fatal(err)
		}
		var square float64
		for _, v := range grad {
			square += float64(v) * float64(v)
		}
		// Results don't depend on the batch; LogSumExp is float32 there and float64 here.
		mass, want := float64(s.ApproxMass[i]), -math.Sqrt(square)
		if math.Abs(mass-want) > 1e-6*math.Abs(want) || math.Abs(float64(s.LogPx[i]-logPx[0])) > 1e-6*math.Abs(float64(logPx[0])) {
			t.Errorf("image %d: log p(x) %g, mass %g; want %g, %g", i, s.LogPx[i], mass, logPx[0], want)
		}
	}
}
