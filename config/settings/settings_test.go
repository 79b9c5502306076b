package settings

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

type config struct {
	Seed  uint64 `yaml:"seed"`
	Train struct {
		Batch int     `yaml:"batch"`
		Steps int     `yaml:"steps"`
		LR    float32 `yaml:"lr"`
	} `yaml:"train"`
	Sampler struct {
		Steps int    `yaml:"steps"`
		Clamp bool   `yaml:"clamp"`
		Start string `yaml:"start"`
	} `yaml:"sampler"`
	Epochs []int `yaml:"epochs"`
	hidden int
}

func TestLaterLayersWin(t *testing.T) {
	var c config
	err := Apply(&c,
		YAML("preset", []byte("train:\n  batch: 64\n  lr: 1e-4\nepochs: [50, 100]\n")),
		YAML("mine.yaml", []byte("train.batch: 32\nsampler:\n  clamp: true\n  start: gaussian\n")),
		Option("--set", "train.batch=16"),
		Option("--set", "seed = 18446744073709551615"),
	)
	if err != nil {
		t.Fatal(err)
	}
	var want config
	want.Seed, want.Train.Batch, want.Train.LR = 1<<64-1, 16, 1e-4
	want.Sampler.Clamp, want.Sampler.Start, want.Epochs = true, "gaussian", []int{50, 100}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
}

func TestListsInEveryForm(t *testing.T) {
	for text, want := range map[string][]int{
		"epochs=50,100": {50, 100}, "epochs=[50, 100]": {50, 100}, "epochs=7": {7}, "epochs=": {}, "epochs=[]": {},
	} {
		c := config{Epochs: []int{1}}
		if err := Apply(&c, Option("--set", text)); err != nil || !reflect.DeepEqual(c.Epochs, want) {
			t.Errorf("%s: got %v, %v; want %v", text, c.Epochs, err, want)
		}
	}
}

