package train

import (
	"fmt"
	"slices"

	"jem/backend"
	"jem/config"
	"jem/config/settings"
	"jem/internal/checkpoint"
	"jem/internal/fault"
)

// Numerics is what decides the last bits of a run besides its configuration and data: the
// instruction set that its device computes with, and what the device's plans have chosen.
type Numerics struct {
	Kind    string            `json:"kind"` // of the device
	ISA     string            `json:"isa"`
	Choices map[string]string `json:"choices,omitempty"` // see backend.Chooser
}

// NumericsOf reads a device, with the choices of the plans made so far.
func NumericsOf(dev backend.Device) Numerics {
	return Numerics{Kind: dev.Info().Kind, ISA: dev.Info().ISA, Choices: backend.Choices(dev)}
}

// Use makes plans on the device follow the choices.
func (n Numerics) Use(dev backend.Device) {
	if c, ok := dev.(backend.Chooser); ok {
		c.UseChoices(n.Choices)
	}
}

// Device is the configuration of a device that computes as n says where d leaves that open.
func (n Numerics) Device(d config.Device) config.Device {
	if d.ISA == "" && n.Kind == "cpu" && d.Name == "cpu" {
		d.ISA = n.ISA
	}
	return d
}

// Missed compares what a run was computed with to what it shall go on with, now that
// everything is planned. The *settings.Error says where they differ. Plans of n that now
// doesn't have, as those of another batch, don't matter.
func (n Numerics) Missed(now Numerics) error {
	problem := ""
	if n.Kind != now.Kind || n.ISA != now.ISA {
		problem = fmt.Sprintf("the run was computed on %s with %s, now it would be %s with %s", fault.Short(n.Kind), fault.Short(n.ISA), now.Kind, now.ISA)
	} else {
		problem = n.missed(now.Choices)
	}
	if problem == "" {
		return nil
	}
	return &settings.Error{Faults: []settings.Fault{{Path: "device", Problem: problem +
		": it would not end with the bits of a run without interruption; add --allow-changes if that is meant"}}}
}

// missed describes the choices that differ.
func (n Numerics) missed(now map[string]string) string {
	var plans []string
	for plan, algorithm := range n.Choices {
		if got, planned := now[plan]; planned && got != algorithm {
			plans = append(plans, plan)
		}
	}
	if len(plans) == 0 {
		return ""
	}
	slices.Sort(plans)
	first := plans[0]
	return fmt.Sprintf("this program would compute %d of the run's convolutions in another way, as %s by %s instead of %s",
		len(plans), fault.Short(first), now[first], fault.Short(n.Choices[first]))
}

// CheckpointNumerics is what a checkpoint's run was computed with; zero where it doesn't say.
func CheckpointNumerics(c *checkpoint.Checkpoint) (n Numerics, err error) {
	s, err := readState(c)
	if s.Numerics != nil {
		n = *s.Numerics
	}
	return n, err
}
