package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jem/backend"
	"jem/backend/trace"
	"jem/bench/timing"
	"jem/config"
)

// work is what one training step asks of a device.
type work struct {
	sgld []trace.Call // of one SGLD step
	rest []trace.Call // of everything but the K SGLD steps
}

// count runs the trainer's own step on a device that only counts.
func count(c config.Config) (work, error) {
	one, err := calls(c, 1)
	if err != nil {
		return work{}, err
	}
	two, err := calls(c, 2)
	if err != nil {
		return work{}, err
	}
	// The second chain step is made of the calls behind the first SGLDStep.
	first := slices.IndexFunc(one, isSGLD) + 1
	more := len(two) - len(one)
	return work{sgld: two[first : first+more], rest: append(slices.Clone(two[:first-more]), two[first+more:]...)}, nil
}

func isSGLD(c trace.Call) bool { return c.Op == "SGLDStep" }

// calls are those of a training step in steady state with k SGLD steps.
func calls(c config.Config, k int) ([]trace.Call, error) {
	c.Sampler.Steps, c.Sampler.Buffer = k, max(c.Train.Batch, 100) // a small buffer: filling it takes longer than counting
	if err := config.Validate(c); err != nil {
		return nil, err
	}
	dev := trace.New()
	if _, err := timing.Measure(context.Background(), dev, c, 3, 32, 10, 1); err != nil {
		return nil, err
	}
	// The step that warms up ends like the measured one, with a Sync after the update.
	all := dev.Calls()
	update := slices.IndexFunc(all, func(c trace.Call) bool { return strings.HasSuffix(c.Op, "Step") && !isSGLD(c) })
	if update < 0 {
		return nil, fmt.Errorf("no optimiser step among %d calls", len(all))
	}
	begin := update + slices.IndexFunc(all[update:], func(c trace.Call) bool { return c.Op == "Sync" }) + 1
	return all[begin:], nil
}

// bytes are those that a call must move at least once: its operands, images in elements of
// the given size, everything else in float32. What a call reads and writes counts twice.
func bytes(c trace.Call, image float64) (total float64) {
	for _, t := range slices.Concat(c.Reads, c.Writes) {
		size := 4.0
		if t.Kind() == backend.Image {
			size = image
		}
		total += size * float64(backend.Len(t))
	}
	return total
}

// patterns lists the distinct convolutions as plancheck reads them, the precision left
// to it: PASS n c h w k r stride pad bias residual raw act. Those that differ in the batch
// alone are one: the library's kernels are the same.
func patterns(w work) []string {
	passes := map[string]string{"Conv.Forward": "forward", "Conv.InputGrad": "input-gradient", "Conv.ParamGrad": "parameter-gradient"}
	seen := map[string]bool{}
	var all []string
	for _, c := range slices.Concat(w.sgld, w.rest) {
		if c.Conv == nil {
			continue
		}
		v, s := c.Conv, c.Conv.Spec
		rest := fmt.Sprint(s.InC, s.H, s.W, s.OutC, s.Kernel, s.Stride, s.Pad, bit(v.Bias && c.Op == "Conv.Forward"), bit(v.Residual), bit(v.Raw), bit(v.Act))
		if !seen[c.Op+rest] {
			all = append(all, fmt.Sprintf("%s %d %s", passes[c.Op], s.N, rest))
		}
		seen[c.Op+rest] = true
	}
	return all
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
