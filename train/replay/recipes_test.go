package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/philox"
	"jem/model"
)

// recording is what testdata/recipes/generate.py made of some training steps of a recipe.
type recording struct {
	Recipe   string               `json:"recipe"`
	Classes  int                  `json:"classes"`
	Stride   int                  `json:"stride"`   // of parameters and their gradients every so manieth entry is there
	Settings map[string]any       `json:"settings"` // by their names in a configuration
	Rounding map[string]float64   `json:"rounding"` // by kind of result: what float32 errs by in PyTorch, as a share of a tensor's largest entry
	Trace    []map[string]float64 `json:"trace"`    // the terms' values of each step

	tensors map[string]Tensor
	start   map[string]Tensor // weights and running statistics
}

var recipes = []string{"jem", "jempp", "sada-jem", "eb-jdat", "dat", "at"}

func readRecipe(t *testing.T, name string) *recording {
	t.Helper()
	const folder = "testdata/recipes/"
	data, err := os.ReadFile(folder + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{}
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for file, to := range map[string]*map[string]Tensor{name: &r.tensors, "start": &r.start} {
		if *to, err = readTensors(folder + file + ".safetensors"); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// forRecipes asks something of each recording.
func forRecipes(t *testing.T, ask func(t *testing.T, r *recording)) {
	for _, name := range recipes {
		t.Run(name, func(t *testing.T) { ask(t, readRecipe(t, name)) })
	}
}

// number is a setting that is one; 0 where it isn't there.
func (r *recording) number(path string) float64 {
	v, _ := r.Settings[path].(float64)
	return v
}

// network is the recorded one.
func (r *recording) network() model.Config {
	x := r.tensors["in/0/labeled"].Shape
	return model.Config{
		Depth: int(r.number("model.depth")), Width: int(r.number("model.width")), Norm: r.Settings["model.norm"].(string),
		Slope: float32(r.number("model.slope")), Classes: r.Classes, InC: x[1], Size: x[2],
	}
}

// The recordings have weights for the network that they speak of.
func TestRecordedWeightsAreTheNetworks(t *testing.T) {
	forRecipes(t, func(t *testing.T, r *recording) {
		for _, p := range r.network().Layout() {
			if !slices.Equal(r.start[p.Name].Shape, p.Shape) {
				t.Errorf("start: %s has shape %v, the network's %v", p.Name, r.start[p.Name].Shape, p.Shape)
			}
			n := (backend.Len(shaped(p.Shape)) + r.Stride - 1) / r.Stride
			for _, prefix := range []string{"0/grad/", "param/"} {
				if got := len(r.tensors[prefix+p.Name].F32); got != n {
					t.Errorf("%s%s has %d entries, want %d", prefix, p.Name, got, n)
				}
			}
		}
	})
}

// shaped is a tensor of which only the shape is known.
type shaped []int

func (s shaped) Shape() []int       { return s }
func (s shaped) Kind() backend.Kind { return backend.Dense }

// passes lists the recorded passes through the network, as 0/logits/data and 1/climbed/logits/chain, by
// step, place ("" or "climbed/") and part.
func (r *recording) passes() (all []recordedPass) {
	for _, name := range slices.Sorted(maps.Keys(r.tensors)) {
		if before, part, ok := strings.Cut(name, "logits/"); ok && !strings.HasSuffix(before, "d") {
			step, at, _ := strings.Cut(before, "/")
			all = append(all, recordedPass{step, at, part, r.tensors[name], r.tensors[before+"dlogits/"+part]})
		}
	}
	return all
}

type recordedPass struct {
	step, at, part string
	logits, dlogit Tensor
}

// labels are those of the pass's images; nil where it has none.
func (p recordedPass) labels(r *recording) []int32 {
	switch p.part {
	case "labeled", "attacked":
		return r.tensors["in/"+p.step+"/labels"].I32
	case "dream":
		return r.tensors["in/"+p.step+"/data_labels"].I32
	}
	return nil
}

// The terms' values follow from the logits that autograd differentiated, and their weighted sum is the loss.
func TestRecordedTermsFollowFromTheLogits(t *testing.T) {
	forRecipes(t, func(t *testing.T, r *recording) {
		got := make([]map[string]float64, len(r.Trace))
		for i := range got {
			got[i] = map[string]float64{}
		}
		for _, p := range r.passes() {
			p.addTerms(r, got[p.step[0]-'0'])
		}
		for i, want := range r.Trace {
			r.addLoss(got[i], "")
			r.addLoss(got[i], "climbed/")
			// Logits were rounded to float32 for the file: u of some 16 at most, a few of which enter a term.
			for name, v := range got[i] {
				if w, ok := want[name]; !ok || math.Abs(v-w) > 64*unitRoundoff*(1+math.Abs(w)) {
					t.Errorf("step %d: %s is %.9g, recorded %.9g", i, name, v, w)
				}
			}
		}
	})
}

// addTerms adds the pass's own values: means of LogSumExp, cross-entropies, its half of bce.
func (p recordedPass) addTerms(r *recording, to map[string]float64) {
	labels, rows := p.labels(r), slices.Collect(slices.Chunk(p.logits.F32, r.Classes))
	n := float64(len(rows))
	for i, row := range rows {
		lse := model.LogSumExp(row)
		to[p.at+"lse_"+p.part] += lse / n
		switch {
		case p.part == "labeled":
			to[p.at+"cross_entropy"] += (lse - float64(row[labels[i]])) / n
		case p.part == "attacked":
			to[p.at+"attacked"] += (lse - float64(row[labels[i]])) / n
		case p.part == "data" && r.number("objective.bce") != 0:
			to[p.at+"bce"] += math.Log1p(math.Exp(-lse)) / n
		case p.part == "dream":
			to[p.at+"bce"] += math.Log1p(math.Exp(lse)) / n
		}
	}
}

// addLoss adds the weighted sum of terms, if there are any.
func (r *recording) addLoss(v map[string]float64, at string) {
	if len(v) == 0 || at != "" && r.number("sam.rho") == 0 {
		return
	}
	v[at+"L"] = r.number("objective.p_x")*(v[at+"lse_chain"]-v[at+"lse_data"]) +
		r.number("objective.p_y_given_x")*v[at+"cross_entropy"] +
		r.number("objective.attacked")*v[at+"attacked"] +
		r.number("objective.attacked_p_x")*(v[at+"lse_attacked"]-v[at+"lse_data"]) +
		r.number("objective.bce")*v[at+"bce"]
}

// coefficients are those of LogitGrad for an image of the part, times the part's size.
func (r *recording) coefficients(part string) [4]float64 {
	px, apx := r.number("objective.p_x"), r.number("objective.attacked_p_x")
	ce, ace, bce := r.number("objective.p_y_given_x"), r.number("objective.attacked"), r.number("objective.bce")
	return map[string][4]float64{
		"data":     {-px - apx - bce, 0, 0, bce},
		"chain":    {px},
		"labeled":  {ce, 0, -ce},
		"attacked": {ace + apx, 0, -ace},
		"dream":    {0, 0, 0, bce},
	}[part]
}

// Four coefficients an image are all that a device needs to know of the terms: with them it finds the
// gradient at the logits that autograd found.
func TestRecordedGradientsFollowFromCoefficients(t *testing.T) {
	d := openISA(t, "")
	forRecipes(t, func(t *testing.T, r *recording) {
		for _, p := range r.passes() {
			n := p.logits.Shape[0]
			var coef []float32
			for range n {
				for _, c := range r.coefficients(p.part) {
					coef = append(coef, float32(c/float64(n)))
				}
			}
			logits, grad := d.New(backend.Dense, n, r.Classes), d.New(backend.Dense, n, r.Classes)
			labels, rows := d.New(backend.Index, n), d.New(backend.Dense, n, 4)
			d.Upload(logits, p.logits.F32)
			d.Upload(rows, coef)
			if y := p.labels(r); y != nil {
				d.UploadIndex(labels, y)
			}
			d.LogitGrad(grad, logits, labels, rows)
			got := make([]float32, n*r.Classes)
			if err := d.Download(got, grad); err != nil {
				t.Fatal(err)
			}
			// exp of a logit f that was rounded errs by u·|f|, as do LogSumExp and the exponential.
			allowed := float64(8+4*largest(p.logits.F32)) * unitRoundoff * float64(largest(p.dlogit.F32))
			if at, err := farthest(got, p.dlogit.F32); err > allowed {
				t.Errorf("step %s, %s%s: entry %d is %g, recorded %g; %.2g is allowed", p.step, p.at, p.part, at, got[at], p.dlogit.F32[at], allowed)
			}
		}
	})
}

// farthest is the largest difference and where it is.
func farthest(got, want []float32) (at int, worst float64) {
	for i := range want {
		if e := math.Abs(float64(got[i]) - float64(want[i])); !(e <= worst) {
			at, worst = i, e
		}
	}
	return at, worst
}

// Each recorded move is the device's with the recorded gradient.
func TestRecordedMovesAreTheDevices(t *testing.T) {
	d := openISA(t, "")
	forRecipes(t, func(t *testing.T, r *recording) {
		for _, n := range r.negatives() {
			n.follow(t, d, r)
		}
	})
}

// negative is how images are moved.
type negative struct {
	name, begins, move, kept            string
	steps                               int
	stepSize, noise, gradClip, ballSize float32
}

// negatives are those of the recipe.
func (r *recording) negatives() (all []negative) {
	if _, ok := r.Settings["sampler.steps"]; ok {
		all = append(all, r.chain())
	}
	for _, name := range []string{"attack", "dream"} {
		if move, ok := r.Settings[name+".move"].(string); ok {
			all = append(all, negative{
				name: name, begins: r.Settings[name+".start"].(string), move: move, kept: r.Settings[name+".keep"].(string),
				steps: int(r.number(name + ".steps")), stepSize: float32(r.number(name + ".step_size")), ballSize: float32(r.number(name + ".radius")),
			})
		}
	}
	return all
}

func (r *recording) chain() negative {
	n := negative{
		name: "chain", begins: "chain/start", move: "langevin",
		steps: int(r.number("sampler.steps")), stepSize: float32(r.number("sampler.step_size")),
		noise: float32(r.number("sampler.noise")), gradClip: float32(r.number("sampler.grad_clip")),
	}
	if r.Settings["sampler.clamp"] == true {
		n.kept = "box"
	}
	return n
}

// follow makes the moves of the first step, each from where the recording was.
func (n negative) follow(t *testing.T, d backend.Device, r *recording) {
	begin := r.tensors["in/0/"+n.begins]
	x, g, from := d.New(backend.Image, begin.Shape...), d.New(backend.Image, begin.Shape...), d.New(backend.Image, begin.Shape...)
	d.Upload(from, begin.F32)
	now := begin.F32
	check := func(at int) {
		now = r.tensors[fmt.Sprintf("0/%s/x%d", n.name, at)].F32
		n.compare(t, d, x, now, fmt.Sprintf("%s, image %d", n.name, at))
	}
	if scatter, ok := r.tensors["in/0/"+n.name+"/scatter"]; ok {
		d.Upload(x, now)
		d.Upload(g, scatter.F32)
		d.Axpy(x, 1, g)
		n.keep(d, x, from)
		check(0)
	}
	for k := range n.steps {
		d.Upload(x, now)
		d.Upload(g, r.tensors[fmt.Sprintf("0/%s/g%d", n.name, k)].F32)
		n.step(d, x, g)
		if n.noise != 0 {
			noise := r.tensors["in/0/"+n.name+"/noise"].F32
			d.Upload(g, noise[k*len(now):(k+1)*len(now)])
			d.Axpy(x, n.noise, g)
		}
		n.keep(d, x, from)
		check(k + 1)
	}
}

func (n negative) step(d backend.Device, x, g backend.Tensor) {
	switch n.move {
	case "sign":
		d.SignStep(x, g, n.stepSize)
	case "unit":
		d.UnitStep(x, g, n.stepSize)
	default:
		d.SGLDStep(x, g, philox.Key{}, backend.SGLD{StepSize: n.stepSize, GradClip: n.gradClip})
	}
}

func (n negative) keep(d backend.Device, x, centre backend.Tensor) {
	ball := backend.Ball{Norm: backend.LInf, Radius: n.ballSize, Lo: -1, Hi: 1}
	switch n.kept {
	case "box":
		d.Clamp(x, -1, 1)
	case "l2":
		ball.Norm = backend.L2
		fallthrough
	case "linf":
		d.Project(x, centre, ball)
	}
}

// compare allows for the roundings of position, gradient and noise in the file, and of the sums here.
func (n negative) compare(t *testing.T, d backend.Device, x backend.Tensor, want []float32, what string) {
	t.Helper()
	got := make([]float32, len(want))
	if err := d.Download(got, x); err != nil {
		t.Fatal(err)
	}
	allowed := 8 * unitRoundoff * float64(largest(want))
	if at, err := farthest(got, want); err > allowed {
		t.Errorf("%s: pixel %d is %.9g, recorded %.9g; %.2g is allowed", what, at, got[at], want[at], allowed)
	}
}

// What is recorded depends on what it is to test: moves come to the border of what they are kept in, and
// clipping acts.
func TestRecordedMovesReachTheirBorders(t *testing.T) {
	forRecipes(t, func(t *testing.T, r *recording) {
		for _, n := range r.negatives() {
			if n.gradClip != 0 && largest(r.tensors["0/"+n.name+"/g0"].F32) <= n.gradClip {
				t.Errorf("%s: no gradient is clipped", n.name)
			}
			if n.ballSize == 0 {
				continue
			}
			before, after := r.tensors["in/0/"+n.begins], r.tensors[fmt.Sprintf("0/%s/x%d", n.name, n.steps)]
			pixels, far := len(before.F32)/before.Shape[0], 0.0
			for i := 0; i < len(before.F32); i += pixels {
				far = max(far, distance(n.kept, before.F32[i:i+pixels], after.F32[i:i+pixels]))
			}
			if far < 0.97*float64(n.ballSize) {
				t.Errorf("%s: no image comes farther than %g in its ball of %g", n.name, far, n.ballSize)
			}
		}
	})
}

func distance(norm string, x, y []float32) (d float64) {
	for i := range x {
		e := math.Abs(float64(x[i]) - float64(y[i]))
		if norm == "linf" {
			d = max(d, e)
			continue
		}
		d = math.Hypot(d, e)
	}
	return d
}
