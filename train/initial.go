package train

import (
	"fmt"
	"slices"

	"jem/backend"
	"jem/config/settings"
	"jem/internal/fault"
	"jem/model"
	"jem/predict/weights"
)

// Initial says with which weights a run began, where not with random ones.
type Initial struct {
	From    string   `json:"from"`                  // as they were named, see train.init
	Weights string   `json:"weights_sha256"`        // names them, see weights.Weights
	Head    bool     `json:"new_head"`              // the last layer began at random: the weights know none of the classes
	New     []string `json:"new_classes,omitempty"` // classes that they don't know beside some that they do: their outputs began at random
}

// BeginWith makes weights from elsewhere those that the first step begins with, of averages
// too. Outputs of the last layer stay random where the weights have none for a class, see outputs. It
// comes before Run. The error is a *settings.Error where the network is another. The note is a sentence
// for the user.
func (t *Trainer) BeginWith(w *weights.Weights, from string) (note string, err error) {
	if err := t.takes(w, from); err != nil {
		return "", err
	}
	have := map[string][]float32{}
	for _, tensor := range append(w.Params[:len(w.Params):len(w.Params)], w.Stats...) {
		have[tensor.Name] = tensor.F32
	}
	of := outputs(w, t.src.Classes)
	for _, p := range t.step.Net.Params.List {
		if !weights.Head(p.Name) {
			t.dev.Upload(p.Value, have[p.Name])
		} else if err := t.beginOutputs(p.Value, have[p.Name], of); err != nil {
			return "", err
		}
	}
	for _, s := range t.step.Net.Stats {
		t.dev.Upload(s.Value, have[s.Name])
	}
	t.dev.ParamsChanged()
	if t.step.EMA != nil {
		t.step.EMA.Start()
	}
	t.progress.Initial = &Initial{From: from, Weights: w.Digest()}
	t.progress.Initial.lacks(of, t.src.Classes)
	return t.progress.Initial.note(w, len(of)), t.dev.Sync()
}

// outputs gives each class the output that stands for it in weights from elsewhere: that of its name, or
// of its number where their classes have no names and there are as many; −1 where there is none.
func outputs(w *weights.Weights, classes []string) []int {
	of, names := make([]int, len(classes)), w.About.Classes
	for y, name := range classes {
		switch {
		case len(names) > 0:
			of[y] = slices.Index(names, name)
		case w.Config.Classes == len(classes):
			of[y] = y
		default:
			of[y] = -1
		}
	}
	return of
}

// beginOutputs fills the rows of a tensor of the last layer with theirs, as far as there are some.
func (t *Trainer) beginOutputs(ours backend.Tensor, theirs []float32, of []int) error {
	values := make([]float32, backend.Len(ours))
	if err := t.dev.Download(values, ours); err != nil {
		return err
	}
	row := len(values) / len(of)
	for y, output := range of {
		if output >= 0 {
			copy(values[y*row:(y+1)*row], theirs[output*row:])
		}
	}
	t.dev.Upload(ours, values)
	return nil
}

// lacks notes the classes that have no output.
func (i *Initial) lacks(of []int, classes []string) {
	for y, output := range of {
		if output < 0 {
			i.New = append(i.New, classes[y])
		}
	}
	if i.Head = len(i.New) == len(of); i.Head {
		i.New = nil
	}
}

func (i *Initial) note(w *weights.Weights, classes int) string {
	note := fmt.Sprintf("training begins with the weights of %s (SHA-256 %.12s…)", i.From, i.Weights)
	switch {
	case i.Head && w.Config.Classes == classes:
		note += fmt.Sprintf("; the last layer is new: the %d classes there have other names", classes)
	case i.Head:
		note += fmt.Sprintf("; the last layer is new: %d classes there, %d here", w.Config.Classes, classes)
	case len(i.New) > 0:
		note += "; the outputs of these classes are new: " + fault.Names(i.New)
	}
	return note
}

// takes compares the networks in all but the number of classes and the size of images, which
// a Wide-ResNet's weights don't depend on.
func (t *Trainer) takes(w *weights.Weights, from string) error {
	theirs, ours := w.Config, t.step.Net.Config
	var faults []settings.Fault
	differ := func(path string, their, our any) {
		if their != our {
			faults = append(faults, settings.Fault{Path: path, Problem: fmt.Sprintf("%v, but the weights of %s are of a network with %v: set it so, or begin without train.init", our, from, their)})
		}
	}
	differ("model.network", theirs.Kind(), ours.Kind())
	differ("model.depth", theirs.Depth, ours.Depth)
	differ("model.width", theirs.Width, ours.Width)
	differ("model.norm", theirs.Norm, ours.Norm)
	differ("model.slope", theirs.Slope, ours.Slope)
	switch {
	case theirs.Kind() == model.MLP && ours.Kind() == model.MLP && theirs.Pixels() != ours.Pixels():
		faults = append(faults, settings.Fault{Path: "train.init", Problem: fmt.Sprintf("the weights of %s are for images of %d numbers, those of the data have %d: an mlp has weights for each", from, theirs.Pixels(), ours.Pixels())})
	case theirs.Kind() != model.MLP && theirs.InC != ours.InC:
		faults = append(faults, settings.Fault{Path: "train.init", Problem: fmt.Sprintf("the weights of %s are for images of %d channels, those of the data have %d", from, theirs.InC, ours.InC)})
	}
	if len(faults) > 0 {
		return &settings.Error{Faults: faults}
	}
	return nil
}
