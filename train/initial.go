package train

import (
	"fmt"

	"jem/config/settings"
	"jem/predict/weights"
)

// Initial says with which weights a run began, where not with random ones.
type Initial struct {
	From    string `json:"from"`           // as they were named, see train.init
	Weights string `json:"weights_sha256"` // names them, see weights.Weights
	Head    bool   `json:"new_head"`       // the last layer began at random, for other classes
}

// BeginWith makes weights from elsewhere those that the first step begins with, of averages
// too. The last layer stays random where the number of classes differs. It comes before Run. The
// error is a *settings.Error where the network is another. The note is a sentence for the user.
func (t *Trainer) BeginWith(w *weights.Weights, from string) (note string, err error) {
	if err := t.takes(w, from); err != nil {
		return "", err
	}
	have := map[string][]float32{}
	for _, tensor := range append(w.Params[:len(w.Params):len(w.Params)], w.Stats...) {
		have[tensor.Name] = tensor.F32
	}
	head := w.Config.Classes != t.step.Net.Config.Classes
	for _, p := range t.step.Net.Params.List {
		if !head || !weights.Head(p.Name) {
			t.dev.Upload(p.Value, have[p.Name])
		}
	}
	for _, s := range t.step.Net.Stats {
		t.dev.Upload(s.Value, have[s.Name])
	}
	t.dev.ParamsChanged()
	if t.step.EMA != nil {
		t.step.EMA.Start()
	}
	t.progress.Initial = &Initial{From: from, Weights: w.Digest(), Head: head}
	return t.progress.Initial.note(w, t.step.Net.Config.Classes), t.dev.Sync()
}

func (i *Initial) note(w *weights.Weights, classes int) string {
	note := fmt.Sprintf("training begins with the weights of %s (SHA-256 %.12s…)", i.From, i.Weights)
	if i.Head {
		note += fmt.Sprintf("; the last layer is new: %d classes there, %d here", w.Config.Classes, classes)
	}
	return note
}

// takes compares the networks in all but the number of classes and the size of images, which
// weights don't depend on.
func (t *Trainer) takes(w *weights.Weights, from string) error {
	theirs, ours := w.Config, t.step.Net.Config
	var faults []settings.Fault
	differ := func(path string, their, our any) {
		if their != our {
			faults = append(faults, settings.Fault{Path: path, Problem: fmt.Sprintf("%v, but the weights of %s are of a network with %v: set it so, or begin without train.init", our, from, their)})
		}
	}
	differ("model.depth", theirs.Depth, ours.Depth)
	differ("model.width", theirs.Width, ours.Width)
	differ("model.norm", theirs.Norm, ours.Norm)
	differ("model.slope", theirs.Slope, ours.Slope)
	if theirs.InC != ours.InC {
		faults = append(faults, settings.Fault{Path: "train.init", Problem: fmt.Sprintf("the weights of %s are for images of %d channels, those of the data have %d", from, theirs.InC, ours.InC)})
	}
	if len(faults) > 0 {
		return &settings.Error{Faults: faults}
	}
	return nil
}
