// Package verdict is what a service says of an image beyond the network's own answers: its class's
// probability at a temperature, whether it is unusual, and where its log p(x) lies among images that are known.
//
// It fits nothing: which rule and temperature hold is found out where networks are measured, and handed in.
package verdict

import (
	"math"

	"jem/model"
	"jem/predict"
	"jem/serve/batch"
)

// Fitted is what was fitted to a network on images that it hasn't been trained on.
type Fitted struct {
	Temperature float64 // that logits are divided by, 1 if none was fitted
	Rule        Rule    // nil: no verdicts are given
	Reference   Reference
}

// Rule says of single images whether they are unusual. It is called from many goroutines.
type Rule interface {
	// About says which rule it is.
	About() About
	// Asked is what Judge needs of answers.
	Asked() predict.Asked
	// Judge gives a verdict for each image.
	Judge(*predict.Scores) ([]Verdict, error)
}

// About describes a rule: an image is unusual if no more than the share FalseAlarms of images like the held-out
// ones score as low, which is if its score is below Threshold.
type About struct {
	Score       string  `json:"score"`
	Threshold   float64 `json:"threshold"`
	FalseAlarms float64 `json:"false_alarms"`
	HeldOut     int     `json:"held_out_images"`
}

// Verdict is what a rule says of an image.
type Verdict struct {
	Score   float64 `json:"score"`
	P       float64 `json:"p_value"` // share of held-out images, and itself, that look as unusual or more
	Unusual bool    `json:"unusual"` // p_value is at most false_alarms
}

// Of gives the verdicts on answers to a request; nil without a rule.
func Of(r Rule, answers []batch.Answer) ([]Verdict, error) {
	if r == nil || len(answers) == 0 {
		return nil, nil
	}
	s := &predict.Scores{Classes: len(answers[0].Logits)}
	for _, a := range answers {
		s.Logits, s.LogPx = append(s.Logits, a.Logits...), append(s.LogPx, a.LogPx)
		s.Features = append(s.Features, a.Features...)
		if r.Asked().Mass {
			s.ApproxMass = append(s.ApproxMass, a.Mass)
		}
	}
	return r.Judge(s)
}

// Probabilities writes p(y|x) = softmax(logits/T) to dst, as many as there are logits, and returns it.
func Probabilities(dst []float32, logits []float32, temperature float64) []float32 {
	dst = dst[:len(logits)]
	for i, v := range logits {
		dst[i] = float32(float64(v) / temperature)
	}
	lse := model.LogSumExp(dst)
	for i, v := range dst {
		dst[i] = float32(math.Exp(float64(v) - lse))
	}
	return dst
}
