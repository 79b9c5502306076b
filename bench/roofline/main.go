// Command roofline estimates, without a card, what a training step must cost on one: it
// counts the floating-point operations and the bytes of every call that the step makes
// (backend/trace) and divides them by the card's published rates.
//
//	go run ./bench/roofline                 # tables for docs/performance.md
//	go run ./bench/roofline -patterns       # the distinct convolutions, for make plan-check
package main

import (
	"flag"
	"fmt"
	"os"

	"jem/config"
)

func main() {
	model := flag.String("model", "wrn-28-10", "network, wrn-DEPTH-WIDTH")
	batch := flag.Int("batch", 64, "images a batch")
	steps := flag.Int("sgld-steps", 20, "SGLD steps K a training step")
	patterns := flag.Bool("patterns", false, "list the distinct convolutions instead")
	flag.Parse()
	if err := run(*model, *batch, *steps, *patterns); err != nil {
		fmt.Fprintln(os.Stderr, "roofline:", err)
		os.Exit(1)
	}
}

func run(model string, batch, steps int, list bool) error {
	c := config.Default()
	if n, err := fmt.Sscanf(model+" ", "wrn-%d-%d ", &c.Model.Depth, &c.Model.Width); n != 2 || err != nil {
		return fmt.Errorf("-model %q: want wrn-DEPTH-WIDTH, as in wrn-16-2", model)
	}
	c.Train.Batch, c.Sampler.Steps = batch, steps
	w, err := count(c)
	if err != nil {
		return err
	}
	if list {
		for _, p := range patterns(w) {
			fmt.Println(p)
		}
		return nil
	}
	report(os.Stdout, model, c, w)
	return nil
}
