package quality

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"jem/predict"
	"jem/predict/predicttest"
)

// onImages opens a network whose training and test images are there, ten a file.
func onImages(t *testing.T) *predict.Predictor {
	t.Helper()
	const folder, record = "cifar-10-batches-bin", 3073
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
		t.Fatal(err)
	}
	for f, name := range []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"} {
		file := make([]byte, 10*record)
		for i := range file {
			file[i] = byte(i % record * (i/record + f) % 251)
			if i%record == 0 {
				file[i] = byte(i / record)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, folder, name+".bin"), file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p := predicttest.Official(t)
	p.Config.Data.Dir = dir
	return p
}

// drawn are options of few fresh samples.
func drawn(n int) Options {
	return Options{Samples: predict.SampleOptions{N: n, Steps: 1, Fresh: true, Class: predict.AnyClass, Seed: 1}, Networks: []Network{brightness{}}}
}

// A measurement leaves the predictor as it was, names what it measured, and shows its samples under
// the names that the documentation gives.
func TestMeasureChangesNothing(t *testing.T) {
	p := onImages(t)
	before := p.Config
	var told []string
	r, err := Measure(context.Background(), p, drawn(12), func(about string, done, total int) {
		told = append(told, fmt.Sprintf("%s %d/%d", about, done, total))
	})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration is %+v, was %+v", p.Config, before)
	}
	if r.Subject != p.Subject(0) || r.Text != "protocol followers" || r.Samples != 12 || r.Real != 60 || len(r.DataHash) != 64 || len(r.Networks) != 1 {
		t.Errorf("got %+v", r)
	}
	if want := []string{"sampling 12/12", "features of real images 50/60", "features of real images 60/60", "features 12/12"}; !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
	pictures, err := r.Pictures()
	names := slices.Sorted(maps.Keys(pictures))
	if want := []string{"samples-by-class.png", "samples-least-likely.png", "samples-likeliest.png"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("pictures %v (%v), want %v", names, err, want)
	}
	if all, err := (Result{}).Pictures(); err != nil || len(all) > 0 {
		t.Errorf("of nothing: pictures %v, %v", all, err)
	}
}

func TestMeasureEnds(t *testing.T) {
	p := onImages(t)
	o := drawn(12)
	o.Samples.Steps = 1_000_000
	if _, err := Measure(predicttest.EndsAfter(3), p, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	o = drawn(12)
	o.Protocol = "jem"
	if _, err := Measure(context.Background(), p, o, nil); err == nil {
		t.Error("an unknown protocol was accepted")
	}
}

// Zeros stand for what the documentation says, and nothing else is touched.
func TestZerosStandForSomething(t *testing.T) {
	p := predicttest.Official(t)
	each := predict.SampleOptions{N: DATCount, Steps: 3, Class: predict.EachClass}
	buffer := predict.SampleOptions{N: p.BufferSize(), Class: predict.AnyClass}
	if o := (Options{Protocol: "dat", Samples: predict.SampleOptions{Steps: 3, Class: predict.AnyClass}}).Settled(p); o.Samples != each {
		t.Errorf("dat: got %+v, want %+v", o.Samples, each)
	}
	if o := (Options{Samples: predict.SampleOptions{Class: predict.AnyClass}}).Settled(p); o.Protocol != "followers" || o.Samples != buffer || buffer.N == 0 {
		t.Errorf("got %+v", o)
	}
	one := predict.SampleOptions{N: 7, Steps: 3, Class: 4, Guidance: 1}
	if o := (Options{Protocol: "dat", Samples: one}).Settled(p); o.Samples != one {
		t.Errorf("got %+v, want %+v", o.Samples, one)
	}
}
