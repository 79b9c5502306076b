package weights

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"jem/internal/fault"
	"jem/model"
)

// About is what a network's file says beside numbers, so that whoever gets it knows what goes in and what comes
// out. It travels as texts: in the header's metadata of safetensors, in metadata_props of ONNX, and in the dict
// "metadata" of .pt, whose values are strings so that PyTorch's restricted loader takes them.
type About struct {
	Classes  []string // names, in the order of the logits; nil: not known
	Data     string   // the data set that it was trained on, as data.name has it; "": not known
	Ground   string   // what transparent pixels lay on, as data.ground has it; "": not known
	Source   string   // where the weights come from: a file, or a run and its checkpoint
	Step     int      // training steps taken; 0: none, or not known
	Averaged bool     // the weights are a moving average
}

// Metadata are the texts for a file; pixels says in what range its images are.
func (w *Weights) metadata(pixels pixelRange) map[string]string {
	m := map[string]string{
		"layout": "NCHW", "channel_order": "RGB", "channels": strconv.Itoa(w.Config.InC), "size": strconv.Itoa(w.Config.Size),
		"norm": w.Config.Norm, "leaky_relu_slope": strconv.FormatFloat(float64(w.Config.Slope), 'g', -1, 32),
		"network": w.Config.Name(), "weights_sha256": w.Digest(),
	}
	if w.Config.InC == 1 {
		m["channel_order"] = "grey"
	}
	pixels.describe(m, w.Config.InC)
	for key, text := range map[string]string{"data": w.About.Data, "ground": w.About.Ground, "source": w.About.Source} {
		if text != "" {
			m[key] = text
		}
	}
	if w.About.Step > 0 {
		m["step"] = strconv.Itoa(w.About.Step)
	}
	if w.About.Averaged {
		m["averaged"] = "true"
	}
	if names, err := json.Marshal(w.About.Classes); err == nil && w.About.Classes != nil {
		m["classes"] = string(names)
	}
	return m
}

// pixelRange is the range of the images that a file's network takes.
type pixelRange struct {
	text      string
	mean, std float64 // an image in [0,1] goes in as (image − mean)/std
}

var (
	signed   = pixelRange{"[-1,1]", 0.5, 0.5} // as the weights are trained
	unsigned = pixelRange{"[0,1]", 0, 1}      // the graph in an ONNX file maps them itself
)

func (p pixelRange) describe(m map[string]string, channels int) {
	m["pixels"] = p.text
	for key, v := range map[string]float64{"mean": p.mean, "std": p.std} {
		list, _ := json.Marshal(slices.Repeat([]float64{v}, channels)) // finite numbers
		m[key] = string(list)
	}
}

// maxClassNames bounds the text that lists the classes.
const maxClassNames = 1 << 20

// know takes what a file's texts say, as far as no option says otherwise.
func (w *Weights) know(texts map[string]string, o *Options) {
	if norm := texts["norm"]; o.Norm == "" && slices.Contains(model.Norms, norm) {
		o.Norm = norm
	}
	if slope, err := strconv.ParseFloat(texts["leaky_relu_slope"], 32); err == nil && o.Slope == 0 && slope > 0 && !math.IsInf(slope, 0) {
		o.Slope = float32(slope)
	}
	if side, err := strconv.Atoi(texts["size"]); err == nil && o.Size == 0 && side > 0 {
		o.Size = side
	}
	a := &w.About
	a.Data, a.Ground, a.Source, a.Averaged = texts["data"], texts["ground"], texts["source"], texts["averaged"] == "true"
	if step, err := strconv.Atoi(texts["step"]); err == nil && step > 0 {
		a.Step = step
	}
	if list, ok := texts["classes"]; ok {
		if err := json.Unmarshal([]byte(list), &a.Classes); err != nil || len(list) > maxClassNames || a.Classes == nil {
			a.Classes = nil
			w.Notes = append(w.Notes, fault.Sprintf("the names of its classes can't be read: %q", list))
		}
	}
}

// named drops names of classes that the network doesn't have.
func (w *Weights) named() {
	if n := len(w.About.Classes); n != 0 && n != w.Config.Classes {
		w.Notes = append(w.Notes, fmt.Sprintf("names %d classes, but tells %d apart: the names are not used", n, w.Config.Classes))
		w.About.Classes = nil
	}
}
