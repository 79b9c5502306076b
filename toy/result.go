// Package toy trains a joint energy-based model on points of the plane, where everything it says can
// be seen: p(x) as a map, p(y|x) as regions, chains as moving points.
package toy

import (
	"fmt"
	"strconv"
	"time"

	"jem/internal/metrics"
)

// Result is what a demonstration came to. Places are in the data's units, densities with respect to
// them, logarithms natural (nats).
type Result struct {
	Name    string   // rings, moons, …, or the file's name
	Classes []string // by label
	Window  Window

	Train, HeldOut Points
	Density        Grid     // log p(x) of the JEM, normalised over the window
	JEM, Twin      Verdicts // of the JEM, and of the same network trained by log p(y|x) alone

	Snapshots []Snapshot // while training, the last one of the finished network
	Chains    Chains     // of the finished network
	Curve     []Record

	Reliability Reliability
	HeldOutLogP []float64 // log p(x) of the held-out points, ascending
	Far         []FarPoint
	Truth       *Truth // nil: the density of the data is not known

	Run Run
}

// Window is the part of the plane that grids cover.
type Window struct{ X0, X1, Y0, Y1 float64 }

// Points are places with their classes.
type Points struct {
	X, Y  []float64
	Class []int
}

// Grid is a function on W by H cells over the window: its values at the middles of the cells, row by
// row from Y0 up, in a row from X0 on.
type Grid struct {
	W, H   int
	Values []float64
}

// MarshalJSON writes values with six digits: more than a float32's logits tell, and a third of the bytes.
func (g Grid) MarshalJSON() ([]byte, error) {
	b := fmt.Appendf(nil, `{"W":%d,"H":%d,"Values":[`, g.W, g.H)
	for i, v := range g.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, v, 'g', 6, 64)
	}
	return append(b, "]}"...), nil
}

// Verdicts are what a classifier says: p(y|x), a grid for each class.
type Verdicts struct {
	P        []Grid
	Accuracy float64 // on the held-out points, in [0,1]
}

// Snapshot is log p(x) after so many steps, normalised over the window.
type Snapshot struct {
	Step    int
	Density Grid
}

// Chains are SGLD chains, each begun from noise and conditioned on a class.
type Chains struct {
	Class []int          // by chain
	Steps []int          // SGLD steps done, by frame
	At    [][][2]float64 // by frame and chain
}

// Record is a line of the training's record. Gap is f(x⁺) − f(x⁻), the mean log-density of data minus that
// of samples.
type Record struct {
	Step                        int
	Loss, LogPData, LogPSamples float64
	Gap, Accuracy               float64
}

// Reliability is how often either is right when it is so sure, on the held-out points.
type Reliability struct{ JEM, Twin metrics.Reliability }

// FarPoint is what is said of a place far from all data.
type FarPoint struct {
	X, Y                float64
	JEMClass, TwinClass int
	JEMConfidence       float64
	TwinConfidence      float64
	LogP                float64
	Percentile          float64 // share of the held-out points that are less likely, in %
}

// Truth is known of data that were drawn from a known density.
type Truth struct {
	Density Grid    // log of the true density
	KL      float64 // of the truth from the model, in nats, on the grid
	LogZ    float64 // log of the integral of exp f over the window, by which log p(x) was normalised
}

// Run is how the result was made.
type Run struct {
	Recipe          string
	Seed            uint64
	Steps           int
	Device, Version string
	Settings        []byte // YAML, as resolved
	Training, Total time.Duration
}
