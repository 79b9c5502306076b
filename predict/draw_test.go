package predict_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"jem/backend"
	"jem/config/settings"
	"jem/internal/sysmem"
	"jem/predict"
	"jem/predict/predicttest"
)

// A film ends with what Sample draws, whatever pieces its chains are moved in, also where the
// constants of SGLD decay; neither changes the predictor.
func TestFilmsEndWithTheSamples(t *testing.T) {
	p := predicttest.Official(t)
	p.Config.Sampler.StepDecay, p.Config.Sampler.NoiseDecay = 0.99, 0.98
	before := p.Config
	o := predict.SampleOptions{N: 3, Steps: 45, Fresh: true, Class: predict.AnyClass, Seed: 2}
	film, err := p.Animate(context.Background(), o, 21)
	if err != nil {
		t.Fatal(err)
	}
	var frames []int
	for _, f := range film {
		frames = append(frames, f.Step)
	}
	if !slices.Equal(frames, []int{0, 21, 42, 45}) {
		t.Errorf("frames after %v SGLD steps", frames)
	}
	var drawn []float32
	err = p.Draw(context.Background(), o, func(images, _ []float32) error {
		drawn = append(drawn, images...)
		return nil
	})
	if err != nil || !slices.Equal(drawn, film[3].Images) {
		t.Errorf("the last frame is not what is drawn (%v)", err)
	}
	s, err := p.Sample(context.Background(), o)
	if err != nil || len(s.Class) != 3 || !slices.IsSorted(s.Class) {
		t.Errorf("%+v, %v", s, err)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration is %+v, was %+v", p.Config, before)
	}
}

// Samples that there is no memory to keep are refused.
func TestSamplesNeedMemory(t *testing.T) {
	p := predicttest.Official(t)
	if sysmem.Available().Bytes == 0 {
		t.Skip("the system doesn't tell its memory")
	}
	var refused *settings.Error
	if _, err := p.Sample(t.Context(), predict.SampleOptions{N: 1 << 40, Fresh: true, Class: predict.AnyClass}); !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
	if err := p.Keep(100); err != nil {
		t.Error(err)
	}
}

// Chains of a million SGLD steps end soon after their context.
func TestSamplingEnds(t *testing.T) {
	p := predicttest.Official(t)
	o := predict.SampleOptions{N: 2, Steps: 1_000_000, Fresh: true, Class: predict.AnyClass, Seed: 2}
	for name, do := range map[string]func(context.Context) error{
		"Sample": func(ctx context.Context) error { _, err := p.Sample(ctx, o); return err },
		"Draw": func(ctx context.Context) error {
			return p.Draw(ctx, o, func([]float32, []float32) error { return nil })
		},
		"Animate": func(ctx context.Context) error { _, err := p.Animate(ctx, o, o.Steps); return err },
	} {
		if err := do(predicttest.EndsAfter(2)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// counting counts how often it is waited for.
type counting struct {
	backend.Device
	waited int
}

// Sync implements backend.Device.
func (d *counting) Sync() error { d.waited++; return d.Device.Sync() }

// SGLD steps are taken in order, none twice and none left out, and each piece is waited for.
func TestPace(t *testing.T) {
	p := predicttest.Official(t)
	d := &counting{Device: p.Device()}
	var taken []int
	if err := predict.Pace(context.Background(), d, 7, 50, func(first, steps int) {
		for k := range steps {
			taken = append(taken, first+k)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for i, k := range taken {
		if k != 7+i {
			t.Fatalf("took %v", taken)
		}
	}
	if len(taken) != 50 || d.waited != 3 {
		t.Errorf("%d steps, waited %d times", len(taken), d.waited)
	}
}
