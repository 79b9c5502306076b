package train

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/config"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
)

func TestNumericsThatDiffer(t *testing.T) {
	was := Numerics{"cpu", "avx512", map[string]string{"conv a, forward": "direct-avx512", "conv b, forward": "winograd-avx512"}}
	with := func(change func(*Numerics)) Numerics {
		n := was
		n.Choices = maps.Clone(was.Choices)
		change(&n)
		return n
	}
	for _, c := range []struct {
		name string
		now  Numerics
		want string // in the error; empty: none
	}{
		{"the same", was, ""},
		{"more plans", with(func(n *Numerics) { n.Choices["conv c, forward"] = "direct-avx512" }), ""},
		{"fewer plans", with(func(n *Numerics) { delete(n.Choices, "conv a, forward") }), ""},
		{"another choice", with(func(n *Numerics) { n.Choices["conv b, forward"] = "direct-avx512" }),
			"device: this program would compute 1 of the run's convolutions in another way, as conv b, forward by direct-avx512 instead of winograd-avx512: "},
		{"other instructions", with(func(n *Numerics) { n.ISA = "avx2" }), "device: the run was computed on cpu with avx512, now it would be cpu with avx2: "},
	} {
		err := was.Missed(c.now)
		if (err == nil) != (c.want == "") || err != nil && (!strings.HasPrefix(err.Error(), c.want) || !strings.HasSuffix(err.Error(), "add --allow-changes if that is meant")) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestADeviceKeepsToARunsInstructions(t *testing.T) {
	n := Numerics{Kind: "cpu", ISA: "avx2"}
	for _, c := range []struct{ d, want config.Device }{
		{config.Device{Name: "cpu"}, config.Device{Name: "cpu", ISA: "avx2"}},
		{config.Device{Name: "cpu", ISA: "generic"}, config.Device{Name: "cpu", ISA: "generic"}},
		{config.Device{Name: "cuda"}, config.Device{Name: "cuda"}},
	} {
		if got := n.Device(c.d); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.d, got, c.want)
		}
	}
}

// choosy is a device whose only choice is told, not made.
type choosy struct {
	backend.Device
	made map[string]string
}

func (c *choosy) Choices() map[string]string           { return maps.Clone(c.made) }
func (c *choosy) UseChoices(choices map[string]string) { c.made = maps.Clone(choices) }

// A checkpoint says what it was computed with, and another device can be told.
func TestCheckpointsHoldNumerics(t *testing.T) {
	d := &choosy{open(t, 1), map[string]string{"conv a, forward": "direct-x"}}
	cfg := feedtest.ToyConfig()
	tr, err := New(d, cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Load(newShelf(t).put(t, tr))
	if err != nil {
		t.Fatal(err)
	}
	n, err := CheckpointNumerics(c)
	if err != nil || n.Kind != "cpu" || n.ISA != d.Info().ISA || !maps.Equal(n.Choices, d.made) {
		t.Errorf("%+v, %v", n, err)
	}
	other := &choosy{open(t, 1), nil}
	n.Use(other)
	if !maps.Equal(other.made, d.made) {
		t.Errorf("the other device was told %v", other.made)
	}
	c.State = []byte(`{"step": 0}`)
	if n, err = CheckpointNumerics(c); n.Kind != "" || err != nil {
		t.Errorf("a state without numerics: %+v, %v", n, err)
	}
}

// The CPU device chooses: its plans are in a run's numerics.
func TestTheDevicesChoicesAreRead(t *testing.T) {
	tr, _ := run(t, feedtest.ToyConfig(), 1)
	plans := slices.Sorted(maps.Keys(NumericsOf(tr.dev).Choices))
	if len(plans) < 9 || !strings.HasPrefix(plans[0], "conv ") {
		t.Errorf("plans %v", plans)
	}
}
