package config

import (
	"errors"
	"math"
	"strings"
	"testing"

	"jem/config/settings"
)

func TestValidateNamesPathValueAndRemedy(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"depth", func(c *Config) { c.Model.Depth = 12 }, "model.depth: 12 is not 6n+4: want 10, 16, 22, 28, …"},
		{"width", func(c *Config) { c.Model.Width = 0 }, "model.width: 0 is below 1"},
		{"norm", func(c *Config) { c.Model.Norm = "act" }, `model.norm: unknown name "act": want none, batch, instance, layer`},
		{"probability", func(c *Config) { c.Sampler.Reinit = 1.5 }, "sampler.reinit: 1.5: want a number in [0,1]"},
		{"half-open", func(c *Config) { c.Optim.Beta1 = 1 }, "optim.beta1: 1: want a number in [0,1)"},
		{"open below", func(c *Config) { c.Model.Slope = 0 }, "model.slope: 0: want a number in (0,1]"},
		{"NaN", func(c *Config) { c.Optim.LR = float32(math.NaN()) }, "optim.lr: NaN: want a number above 0"},
		{"infinite", func(c *Config) { c.Sampler.StepSize = float32(math.Inf(1)) }, "sampler.step_size: +Inf: want a number above 0"},
		{"negative weight", func(c *Config) { c.Objective.L2 = -1 }, "objective.l2: -1: want 0 or a number above"},
		{"no objective", func(c *Config) { c.Objective = Objective{L2: 1} }, "objective: p_x, p_y_given_x, p_x_y, attacked and bce are all 0"},
		{"class share", func(c *Config) { c.Objective.ClassCond = true; c.Sampler.Buffer = 1001 }, "sampler.buffer: 1001 is no multiple of the 10 classes, which share it equally: want 1010"},
		{"class share of p(x,y)", func(c *Config) { c.Data.Name = "cifar100"; c.Objective.PXY = 1; c.Sampler.Buffer = 150 }, "sampler.buffer: 150 is no multiple of the 100 classes"},
		{"buffer below classes", func(c *Config) { c.Sampler.Buffer = 9 }, "sampler.buffer: 9 is below 10"},
		{"batch above data", func(c *Config) { c.Data.Limit = 5050 }, "train.batch: 64, but only 50 images are left to train on (5050, less 5000 held out)"},
		{"distorted what", func(c *Config) { c.Outliers.Distorted = 0.5 }, "outliers.distorted: 0.5 is a share of another set's images"},
		{"labelled batch above data", func(c *Config) { c.Data.Limit, c.Train.LabeledBatch = 5100, 128 }, "train.labeled_batch: 128, but only 100 images are left to train on (5100, less 5000 held out): lower train.labeled_batch"},
		{"labelled batch of a shared stream", func(c *Config) { c.Data.SharedStream, c.Train.LabeledBatch = true, 128 }, "train.labeled_batch: 128, but with data.shared_stream the 64 images of train.batch are the labelled ones"},
		{"labelled batch of p(x,y)", func(c *Config) { c.Objective.PXY, c.Train.LabeledBatch = 1, 128 }, "train.labeled_batch: 128, but log p(x,y) (objective.p_x_y) takes a chain for each labelled image"},
		{"valid above data", func(c *Config) { c.Data.Limit = 100 }, "train.batch: 64, but only 0 images are left"},
		{"labels", func(c *Config) { c.Data.LabelsPerClass = 0 }, "data.labels_per_class: 0: want 1 or more, or -1 for all"},
		{"strong", func(c *Config) { c.Data.Strong = "mixup" }, `data.strong: unknown name "mixup": want none, cutout, autoaugment`},
		{"strong p(x)", func(c *Config) { c.Data.Strong, c.Data.SharedStream = "cutout", true }, "data.strong: cutout, but with data.shared_stream log p(x) would learn such images"},
		{"crop", func(c *Config) { c.Data.Crop = 17 }, "data.crop: 17: want 0 (no crop) to 16 pixels"},
		{"crop of a small picture", func(c *Config) { c.Data.Name, c.Data.Dir, c.Data.Size, c.Data.Crop = "folder", "x", 8, 5 }, "data.crop: 5: want 0 (no crop) to 4 pixels"},
		{"size of a published set", func(c *Config) { c.Data.Size = 16 }, "data.size: data.size and data.grey are for pictures of your own"},
		{"odd size", func(c *Config) { c.Data.Name, c.Data.Dir, c.Data.Size = "folder", "x", 20 }, "data.size: 20: want a multiple of 8 up to 1024"},
		{"two ways to hold out", func(c *Config) { c.Data.ValidShare = 0.1 }, "data.valid_share: 0.1, but data.valid holds out 5000 images already"},
		{"data set", func(c *Config) { c.Data.Name = "cifar" }, `data.name: unknown name "cifar": want cifar10, `},
		{"start", func(c *Config) { c.Sampler.Start = "noise" }, `sampler.start: unknown name "noise": want uniform, gaussian`},
		{"outliers", func(c *Config) { c.Outliers.Name = "noise" }, `outliers.name: unknown name "noise": want cifar10, `},
		{"own outliers", func(c *Config) { c.Outliers.Name = "cifar10" }, "outliers.name: cifar10 is the run's own data set: name another"},
		{"outliers from nowhere", func(c *Config) { c.Outliers.Name = "folder" }, "outliers.dir: no folder is named"},
		{"outliers without a name", func(c *Config) { c.Outliers.Dir = "x" }, `outliers.dir: "x", but outliers.name is empty: set it to folder`},
		{"outliers that are made", func(c *Config) { c.Outliers = Outliers{Name: "mixed", Dir: "x"} }, `outliers.dir: "x", but outliers.name=mixed is made of the training images`},
		{"outliers that are the images", func(c *Config) {
			c.Data.Name, c.Data.Dir, c.Outliers = "folder", "x", Outliers{Name: "folder", Dir: "x/"}
		}, `outliers.dir: "x/" is the folder of the run's own pictures (data.dir)`},
		{"decay order", func(c *Config) { c.Optim.DecayEpochs = []int{100, 50} }, "optim.decay_epochs: [100 50]: want epochs from 1 in rising order"},
		{"no course", func(c *Config) { c.Train.Epochs = 0 }, "train.epochs: 0 is below 1"},
		{"isa", func(c *Config) { c.Device.ISA = "sse" }, `device.cpu_isa: unknown name "sse"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Default()
			tc.change(&c)
			err := Validate(c)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestValidateReportsAllFaultsTogether(t *testing.T) {
	var e *settings.Error
	if err := Validate(Config{}); !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	paths := map[string]int{}
	for _, f := range e.Faults {
		paths[f.Path]++
	}
	for _, p := range []string{"data.name", "model.depth", "model.norm", "objective", "sampler.steps", "optim.name", "train.batch", "train.max_loss", "device.name"} {
		if paths[p] != 1 {
			t.Errorf("%s reported %d times", p, paths[p])
		}
	}
}

func TestConfigurationsThatAreValid(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"steps instead of epochs":   func(c *Config) { c.Train.Epochs, c.Train.Steps = 0, 3 },
		"odd buffer, unconditional": func(c *Config) { c.Sampler.Buffer = 1001 },
		"joint only":                func(c *Config) { c.Objective = Objective{PXY: 1} },
		"own folder of images":      func(c *Config) { c.Data.Name = "folder"; c.Data.Dir = "pictures"; c.Data.Valid = 10 },
	} {
		c := Default()
		change(&c)
		if err := Validate(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
