package experiments

import (
	"errors"
	"math"

	"jem/eval"
	"jem/eval/calibration"
	"jem/eval/ood"
	"jem/feed"
	"jem/internal/chart"
	"jem/internal/fault"
	"jem/predict"
)

// The measurements that tables share. Each is kept by configuration and protocol.

// limit is how many images of a set are measured on; 0: all.
func (s Scale) limit() int { return pick(s, 100, 0, 0) }

// accuracyProtocol says what accuracy is measured on.
type accuracyProtocol struct {
	Split  string `json:"split"`
	Noisy  bool   `json:"noisy"`  // with the pixel noise of training, as the published script does
	Refine int    `json:"refine"` // SGLD steps before the answer
	Limit  int    `json:"limit"`
}

func accuracyOf(l *Lab, t Training, noisy bool, refine, limit int) (eval.Result, error) {
	o := accuracyProtocol{"test", noisy, refine, limit}
	return measure(l, t, "accuracy", o, func(p *predict.Predictor) (eval.Result, error) {
		noise := float32(0)
		if noisy {
			noise = p.Config.Data.Noise
		}
		return eval.Measure(l.ctx, p, eval.Options{Split: o.Split, Limit: limit, Noise: noise, Refine: refine, Seed: 1}, nil)
	})
}

func calibrationOf(l *Lab, t Training) (calibration.Result, error) {
	o := accuracyProtocol{Split: "test", Noisy: t.Config.Data.EvalNoise, Limit: l.Scale.limit()}
	return measure(l, t, "calibration", o, func(p *predict.Predictor) (calibration.Result, error) {
		return calibration.Measure(l.ctx, p, calibration.Options{Split: o.Split, Limit: o.Limit, Noise: p.Noise()}, nil)
	})
}

// oodSets are told from CIFAR-10: the paper's four, then ours.
func oodSets() []string {
	return []string{"svhn", "interp", "cifar100", "celeba", "textures", "tiny-imagenet", "faces"}
}

// oodFound is how well the scores tell a set from the test images.
type oodFound struct {
	Figures    []ood.Figure
	Histograms map[string][2]chart.Line // by score: of the test images, of the set
	Seen       bool                     `json:",omitempty"` // its images were outliers in training
}

// figure is the AUROC of a score.
func (o oodFound) figure(score string) reading {
	for _, f := range o.Figures {
		if f.Score == score {
			return share(f.AUROC, min(f.In, f.Out))
		}
	}
	return plain(math.NaN())
}

func detectionOf(l *Lab, t Training, set string) (oodFound, error) {
	type protocol struct {
		Set   string `json:"set"`
		Limit int    `json:"limit"`
		Bins  int    `json:"histogram_bins"`
	}
	o := protocol{set, l.Scale.limit(), pick(l.Scale, 20, 100, 100)}
	return measure(l, t, "ood-"+set, o, func(p *predict.Predictor) (oodFound, error) {
		other, _, err := ood.Open(p, set, ood.Options{Split: "test", Limit: o.Limit, Noise: p.Noise()})
		if errors.Is(err, fault.ErrMissing) {
			return oodFound{}, notRun("no images of %s in the data folder", setTitle(set))
		}
		if err != nil {
			return oodFound{}, err
		}
		s, _, err := ood.NewScorer(l.ctx, p, ood.Options{Scores: ood.Published, Noise: p.Noise()}, nil)
		if err != nil {
			return oodFound{}, err
		}
		in, err1 := ownScores(l, p, s, o.Limit)
		out, _, err2 := s.Score(l.ctx, set, other.Images, nil)
		if err := errors.Join(err1, err2); err != nil {
			return oodFound{}, err
		}
		found := oodFound{Histograms: map[string][2]chart.Line{}, Seen: other.Seen}
		if found.Figures, err = ood.Detect(set, in, out); err != nil {
			return found, err
		}
		for _, score := range ood.Published {
			lines := chart.Density(o.Bins, ood.Shown(score, in[score]), ood.Shown(score, out[score]))
			found.Histograms[score] = [2]chart.Line(lines)
		}
		return found, nil
	})
}

// ownScores are those of the test images, computed once for the network that is open.
func ownScores(l *Lab, p *predict.Predictor, s *ood.Scorer, limit int) (map[string][]float64, error) {
	if l.open.own != nil {
		return l.open.own, nil
	}
	own, _, err := p.Source().Images("test", p.Noise())
	if err != nil {
		return nil, err
	}
	l.open.own, _, err = s.Score(l.ctx, "test", feed.Head(own.Images, limit), nil)
	return l.open.own, err
}

// firstTraining resolves the first seed of a run at the lab's scale.
func firstTraining(l *Lab, run string) (Training, error) {
	ts, err := lookup(run).trainings(l.Scale, l.made)
	if err != nil {
		return Training{}, err
	}
	return ts[0], nil
}
