package feed

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"jem/internal/data"
	"jem/internal/fault"
)

// Whatever reads a run's images for its network gets such as it takes, or one sentence.
func TestSourceTakesWhatTheNetworkTakes(t *testing.T) {
	c := own(t) // grey, 16 pixels a side, dark and light
	for about, tc := range map[string]struct {
		facts Facts
		want  string // what the refusal says; "": none
	}{
		"of a run that begins":   {Facts{}, ""},
		"such":                   {Facts{Classes: []string{"dark", "light"}, Channels: 1, Size: 16}, ""},
		"of another order":       {Facts{Classes: []string{"light", "dark"}, Channels: 1, Size: 16}, ""},
		"of some classes":        {Facts{Classes: []string{"blue", "dark", "light"}, Channels: 1, Size: 16}, ""},
		"of names not known":     {Facts{Outputs: 2, Channels: 1, Size: 16}, ""},
		"of too many classes":    {Facts{Classes: []string{"dark"}, Channels: 1, Size: 16}, "light: is no class"},
		"of too many of no name": {Facts{Outputs: 3, Channels: 1, Size: 16}, `2 classes ("dark", "light"), the network knows 3`},
		"smaller":                {Facts{Classes: []string{"dark", "light"}, Channels: 1, Size: 24}, "16×16 pixels (channels: 1), the network takes 24×24 (1)"},
		"larger":                 {Facts{Classes: []string{"dark", "light"}, Channels: 1, Size: 8}, "the network takes 8×8 (1); resize them, or train with data.size"},
		"of other channels":      {Facts{Classes: []string{"dark", "light"}, Channels: 3, Size: 16}, "the network takes 16×16 (3)"},
	} {
		s := Source{Config: c, Facts: tc.facts}
		set, _, err := s.Read(data.Train)
		if tc.want == "" {
			if err != nil || len(tc.facts.Classes) > 0 && !slices.Equal(set.Classes, tc.facts.Classes) {
				t.Errorf("%s: %v", about, err)
			}
			continue
		}
		for _, err := range []error{err, startOf(s), imagesOf(s)} {
			if !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q", about, err, tc.want)
			}
		}
	}
}

func startOf(s Source) error {
	_, err := s.Start()
	return err
}

func imagesOf(s Source) error {
	_, _, err := s.Images("valid", 0)
	return err
}

// A published set has its own classes, which must be the network's.
func TestSourceRefusesAnotherPublishedSet(t *testing.T) {
	s := Source{Facts: Facts{Classes: []string{"a", "b"}, Channels: 3, Size: 32}}
	set := &data.Set{Name: "cifar10", Split: data.Test, C: 3, H: 32, W: 32, Classes: []string{"b", "a"}}
	if err := s.takes(set); !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), `test images of 2 classes ("b", "a"), the network knows 2 ("a", "b")`) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Walk(set, []int{}, 0); err != nil {
		t.Errorf("of another distribution: %v", err)
	}
	set.H = 28
	if _, err := s.Walk(set, []int{}, 0); !errors.Is(err, fault.ErrBad) {
		t.Errorf("of another size: %v", err)
	}
}

// The labelled stream may have a batch of its own, which then says what an epoch is: as many steps as it takes to go
// through the training images. Otherwise train.batch says it, of as many images as log p(x) has.
func TestLabeledBatchDrivesTheEpoch(t *testing.T) {
	for _, tc := range []struct{ batch, labeled, perClass, epoch int }{
		{4, 0, -1, 4}, // 18 images to train on
		{4, 9, -1, 2},
		{9, 4, -1, 4},
		{4, 9, 2, 2}, // few of them labelled
		{4, 0, 2, 4},
	} {
		c := own(t)
		c.Train.Batch, c.Train.LabeledBatch, c.Data.LabelsPerClass = tc.batch, tc.labeled, tc.perClass
		f, _, err := Source{Config: c}.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		_, px, err := f.PX.Batch(0)
		_, labeled, failed := f.Labeled.Batch(0)
		if err != nil || failed != nil || len(px) != tc.batch || len(labeled) != c.Train.Labeled() {
			t.Errorf("%+v: batches of %d and %d", tc, len(px), len(labeled))
		}
		if got := f.PX.StepsPerEpoch(); got != tc.epoch || got != c.StepsPerEpoch(24) {
			t.Errorf("%+v: %d steps an epoch, foretold are %d", tc, got, c.StepsPerEpoch(24))
		}
		f.Close()
	}
}
