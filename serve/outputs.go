package serve

import (
	"net/http"
	"slices"
	"strings"

	"jem/model"
	"jem/predict"
	"jem/serve/batch"
	"jem/serve/protocol"
	"jem/serve/verdict"
)

// output is a tensor that may be asked for.
type output struct {
	name     string
	datatype protocol.Datatype
	row      func(*batch.Model) []int // sizes behind N
	asked    predict.Asked            // what it needs of an answer
	judged   bool                     // it is a rule's
	named    bool                     // it comes only to who names it
	put      func(t *protocol.Tensor, a *answered)
}

// answered is what is known of an image.
type answered struct {
	batch.Answer
	about         About
	class         int
	probabilities []float32
	verdict       verdict.Verdict
}

func scalar(*batch.Model) []int    { return nil }
func byClass(m *batch.Model) []int { return []int{m.Net().Config.Classes} }
func byPixel(m *batch.Model) []int { c, h, w := m.Shape(); return []int{c, h, w} }

func truth(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// outputs are all, in the order in which they come.
var outputs = []output{
	{name: "class", datatype: protocol.Bytes, row: scalar, put: func(t *protocol.Tensor, a *answered) { t.Texts = append(t.Texts, []byte(a.Model.Classes[a.class])) }},
	{name: "class_index", datatype: protocol.Int64, row: scalar, put: func(t *protocol.Tensor, a *answered) { t.I64 = append(t.I64, int64(a.class)) }},
	{name: "probabilities", datatype: protocol.FP32, row: byClass, put: func(t *protocol.Tensor, a *answered) { t.F32 = append(t.F32, a.probabilities...) }},
	{name: "logits", datatype: protocol.FP32, row: byClass, put: func(t *protocol.Tensor, a *answered) { t.F32 = append(t.F32, a.Logits...) }},
	{name: "log_px", datatype: protocol.FP32, row: scalar, put: func(t *protocol.Tensor, a *answered) { t.F32 = append(t.F32, a.LogPx) }},
	{name: "approx_mass", datatype: protocol.FP32, row: scalar, asked: predict.Asked{Mass: true}, put: func(t *protocol.Tensor, a *answered) { t.F32 = append(t.F32, a.Mass) }},
	{name: "score", datatype: protocol.FP64, row: scalar, judged: true, put: func(t *protocol.Tensor, a *answered) { t.F64 = append(t.F64, a.verdict.Score) }},
	{name: "p_value", datatype: protocol.FP64, row: scalar, judged: true, put: func(t *protocol.Tensor, a *answered) { t.F64 = append(t.F64, a.verdict.P) }},
	{name: "unusual", datatype: protocol.Bool, row: scalar, judged: true, put: func(t *protocol.Tensor, a *answered) { t.U8 = append(t.U8, truth(a.verdict.Unusual)) }},
	{name: "gradient", datatype: protocol.FP32, row: byPixel, asked: predict.Asked{Gradient: true}, named: true, put: func(t *protocol.Tensor, a *answered) { t.F32 = append(t.F32, a.Gradient...) }},
}

// offered reports whether a model has an output.
func (o *output) offered(m *batch.Model) bool { return !o.judged || aboutOf(m).Fitted.Rule != nil }

// wanted are the outputs that a request wants.
type wanted struct {
	all    []*output
	binary []bool // of each
	rule   verdict.Rule
}

// wanted reads which outputs a request wants: those that it names, or all but those that have to be named.
func (s *Server) wanted(r *protocol.Request, m *batch.Model) (*wanted, error) {
	w := &wanted{rule: aboutOf(m).Fitted.Rule}
	for _, asked := range r.Outputs {
		i := slices.IndexFunc(outputs, func(o output) bool { return o.name == asked.Name })
		switch {
		case i < 0 || !outputs[i].offered(m) && !outputs[i].judged:
			return nil, refusef(http.StatusBadRequest, "there is no output %s: there are %s", clipped(asked.Name), strings.Join(names(m), ", "))
		case !outputs[i].offered(m):
			return nil, refusef(http.StatusBadRequest, "output %s needs a rule, and the service was started without --rule", asked.Name)
		case slices.Contains(w.all, &outputs[i]):
			return nil, refusef(http.StatusBadRequest, "output %s is asked for twice", asked.Name)
		}
		w.all, w.binary = append(w.all, &outputs[i]), append(w.binary, asked.Binary)
	}
	if len(r.Outputs) > 0 {
		return w, nil
	}
	for i := range outputs {
		if o := &outputs[i]; o.offered(m) && !o.named {
			w.all, w.binary = append(w.all, o), append(w.binary, r.Binary)
		}
	}
	return w, nil
}

// names are those of a model's outputs.
func names(m *batch.Model) (all []string) {
	for i := range outputs {
		if outputs[i].offered(m) {
			all = append(all, outputs[i].name)
		}
	}
	return all
}

// asked is what the outputs need.
func (w *wanted) asked() (all predict.Asked) {
	for _, o := range w.all {
		all = all.Or(o.asked)
		if o.judged {
			all = all.Or(w.rule.Asked())
		}
	}
	return all
}

// judged reports whether one of them is a rule's.
func (w *wanted) judged() bool {
	return slices.ContainsFunc(w.all, func(o *output) bool { return o.judged })
}

// of are the outputs of a request's answers, one at least.
func (w *wanted) of(answers []batch.Answer) ([]protocol.Tensor, error) {
	m := answers[0].Model
	about := aboutOf(m)
	var verdicts []verdict.Verdict
	if w.judged() {
		var err error
		if verdicts, err = verdict.Of(about.Fitted.Rule, answers); err != nil {
			return nil, err
		}
	}
	tensors := make([]protocol.Tensor, len(w.all))
	for i, o := range w.all {
		tensors[i] = protocol.Tensor{Name: o.name, Datatype: o.datatype, Shape: append([]int{len(answers)}, o.row(m)...)}
	}
	probabilities := make([]float32, m.Net().Config.Classes)
	for i, a := range answers {
		one := answered{Answer: a, about: about, class: model.Argmax(a.Logits), probabilities: verdict.Probabilities(probabilities, a.Logits, temperature(about))}
		if verdicts != nil {
			one.verdict = verdicts[i]
		}
		for j, o := range w.all {
			o.put(&tensors[j], &one)
		}
	}
	return tensors, nil
}

// temperature is that of probabilities.
func temperature(a About) float64 {
	if a.Fitted.Temperature == 0 {
		return 1
	}
	return a.Fitted.Temperature
}

// describe is what the protocol tells of a model.
func (s *Server) describe(m *batch.Model) protocol.Model {
	c, h, w := m.Shape()
	d := protocol.Model{Name: s.o.Name, Versions: []string{aboutOf(m).Version}, Platform: "jem"}
	d.Inputs = []protocol.Description{{Name: imagesInput, Datatype: protocol.FP32, Shape: []int{-1, c, h, w}}}
	if c == 1 || c == 3 {
		d.Inputs = append(d.Inputs, protocol.Description{Name: picturesInput, Datatype: protocol.Bytes, Shape: []int{-1}})
	}
	for i := range outputs {
		if o := &outputs[i]; o.offered(m) {
			d.Outputs = append(d.Outputs, protocol.Description{Name: o.name, Datatype: o.datatype, Shape: append([]int{-1}, o.row(m)...)})
		}
	}
	return d
}
