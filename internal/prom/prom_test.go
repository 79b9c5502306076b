package prom

import (
	"bytes"
	"math"
	"os/exec"
	"testing"
)

var awkward = []Family{
	{"jem_step", "Training steps done.", Gauge, []Sample{{nil, 12345678901}}},
	{"jem_none", "Nothing of this is written.", Gauge, nil},
	{"jem_loss_nats", "A \\ and a\nnew line.", Gauge, []Sample{
		{[]Label{{"run", "a \"b\" \\ \n c"}, {"split", "valid"}}, math.Inf(1)},
		{[]Label{{"run", "b\xff"}}, math.NaN()},
		{[]Label{{"run", "ü"}}, -1.5e-9},
		{[]Label{{"run", ""}}, math.Inf(-1)},
	}},
	{"jem_rollbacks_total", "Rollbacks.", Counter, []Sample{{nil, 0}}},
}

func TestText(t *testing.T) {
	const want = `# HELP jem_step Training steps done.
# TYPE jem_step gauge
jem_step 1.2345678901e+10
# HELP jem_loss_nats A \\ and a\nnew line.
# TYPE jem_loss_nats gauge
jem_loss_nats{run="a \"b\" \\ \n c",split="valid"} +Inf
jem_loss_nats{run="b` + "\uFFFD" + `"} NaN
jem_loss_nats{run="ü"} -1.5e-09
jem_loss_nats{run=""} -Inf
# HELP jem_rollbacks_total Rollbacks.
# TYPE jem_rollbacks_total counter
jem_rollbacks_total 0
`
	if got := string(Text(awkward)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Prometheus' own reader has the last word, where it is here.
func TestPrometheusReadsIt(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here; make test-alerts brings one")
	}
	for wrong, text := range map[bool][]byte{false: Text(awkward), true: []byte("jem_step{run=\"a\n\"} 1\n")} {
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = bytes.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil != wrong {
			t.Errorf("%s\n%v\n%s", text, err, out)
		}
	}
}

func TestNamesThatPrometheusRefusesPanic(t *testing.T) {
	for name, f := range map[string]Family{
		"no name":            {Kind: Gauge},
		"a dash":             {Name: "jem-step", Kind: Gauge},
		"a counter's name":   {Name: "jem_steps_total", Kind: Gauge},
		"a gauge's name":     {Name: "jem_steps", Kind: Counter},
		"a label":            {Name: "jem_step", Kind: Gauge, Samples: []Sample{{[]Label{{"a:b", ""}}, 0}}},
		"a label of its own": {Name: "jem_step", Kind: Gauge, Samples: []Sample{{[]Label{{"__name__", ""}}, 0}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s passes", name)
				}
			}()
			Text([]Family{f})
		}()
	}
}
