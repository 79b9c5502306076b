//go:build cuda && linux && amd64

package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/cuda"
	"jem/cuda/sim/control"
	"jem/internal/checkpoint"
	"jem/train"
	"jem/train/replay"
)

// The recorded training steps of the official code, with each engine. The tolerances are
// golden's own, and few units lie so near a kink that rounding may put them on its other side.
func TestGoldenSteps(t *testing.T) {
	for _, name := range []string{"jem_wrn10_1", "jem_joint_wrn10_2", "jem_sgd_wrn16_1"} {
		step, err := replay.Read("../train/replay/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, engine := range []string{"graph", "legacy"} {
			t.Run(name+" "+engine, func(t *testing.T) {
				out, err := replay.Repeat(open(t, cuda.Options{ConvEngine: engine}), step)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range out.Groups {
					if !c.OK {
						t.Errorf("%s differs from the official arithmetic: %s", c.Group, c)
					}
				}
				if k := out.Kinks; k.Flipped > 3 || k.Max > k.Bound {
					t.Errorf("kinks %+v, want at most 3 flipped, each within its bound", k)
				}
			})
		}
	}
}

// The recorded steps of recipes, with each engine: signs, lengths, balls, statistics of batch norms, the climb
// of sharpness-aware steps.
func TestRecipesAreFollowed(t *testing.T) {
	for _, engine := range []string{"graph", "legacy"} {
		d := open(t, cuda.Options{ConvEngine: engine})
		for _, name := range []string{"jem", "jempp", "sada-jem", "eb-jdat", "dat", "at"} {
			t.Run(name+" "+engine, func(t *testing.T) {
				recipe, err := replay.ReadRecipe("../train/replay/testdata/recipes/" + name)
				if err != nil {
					t.Fatal(err)
				}
				out, err := replay.Retrace(d, recipe)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range out.Groups {
					if !c.OK {
						t.Errorf("%s differs from the definition's: %s", c.Group, c)
					}
				}
			})
		}
	}
}

// Thirty training steps beside the CPU's, ten if tests are to be short. Over the first ten the CPU's instruction sets differ
// from each other by 2e-8 of the loss, over all thirty, when chains have carried roundings far,
// by 5e-3: float32 here may differ by some times that. Rounding operands to 10 or 7 bits moves
// the loss by 1e-3 in ten steps and by 5e-2 in thirty. The loss falls from 2.4 to 0.1; a wrong
// term in a gradient moves it by tenths in the first steps.
func TestTrainingBesideTheCPU(t *testing.T) {
	const early = 10
	steps := 30
	if testing.Short() {
		steps = early
	}
	want, _ := trained(t, openCPU(t), steps, nil)
	for _, tc := range []struct {
		o         cuda.Options
		ten, full float64 // bounds on the differences
	}{
		{cuda.Options{}, 1e-6, 0.03},
		{cuda.Options{ConvEngine: "legacy"}, 1e-6, 0.03},
		{cuda.Options{Precision: "tf32", Scope: "all"}, 5e-3, 0.2},
		{cuda.Options{Precision: "bf16"}, 5e-3, 0.2},
		{cuda.Options{Precision: "bf16", Scope: "all"}, 5e-3, 0.2},
	} {
		t.Run(fmt.Sprintf("%s %s %s", tc.o.Precision, tc.o.Scope, tc.o.ConvEngine), func(t *testing.T) {
			got, _ := trained(t, open(t, tc.o), steps, nil)
			var worst [2]float64
			for i, r := range got {
				d, bound, at := math.Abs(r.L-want[i].L), tc.full, &worst[1]
				if i < early {
					bound, at = tc.ten, &worst[0]
				}
				if *at = math.Max(*at, d); !(d <= bound) {
					t.Fatalf("step %d: loss %.6f, on the CPU %.6f, bound %.2g", i+1, r.L, want[i].L, bound)
				}
			}
			t.Logf("losses from %.3f to %.3f, off by %.2g in ten steps and %.2g after", got[0].L, got[steps-1].L, worst[0], worst[1])
		})
	}
}

// keeper reads the weights, as every keeper must, and counts the states that it could read.
type keeper struct {
	d     backend.Device
	saves int
}

func (k *keeper) Save(t *train.Trainer) (write func() (string, error), err error) {
	p := t.Model().Net.Params
	if err := k.d.Download(make([]float32, p.Len()), p.Value); err != nil {
		return nil, err
	}
	k.saves++
	return func() (string, error) { return "kept", nil }, nil
}

func (k *keeper) Before(int) (*checkpoint.Checkpoint, []error, error) {
	return nil, nil, checkpoint.ErrNone
}
func (k *keeper) At(int) (*checkpoint.Checkpoint, error) { return nil, checkpoint.ErrNone }
func (k *keeper) Return(*checkpoint.Checkpoint) error    { return nil }

// A card that is lost after the third step ends the run with the card's own error, and nothing
// is saved from it, even where the run is being stopped at that moment.
func TestNothingIsSavedFromALostCard(t *testing.T) {
	onStandin(t)
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprint("stopped ", stopped), func(t *testing.T) {
			d := open(t, cuda.Options{})
			c, src := smallRun(100)
			c.Train.SaveEvery = 1
			tr, err := train.New(d, c, src, comm.Local{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			k := &keeper{d: d}
			err = tr.Run(ctx, &losses{after: func(step int) {
				if step == 3 {
					control.Fail("cuStreamSynchronize", 1, 719)
				}
				if step == 3 && stopped {
					stop()
				}
			}}, k)
			var trouble *cuda.Error
			if !errors.As(err, &trouble) || trouble.Memory {
				t.Errorf("the run ended with %v", err)
			}
			if k.saves != 3 { // before the first step and after the first two
				t.Errorf("%d states were kept, want 3", k.saves)
			}
		})
	}
}

// A device that is told another's choices makes them, where it can; its lists are equal then.
func TestChoicesAreRepeated(t *testing.T) {
	first := open(t, cuda.Options{})
	trained(t, first, 2, nil)
	choices := first.(backend.Chooser).Choices()
	legacy := open(t, cuda.Options{ConvEngine: "legacy"})
	trained(t, legacy, 2, nil)
	others := legacy.(backend.Chooser).Choices()
	if len(choices) < 10 || len(others) != len(choices) || maps.Equal(choices, others) {
		t.Fatalf("%d and %d choices", len(choices), len(others))
	}
	for _, list := range []map[string]string{choices, others} {
		d := open(t, cuda.Options{})
		d.(backend.Chooser).UseChoices(list)
		trained(t, d, 2, nil)
		if got := d.(backend.Chooser).Choices(); !maps.Equal(got, list) {
			t.Errorf("made %v, want %v", got, list)
		}
	}
}
