package predict_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"jem/predict"
	"jem/predict/predicttest"
)

// The features through the linear layer are the logits. Float32 sums of 64 products of size 1
// err by 64·2⁻²⁴ at most.
func TestFeaturesAreTheLinearLayersInputs(t *testing.T) {
	p := predicttest.Official(t)
	o, err := p.Gather(context.Background(), "noise", predicttest.Noise(7), predict.Want{Features: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, b := make([]float32, 640), make([]float32, 10)
	for _, q := range p.Net().Params.List {
		switch q.Name {
		case "class_output.weight":
			err = errors.Join(err, p.Device().Download(w, q.Value))
		case "class_output.bias":
			err = errors.Join(err, p.Device().Download(b, q.Value))
		}
	}
	if err != nil || o.Features.N != 7 || o.Features.K != 64 {
		t.Fatalf("%d×%d features, %v", o.Features.N, o.Features.K, err)
	}
	for n := range 7 {
		for k := range 10 {
			sum := float64(b[k])
			for j, v := range o.Features.Row(n) {
				sum += v * float64(w[k*64+j])
			}
			if got := o.Logits.Row(n)[k]; math.Abs(got-sum) > 1e-5*(1+math.Abs(sum)) {
				t.Errorf("image %d, class %d: logit %g, from the features %g", n, k, got, sum)
			}
		}
	}
}

// ODIN moves an image so that the probability of its class at the temperature grows, by about
// ε·‖∂ log p/∂x‖₁: the score is above that without a step, and without a step it is that.
func TestODINRaisesTheConfidence(t *testing.T) {
	p := predicttest.Official(t)
	images := predicttest.Noise(20)
	score := func(o predict.ODIN) []float64 {
		out, err := p.Gather(context.Background(), "noise", images, predict.Want{ODIN: &o}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out.ODIN
	}
	plain, err := p.Gather(context.Background(), "noise", images, predict.Want{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	still, moved := score(predict.ODIN{Temperature: 10}), score(predict.ODIN{Temperature: 10, Epsilon: 0.01})
	for n := range plain.Logits.N {
		if want := predict.MaxProbability(plain.Logits.Row(n), 10); still[n] != want || moved[n] <= still[n] {
			t.Errorf("image %d: %g without a step, want %g; with one %g", n, still[n], want, moved[n])
		}
	}
}

func TestTemperedIsASoftmax(t *testing.T) {
	logits := []float32{1, 2, 4}
	for _, temperature := range []float64{0.5, 1, 10} {
		sum := 0.0
		for _, v := range logits {
			sum += math.Exp(float64(v) / temperature)
		}
		if got, want := predict.MaxProbability(logits, temperature), math.Exp(4/temperature)/sum; math.Abs(got-want) > 1e-12 {
			t.Errorf("T = %g: got %g, want %g", temperature, got, want)
		}
	}
}
