package train

import (
	"testing"

	"jem/config"
	"jem/feed/feedtest"
	"jem/predict"
)

// The best evaluation is that of the highest accuracy or of the lowest cross-entropy; of equals the first.
func TestTheBestEvaluation(t *testing.T) {
	for name, want := range map[string]struct {
		step int
		best float64
	}{config.BestAccuracy: {2, 0.6}, config.BestNLL: {3, 0.9}} {
		tr := &Trainer{cfg: config.Config{Train: config.Loop{Best: name}}}
		for i, a := range []predict.Accuracy{{Accuracy: 0.5, Loss: 1.2}, {Accuracy: 0.6, Loss: 1}, {Accuracy: 0.55, Loss: 0.9}, {Accuracy: 0.6, Loss: 0.9}} {
			tr.progress.Step = i + 1
			tr.rate(a)
		}
		if p := tr.progress; p.BestStep != want.step || p.Best != want.best {
			t.Errorf("by %s: step %d with %g, want %d with %g", name, p.BestStep, p.Best, want.step, want.best)
		}
	}
}

func TestTestLimit(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Train.Steps, cfg.Train.TestLimit = 1, 30
	if _, r := run(t, cfg, 1); r.evals[len(r.evals)-1].Images != 30 {
		t.Errorf("evaluated %+v, want 30 images", r.evals)
	}
}
