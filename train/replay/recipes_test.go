package replay

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
	"jem/config"
	"jem/model"
)

var recipes = []string{"jem", "jempp", "sada-jem", "eb-jdat", "dat", "at"}

func readRecipe(t *testing.T, name string) *Recipe {
	t.Helper()
	r, err := ReadRecipe("testdata/recipes/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// forRecipes asks something of each recording.
func forRecipes(t *testing.T, ask func(t *testing.T, r *Recipe)) {
	for _, name := range recipes {
		t.Run(name, func(t *testing.T) { ask(t, readRecipe(t, name)) })
	}
}

// A device takes the recorded steps as PyTorch does, with every instruction set.
func TestRecipesAreFollowed(t *testing.T) {
	for isa := asm.Generic; isa <= asm.Best(); isa++ {
		d := openISA(t, isa.String())
		forRecipes(t, func(t *testing.T, r *Recipe) {
			out, err := Retrace(d, r)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range out.Groups {
				t.Log(isa, c)
				if !c.OK {
					t.Errorf("%s: %s differs from the definition's", isa, c.Group)
				}
			}
		})
	}
}

// What a recording is for shows in it: with a setting changed a little some group of results is out of
// tolerance, the first that the setting has a part in.
func TestRecordingsTellSettings(t *testing.T) {
	d := openISA(t, "")
	for _, tc := range []struct {
		recipe, change string
		to             func(c *config.Config)
		first          string
	}{
		{"jem", "step size", func(c *config.Config) { c.Sampler.StepSize = 1.001 }, "0/chain"},
		{"jem", "weight", func(c *config.Config) { c.Objective.PX = 1.001 }, "0/dlogits"},
		{"jempp", "running statistics in chains", func(c *config.Config) { c.Sampler.BatchStats = false }, "0/chain"},
		{"jempp", "clip", func(c *config.Config) { c.Sampler.GradClip = 0.1001 }, "0/chain"},
		{"jempp", "no box", func(c *config.Config) { c.Sampler.Clamp = false }, "0/chain"},
		{"jempp", "weight decay", func(c *config.Config) { c.Optim.WeightDecay = 1e-3 }, "1/chain"},
		{"jempp", "momentum", func(c *config.Config) { c.Optim.Momentum = 0.91 }, "param"},
		{"sada-jem", "radius", func(c *config.Config) { c.SAM.Rho = 2.01 }, "0/climbed/logits"},
		{"sada-jem", "not adaptive", func(c *config.Config) { c.SAM.Adaptive = false }, "0/climbed/logits"},
		{"sada-jem", "every second step", func(c *config.Config) { c.SAM.Every = 2 }, "1/climbed/logits"},
		{"sada-jem", "frozen statistics", func(c *config.Config) { c.Train.FrozenStats = true }, "0/logits"},
		{"eb-jdat", "weight of attacked images' class", func(c *config.Config) { c.Objective.Attacked = 1.001 }, "0/dlogits"},
		{"eb-jdat", "weight of their log p(x)", func(c *config.Config) { c.Objective.AttackedPX = 0.101 }, "0/dlogits"},
		{"eb-jdat", "not scattered", func(c *config.Config) { c.Attack.Scatter = false }, "0/attack"},
		{"eb-jdat", "radius", func(c *config.Config) { c.Attack.Radius = 0.0628 }, "0/attack"},
		{"eb-jdat", "towards the class", func(c *config.Config) { c.Attack.Climb = "logit" }, "0/attack"},
		{"eb-jdat", "batch statistics in the attack", func(c *config.Config) { c.Attack.BatchStats = true }, "0/attack"},
		{"dat", "L∞", func(c *config.Config) { c.Attack.Keep = "linf" }, "0/attack"},
		{"dat", "length", func(c *config.Config) { c.Dream.StepSize = 1.001 }, "0/dream"},
		{"dat", "labels", func(c *config.Config) { c.Dream.Label = "labeled" }, "0/dream"},
		{"dat", "climb", func(c *config.Config) { c.Dream.Climb = "log_px" }, "0/dream"},
		{"dat", "no box", func(c *config.Config) { c.Dream.Keep = "all" }, "0/dream"},
		{"dat", "weight", func(c *config.Config) { c.Objective.BCE = 1.001 }, "0/dlogits"},
		{"dat", "moving statistics", func(c *config.Config) { c.Train.FrozenStats = false }, "0/logits"},
		{"at", "move", func(c *config.Config) { c.Attack.StepSize = 0.0401 }, "0/attack"},
		{"at", "rate", func(c *config.Config) { c.Optim.LR = 0.0101 }, "1/attack"},
	} {
		r := readRecipe(t, tc.recipe)
		tc.to(&r.Config)
		out, err := Retrace(d, r)
		if err != nil {
			t.Fatalf("%s, %s: %v", tc.recipe, tc.change, err)
		}
		i := slices.IndexFunc(out.Groups, func(c Comparison) bool { return !c.OK })
		switch {
		case i < 0:
			t.Errorf("%s, %s: nothing shows", tc.recipe, tc.change)
		case out.Groups[i].Group != tc.first:
			t.Errorf("%s, %s: shows first in %s, want %s", tc.recipe, tc.change, out.Groups[i], tc.first)
		default:
			t.Logf("%s, %s: %s", tc.recipe, tc.change, out.Groups[i])
		}
	}
}

// A recording that lacks something, or has it in another shape, is an error or out of tolerance.
func TestDamagedRecipes(t *testing.T) {
	d := openISA(t, "")
	float := Tensor{Shape: []int{1}, F32: []float32{0}}
	for _, tc := range []struct {
		name   string
		change func(r *Recipe)
		want   string // of the error; none: results are out of tolerance
	}{
		{"in/0/data", func(r *Recipe) { delete(r.Tensors, "in/0/data") }, "in/0/data has shape []"},
		{"in/1/labeled", func(r *Recipe) { r.Tensors["in/1/labeled"] = float }, "in/1/labeled has shape [1], want [6 3 8 8]"},
		{"labels", func(r *Recipe) { r.Tensors["in/0/labels"] = float }, "in/0/labels holds 0 integers, want 6"},
		{"a label", func(r *Recipe) { r.Tensors["in/0/labels"].I32[0] = 4 }, "in/0/labels holds 4, want 0 to 3"},
		{"a weight", func(r *Recipe) { r.Start["f.conv1.bias"] = float }, "f.conv1.bias has 1 values, this network's 16"},
		{"a running statistic", func(r *Recipe) { delete(r.Start, "f.bn1.running_var") }, "f.bn1.running_var has 0 values"},
		{"chain starts", func(r *Recipe) { delete(r.Tensors, "in/0/chain/start") }, ""},
		{"scatter", func(r *Recipe) { r.Tensors["in/0/attack/scatter"] = float }, ""},
		{"a result", func(r *Recipe) { delete(r.Tensors, "0/logits/chain") }, ""},
		{"a term", func(r *Recipe) { r.Trace[0]["other"] = 1 }, ""},
	} {
		r := readRecipe(t, "eb-jdat")
		tc.change(r)
		out, err := Retrace(d, r)
		switch {
		case tc.want == "" && (err != nil || out.OK()):
			t.Errorf("%s: error %v, passed: %v", tc.name, err, out.OK())
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
	}
}

// A file's own faults are named.
func TestWrongRecipeFilesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"recipe": "x", "classes": 1}`:                                                                 "classes is 1",
		`{"recipe": "x", "classes": 4, "stride": 0}`:                                                    "stride is 0",
		`{"recipe": "x", "classes": 4, "stride": 1}`:                                                    "trace is empty",
		`{"recipe": "x", "classes": 4, "stride": 1, "trace": [{}], "settings": {"model": {"norm": 1}}}`: "model.norm",
	} {
		if _, err := parseRecipe([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
	for _, other := range []string{"testdata/jem_wrn10_1", "../../internal/metrics/testdata/metrics.json"} {
		if r, err := ReadRecipe(other); r != nil || err != nil {
			t.Errorf("%s: %v, %v; want neither", other, r, err)
		}
	}
}

// passes lists the recorded passes through the network, as 0/logits/data and 1/climbed/logits/chain, by
// step, place ("" or "climbed/") and part.
func (r *Recipe) passes() (all []recordedPass) {
	for _, name := range slices.Sorted(maps.Keys(r.Tensors)) {
		if before, part, ok := strings.Cut(name, "logits/"); ok && !strings.HasSuffix(before, "d") {
			step, at, _ := strings.Cut(before, "/")
			all = append(all, recordedPass{step, at, part, r.Tensors[name], r.Tensors[before+"dlogits/"+part]})
		}
	}
	return all
}

type recordedPass struct {
	step, at, part string
	logits, dlogit Tensor
}

// labels are those of the pass's images; nil where it has none.
func (p recordedPass) labels(r *Recipe) []int32 {
	switch p.part {
	case "labeled", "attacked":
		return r.Tensors["in/"+p.step+"/labels"].I32
	case "dream":
		return r.Tensors["in/"+p.step+"/data_labels"].I32
	}
	return nil
}

// The terms' values follow from the logits that autograd differentiated, and their weighted sum is the loss.
func TestRecordedTermsFollowFromTheLogits(t *testing.T) {
	forRecipes(t, func(t *testing.T, r *Recipe) {
		for i, want := range r.Trace {
			for _, at := range []string{"", "climbed/"} {
				v := r.termsOf(fmt.Sprint(i), at)
				if len(v) == 0 && (at == "" || r.Config.SAM.Rho != 0) {
					t.Fatalf("step %d: no logits %s", i, at)
				}
				for name, got := range v {
					// Logits were rounded to float32 for the file: u of some 16 at most, a few of which enter a term.
					if w, ok := want[at+name]; ok && math.Abs(got-w) > 64*unitRoundoff*(1+math.Abs(w)) || !ok && at == "" {
						t.Errorf("step %d: %s%s is %.9g, recorded %.9g", i, at, name, got, w)
					}
				}
			}
		}
	})
}

// termsOf computes the terms' values of a step's passes.
func (r *Recipe) termsOf(step, at string) map[string]float64 {
	o, v, m := r.Config.Objective, map[string]float64{}, map[string]float64{}
	for _, p := range r.passes() {
		if p.step != step || p.at != at {
			continue
		}
		labels, n := p.labels(r), float64(p.logits.Shape[0])
		for i := range p.logits.Shape[0] {
			row := p.logits.F32[i*r.Classes : (i+1)*r.Classes]
			lse := model.LogSumExp(row)
			v["log_px_"+p.part] += lse / n
			m["is data "+p.part] += math.Log1p(math.Exp(lse)) / n
			m["is none "+p.part] += math.Log1p(math.Exp(-lse)) / n
			if labels != nil {
				m["ce "+p.part] += (lse - float64(row[labels[i]])) / n
			}
		}
	}
	for _, term := range []struct {
		name   string
		weight float32
		value  float64
	}{
		{"p_x", o.PX, v["log_px_chain"] - v["log_px_data"]},
		{"p_y_given_x", o.PYX, m["ce labeled"]},
		{"attacked", o.Attacked, m["ce attacked"]},
		{"attacked_p_x", o.AttackedPX, v["log_px_attacked"] - v["log_px_data"]},
		{"bce", o.BCE, m["is none data"] + m["is data dream"]},
	} {
		if term.weight != 0 && len(m) > 0 {
			v[term.name] = term.value
			v["L"] += float64(term.weight) * term.value
		}
	}
	return v
}

// coefficients are those of LogitGrad for an image of the part, times the part's size.
func (r *Recipe) coefficients(part string) [4]float32 {
	o := r.Config.Objective
	return map[string][4]float32{
		"data":     {-o.PX - o.AttackedPX - o.BCE, 0, 0, o.BCE},
		"chain":    {o.PX},
		"labeled":  {o.PYX, 0, -o.PYX},
		"attacked": {o.Attacked + o.AttackedPX, 0, -o.Attacked},
		"dream":    {0, 0, 0, o.BCE},
	}[part]
}

// Four coefficients an image are all that a device needs to know of the terms: with them it finds the
// gradient at the logits that autograd found.
func TestRecordedGradientsFollowFromCoefficients(t *testing.T) {
	d := openISA(t, "")
	forRecipes(t, func(t *testing.T, r *Recipe) {
		for _, p := range r.passes() {
			n := p.logits.Shape[0]
			var coef []float32
			for range n {
				for _, c := range r.coefficients(p.part) {
					coef = append(coef, c/float32(n))
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
	forRecipes(t, func(t *testing.T, r *Recipe) {
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
func (r *Recipe) negatives() (all []negative) {
	o, s := r.Config.Objective, r.Config.Sampler
	if o.PX != 0 {
		n := negative{
			name: "chain", begins: "chain/start", move: "langevin",
			steps: s.Steps, stepSize: s.StepSize, noise: s.Noise, gradClip: s.GradClip,
		}
		if s.Clamp {
			n.kept = "box"
		}
		all = append(all, n)
	}
	add := func(name string, n config.Negative) {
		all = append(all, negative{name: name, begins: n.Start, move: n.Move, kept: n.Keep, steps: n.Steps, stepSize: n.StepSize, ballSize: n.Radius})
	}
	if o.Attacked != 0 {
		add("attack", r.Config.Attack)
	}
	if o.BCE != 0 {
		add("dream", r.Config.Dream)
	}
	return all
}

// follow makes the moves of the first step, each from where the recording was.
func (n negative) follow(t *testing.T, d backend.Device, r *Recipe) {
	begin := r.Tensors["in/0/"+n.begins]
	x, g, from := d.New(backend.Image, begin.Shape...), d.New(backend.Image, begin.Shape...), d.New(backend.Image, begin.Shape...)
	d.Upload(from, begin.F32)
	now := begin.F32
	check := func(at int) {
		now = r.Tensors[fmt.Sprintf("0/%s/x%d", n.name, at)].F32
		n.compare(t, d, x, now, fmt.Sprintf("%s, image %d", n.name, at))
	}
	if scatter, ok := r.Tensors["in/0/"+n.name+"/scatter"]; ok {
		d.Upload(x, now)
		d.Upload(g, scatter.F32)
		d.Axpy(x, 1, g)
		n.keep(d, x, from)
		check(0)
	}
	for k := range n.steps {
		d.Upload(x, now)
		d.Upload(g, r.Tensors[fmt.Sprintf("0/%s/g%d", n.name, k)].F32)
		n.step(d, x, g)
		if n.noise != 0 {
			noise := r.Tensors["in/0/"+n.name+"/noise"].F32
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
	forRecipes(t, func(t *testing.T, r *Recipe) {
		for _, n := range r.negatives() {
			if n.gradClip != 0 && largest(r.Tensors["0/"+n.name+"/g0"].F32) <= n.gradClip {
				t.Errorf("%s: no gradient is clipped", n.name)
			}
			if n.ballSize == 0 {
				continue
			}
			before, after := r.Tensors["in/0/"+n.begins], r.Tensors[fmt.Sprintf("0/%s/x%d", n.name, n.steps)]
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
