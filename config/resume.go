package config

import (
	"fmt"
	"slices"
	"strings"

	"jem/config/settings"
	"jem/internal/fault"
)

// free are the settings that may change when a run is resumed: what has been computed stays
// valid and the rest is as if they had been so from the start, records apart, and the learning
// rate's cosine, which ends where the run does, see train.Trainer's Lengthened.
var free = []string{
	"data.dir", "data.skip_bad", "outliers.dir", "train.epochs", "train.steps", "train.log_every", "train.eval_every", "train.sample_every",
	"train.save_every", "train.test_limit", "train.keep_last", "train.keep_every", "guard.budget", "guard.period", "device.threads",
}

// CheckResume compares the configuration that a run was saved with to the one that it shall
// go on with after the given steps. A *settings.Error lists every difference that is not
// allowed, with both values; none is unless allow is set, and then only those of settings
// that leave what has been computed valid.
func CheckResume(saved, asked Config, steps int, allow bool) error {
	var faults []settings.Fault
	for _, c := range settings.Diff(saved, asked) {
		if why := forbidden(asked, c, steps, allow); why != "" {
			faults = append(faults, settings.Fault{Path: c.Path, Problem: fmt.Sprintf("the run has %v, now %v is asked for: %s", show(c.From), show(c.To), why)})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &settings.Error{Faults: faults}
}

func forbidden(asked Config, c settings.Change, steps int, allow bool) string {
	switch to, _ := c.To.(int); {
	case !slices.Contains(free, c.Path):
		return "a run goes on as it began; start a new one for this"
	case c.Path == "train.epochs" && asked.Train.Steps > 0:
		return fmt.Sprintf("train.steps, %d, says where the run ends: change that", asked.Train.Steps)
	case c.Path == "train.steps" && to > 0 && to < steps:
		return fmt.Sprintf("%d steps have been taken already", steps)
	case !allow:
		return "add --allow-changes if that is meant"
	}
	return ""
}

func show(v any) string {
	if s := fmt.Sprint(v); strings.TrimSpace(s) != "" {
		return fault.Short(s)
	}
	return `""`
}
