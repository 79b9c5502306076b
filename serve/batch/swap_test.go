package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"jem/backend"
	"jem/model"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
	"jem/serve/batch"
)

// TestSwap replaces the network again and again while many ask: each request is answered whole, by one network, with
// its bits, and none is dropped.
func TestSwap(t *testing.T) {
	want := map[any][]float32{"first": truth(t, 1).LogPx}
	b := start(t, batch.Options{Most: 4, Queue: 1000})
	open := func(name string, shift float32) func(backend.Device, *batch.Model, func()) (*batch.Model, error) {
		return func(d backend.Device, old *batch.Model, breathe func()) (*batch.Model, error) {
			p, _, err := predict.OpenFile(d, predicttest.OfficialFile(), weights.Options{}, predict.Into(b.Spare()))
			if err != nil {
				return nil, err
			}
			for _, q := range p.Net().Params.List {
				if q.Name == "class_output.bias" {
					bias := make([]float32, 10)
					if err := d.Download(bias, q.Value); err != nil {
						return nil, err
					}
					for i := range bias {
						bias[i] += shift
					}
					d.Upload(q.Value, bias)
				}
			}
			breathe()
			return &batch.Model{Predictor: p, About: name}, nil
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var everyone sync.WaitGroup
	for i := range 6 {
		everyone.Go(func() {
			for ctx.Err() == nil {
				n := 1 + i*3
				same := slices.Repeat(images(0, 1), n)
				all, err := b.Submit(context.Background(), same, predict.Asked{})
				if err != nil {
					t.Error(err)
					return
				}
				for _, a := range all {
					if a.Model != all[0].Model || a.LogPx != all[0].LogPx || !slices.Equal(a.Logits, all[0].Logits) {
						t.Errorf("two networks answered one request: %v and %v", a.Model.About, all[0].Model.About)
					}
					if w := want[a.Model.About]; w != nil && a.LogPx != w[0] {
						t.Errorf("%v says %g, want %g", a.Model.About, a.LogPx, w[0])
					}
				}
			}
		})
	}
	for i := range 8 {
		name := []string{"second", "first"}[i%2]
		if err := b.Swap(ctx, open(name, float32(1-i%2))); err != nil {
			t.Error(err)
		}
		if all, err := b.Submit(ctx, images(0, 1), predict.Asked{}); err != nil || all[0].Model.About != name || b.Model().About != name {
			t.Errorf("%v answers, want %s: %v", b.Model().About, name, err)
		}
	}
	stop()
	everyone.Wait()
}

// TestAFailedSwapChangesNothing.
func TestAFailedSwapChangesNothing(t *testing.T) {
	b := start(t, batch.Options{})
	ctx := context.Background()
	old := b.Model()
	wrong := errors.New("wrong")
	if err := b.Swap(ctx, func(backend.Device, *batch.Model, func()) (*batch.Model, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	other := func(d backend.Device, _ *batch.Model, _ func()) (*batch.Model, error) {
		net, err := model.New(d, model.Config{Depth: 10, Width: 1, Slope: 0.2, Classes: 3, InC: 3, Size: 32}, 100, 1)
		return &batch.Model{Predictor: predict.Of(d, net, []string{"a", "b", "c"})}, err
	}
	if err := b.Swap(ctx, other); err == nil || !strings.Contains(err.Error(), "3 classes") {
		t.Errorf("another network: %v", err)
	}
	spare := b.Spare() // nothing runs on the device's goroutine now
	if spare == nil || spare.Net().Config.Classes != 3 {
		t.Errorf("the memory of the one that failed is lost: %v", spare)
	}
	if _, err := b.Submit(ctx, images(0, 1), predict.Asked{}); err != nil || b.Model() != old {
		t.Errorf("afterwards: %v", err)
	}
}
