package main

// card is what a data sheet says of a GPU: dense rates, no sparsity, at boost clock.
type card struct {
	name  string
	peak  map[string]float64 // FLOP/s by precision
	bytes float64            // memory, bytes a second
}

// The two cards that published timings of this network are about.
var cards = []card{
	{"A100 SXM 80 GB", map[string]float64{"fp32": 19.5e12, "tf32": 156e12, "bf16": 312e12}, 2.04e12},
	{"H100 SXM", map[string]float64{"fp32": 66.9e12, "tf32": 494e12, "bf16": 989e12}, 3.35e12},
}

// precisions in the order of the tables, with the bytes of an image's element.
var precisions = []struct {
	name  string
	image float64
}{{"fp32", 4}, {"tf32", 4}, {"bf16", 2}}

// Assumptions about the host and about what kernels reach, for estimates. Nothing here is
// measured by this project.
const (
	plainLaunch = 5e-6  // seconds a launch of an own kernel or a legacy call costs the host
	planLaunch  = 20e-6 // the same for a plan of cuDNN's graph API
	graphLaunch = 1e-6  // gap between two kernels of a replayed CUDA graph, on the card
	reached     = 0.8   // share of the memory's rate that a streaming kernel reaches
)