func TestFaultsNamePlaceValueAndRemedy(t *testing.T) {
	for _, tc := range []struct{ name, yaml, want string }{
		{"misspelt key", "train:\n  bacth: 3\n", `f.yaml:2: train.bacth: unknown key: did you mean train.batch?`},
		{"key in the wrong group", "\nsampler:\n  batch: 3\n", `f.yaml:3: sampler.batch: unknown key: did you mean train.batch?`},
		{"key without its group", "steps: 3\n", `f.yaml:1: steps: unknown key: did you mean train.steps or sampler.steps?`},
		{"misspelt group, once", "trian:\n  batch: 3\n  lr: 1\n", `f.yaml:1: trian: unknown group of settings: did you mean train?`},
		{"text for a number", "train:\n  batch: many\n", `f.yaml:2: train.batch: "many": want a whole number`},
		{"fraction for a whole number", "train: {batch: 1.5}\n", `f.yaml:1: train.batch: "1.5": want a whole number`},
		{"negative seed", "seed: -1\n", `f.yaml:1: seed: "-1": want a whole number from 0`},
		{"not a number", "train: {lr: .nan}\n", `f.yaml:1: train.lr: ".nan": want a number`},
		{"too large for float32", "train: {lr: 1e39}\n", `f.yaml:1: train.lr: "1e39": want a number`},
		{"number for a switch", "sampler: {clamp: 1}\n", `f.yaml:1: sampler.clamp: "1": want true or false`},
		{"no value", "train:\n  batch:\n", `f.yaml:2: train.batch: no value: want a whole number`},
		{"list for a number", "train: {batch: [1, 2]}\n", `f.yaml:1: train.batch: [1, 2]: want a whole number`},
		{"mapping for a number, once", "train: {batch: {x: 1}}\n", `f.yaml:1: train.batch: a mapping: want a whole number`},
		{"word in a list", "epochs: [50, x]\n", `f.yaml:1: epochs: [50, x]: want a list, each a whole number`},
		{"nested list", "epochs: [[50]]\n", "f.yaml:1: epochs: want a list of single values"},
		{"value for a group", "train: 3\n", `f.yaml:1: train: "3" is no mapping: want keys below this one`},
		{"key twice", "seed: 1\nseed: 2\n", "f.yaml:2: seed: given twice, first at f.yaml:1"},
		{"unexported field", "hidden: 1\n", "f.yaml:1: hidden: unknown key"},
		{"bad syntax", "train: [\n", "f.yaml:1: not valid YAML: did not find expected node content"},
		{"two documents", "seed: 1\n---\nseed: 2\n", "f.yaml: more than one YAML document"},
		{"list as document", "- seed\n", "f.yaml:1: want keys with values"},
		{"alias", "seed: &s 1\ntrain: {batch: *s}\n", "f.yaml:2: train.batch: YAML aliases are not supported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c config
			err := Apply(&c, YAML("f.yaml", []byte(tc.yaml)))
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestAllFaultsAreReportedTogether(t *testing.T) {
	var c config
	err := Apply(&c, YAML("a.yaml", []byte("sed: 1\ntrain: {batch: x, lr: 3}\n")), Option("--set", "epochs"), Option("--set", "foo.bar=1"))
	var e *Error
	if !errors.As(err, &e) || len(e.Faults) != 4 {
		t.Fatalf("want 4 faults, got %v", err)
	}
	if c.Train.LR != 3 {
		t.Errorf("the good value beside the faults was not set: lr = %v", c.Train.LR)
	}
	if got := e.Faults[2].String(); got != `--set: "epochs": want KEY=VALUE, as in train.batch=32` {
		t.Errorf("got %s", got)
	}
}

func TestEmptyDocumentsAreLayers(t *testing.T) {
	for _, doc := range []string{"", "# nothing\n", "train:\n"} {
		if err := Apply(&config{}, YAML("f.yaml", []byte(doc))); err != nil {
			t.Errorf("%q: %v", doc, err)
		}
	}
}

func TestTakeRemovesTheKey(t *testing.T) {
	l := YAML("f.yaml", []byte("extends: parent\nseed: 3\n"))
	parent, found := l.Take("extends")
	if !found || parent != "parent" {
		t.Errorf("got %q, %v", parent, found)
	}
	if err := Apply(&config{}, l); err != nil {
		t.Errorf("the key is still there: %v", err)
	}
	if _, found := l.Take("extends"); found {
		t.Error("taken twice")
	}
}

func TestKeysAndDiff(t *testing.T) {
	a := config{Epochs: []int{}}
	b := config{hidden: 3}
	b.Train.LR, b.Sampler.Start = 0.5, "gaussian"
	keys := Keys(&b)
	if len(keys) != 8 || keys[3] != (Key{Path: "train.lr", Type: "a number", Value: float32(0.5)}) {
		t.Errorf("got %+v", keys)
	}
	want := []Change{{"train.lr", float32(0), float32(0.5)}, {"sampler.start", "", "gaussian"}}
	if got := Diff(a, b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"batch", "bacth", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestSuggestIsSilentAboutStrangers(t *testing.T) {
	flags := []string{"--set", "--preset", "--config"}
	if got := Suggest("--depth", flags); got != "" {
		t.Errorf("got %q", got)
	}
	if got := Suggest("--presett", flags); got != ": did you mean --preset?" {
		t.Errorf("got %q", got)
	}
}

func TestMissingFileIsAFault(t *testing.T) {
	l, err := File(t.TempDir() + "/none.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := Apply(&config{}, l); err == nil || !strings.HasSuffix(err.Error(), "none.yaml: there is no such file") {
		t.Errorf("got %v", err)
	}
}

func FuzzYAML(f *testing.F) {
	f.Add([]byte("train:\n  batch: 64\nepochs: [1, 2]\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := Apply(&config{}, YAML("f.yaml", data))
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%T is no *Error", err)
		}
	})
}
