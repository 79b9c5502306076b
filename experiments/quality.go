package experiments

import (
	"errors"
	"path/filepath"
	"slices"

	"jem/eval/inception"
	"jem/eval/quality"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
)

// qualityProtocol says how samples are judged; see quality.Protocols.
type qualityProtocol struct {
	Protocol   string `json:"protocol"`
	Samples    int    `json:"samples"` // of the replay buffer
	Steps      int    `json:"steps"`   // further SGLD steps
	Limit      int    `json:"limit"`   // real images of each split; 0: all
	Inception  bool   `json:"inception"`
	Classifier string `json:"classifier"`    // run whose features give the classifier-feature distance
	Own        bool   `json:"own,omitempty"` // drawn afresh, as the recipe draws where it has no replay buffer
}

// The names of figures in quality.Result, and the selections they are of.
const (
	qualityFID      = "FID"
	qualityIS       = "Inception Score"
	qualityDistance = "classifier-feature distance"
)

// judgedSamples are figures of a training's samples, by the protocol of JEM's followers; classifier is the
// run whose features it compares.
func judgedSamples(l *Lab, t Training, classifier string) (quality.Result, error) {
	g := t.Config.Generation()
	if g.Persistent && !t.samples() {
		return quality.Result{}, notRun("a classifier draws no samples")
	}
	weights, err := inceptionWeights(l)
	if err != nil && !errors.Is(err, fault.ErrMissing) {
		return quality.Result{}, err
	}
	o := qualityProtocol{Protocol: "followers", Samples: pick(l.Scale, 200, 2000, 10000), Limit: pick(l.Scale, 200, 5000, 0), Inception: err == nil, Classifier: classifier, Own: !g.Persistent}
	return measure(l, t, "quality", o, func(p *predict.Predictor) (quality.Result, error) {
		nets, err := openJudges(l, p, weights, classifier)
		if err != nil {
			return quality.Result{}, err
		}
		q := quality.Options{Protocol: o.Protocol, Limit: o.Limit, Networks: nets, Cache: filepath.Join(l.Out, "features"), Tell: l.Tell,
			Samples: predict.SampleOptions{N: o.Samples, Steps: o.Steps, Class: predict.AnyClass, Seed: 1}}
		if o.Own {
			q.Samples = p.Sampling(true)
			q.Samples.N, q.Samples.Seed = o.Samples, 1
		}
		if !o.Inception {
			q.NoInception = noInception
		}
		return quality.Measure(l.ctx, p, q, nil)
	})
}

// inceptionWeights looks for them beside the images, then in the usual places.
func inceptionWeights(l *Lab) (string, error) {
	path, err := data.Inception(l.DataDir)
	if errors.Is(err, fault.ErrMissing) && l.DataDir != "" {
		return data.Inception("")
	}
	return path, err
}

// noInception is why there are no Inception figures.
const noInception = "no weights of Inception (jem data fetch inception)"

// openJudges are the networks that give the features: Inception where its weights are, and the
// classifier.
func openJudges(l *Lab, p *predict.Predictor, weights, classifier string) (nets []quality.Network, err error) {
	twin, err := l.twin(classifier)
	if err != nil {
		return nil, err
	}
	nets = append(nets, quality.NewClassifier(twin))
	dev, able := l.open.dev.(inception.Device)
	if weights == "" || !able {
		return nets, nil
	}
	w, err := inception.Read(weights)
	if err != nil {
		return nil, err
	}
	c, size, _ := p.Shape()
	return append(nets, quality.Inception{Network: inception.New(dev, w, inception.TensorFlow), Device: l.open.dev.Name(), C: c, Size: size}), nil
}

// qualityOf is one figure of a training's samples, beside the softmax twin of the main tables.
func qualityOf(l *Lab, t Training, name string) (float64, error) {
	return judgedBy(l, t, name, runBaseline)
}

// judgedBy is qualityOf with the features of another run.
func judgedBy(l *Lab, t Training, name, classifier string) (float64, error) {
	r, err := judgedSamples(l, t, classifier)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(r.Figures, func(f quality.Figure) bool {
		return f.Name == name && (name != qualityDistance || f.Of == "all, unfiltered")
	})
	if i < 0 {
		return 0, notRun(noInception)
	}
	if f := r.Figures[i]; f.Value == nil {
		return 0, notRun("%s", f.Missing)
	}
	return *r.Figures[i].Value, nil
}
