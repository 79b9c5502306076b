package page

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"jem/toy"
)

// payload is what the page's script reads.
type payload struct {
	Window      [4]float64      `json:"window"`
	Classes     []string        `json:"classes"`
	Density     coded           `json:"density"`
	JEM         []coded         `json:"jem"`
	Twin        []coded         `json:"twin"`
	Truth       *coded          `json:"truth"`
	TruthLevels []float64       `json:"truthLevels"`
	Snapshots   []codedSnapshot `json:"snapshots"`
	Steps       int             `json:"steps"`
	Chains      *codedChains    `json:"chains"`
	Points      codedPoints     `json:"points"`
	HeldOut     coded           `json:"heldOut"`
	Levels      []level         `json:"levels"`
	Outline     *float64        `json:"outline"`
	Scale       [2]float64      `json:"scale"`
	Looks       map[string]look `json:"looks"`
}

// coded is a list or grid of numbers as base64: float32, or with Bits 16 unsigned numbers between Lo
// and Hi, little-endian.
type coded struct {
	W    int     `json:"w,omitempty"`
	H    int     `json:"h,omitempty"`
	Bits int     `json:"bits,omitempty"`
	Lo   float64 `json:"lo"`
	Hi   float64 `json:"hi"`
	V    string  `json:"v"`
}

type codedSnapshot struct {
	Step   int       `json:"step"`
	Grid   coded     `json:"grid"`
	Levels []float64 `json:"levels"`
}

type codedChains struct {
	Class []int `json:"class"`
	Steps []int `json:"steps"`
	At    coded `json:"at"`
}

type codedPoints struct {
	X     coded `json:"x"` // 16 bits over the window: float32 were coarse for points far from 0
	Y     coded `json:"y"`
	Class []int `json:"class"`
}

// level is the height of log p(x) above which lies a share of its mass.
type level struct {
	Share float64 `json:"share"`
	At    float64 `json:"at"`
}

// look is a theme as the script takes it: colours of 3 bytes each as base64, or as CSS.
type look struct {
	Ramp    string   `json:"ramp"`
	Regions []string `json:"regions"` // by class, from unsure to sure
	Classes []string `json:"classes"`
	Paper   string   `json:"paper"`
	Ink     string   `json:"ink"`
	Line    uint32   `json:"line"` // of contours, as the bytes of a pixel
}

// The page's size stays below two megabytes whatever the result: so many values of p(y|x) are
// kept in all, so many cells a side of a snapshot, so many snapshots, and so many places of chains.
const (
	keptProbabilities = 160_000
	snapshotSide      = 96
	keptSnapshots     = 20
	keptPlaces        = 20_000
	densitySide       = 160
)

// floats codes numbers as float32. What is not finite stays so.
func floats(v []float64) coded {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
	}
	return coded{V: base64.StdEncoding.EncodeToString(b)}
}

// notFinite stands for a number that is none.
const notFinite = math.MaxUint16

// quantised codes numbers by 16 bits each between lo and hi; what is beyond is moved there.
func quantised(v []float64, lo, hi float64) coded {
	b := make([]byte, 0, 2*len(v))
	for _, x := range v {
		q := uint16(notFinite)
		if !math.IsNaN(x) {
			q = uint16(math.Round(max(0, min(1, (x-lo)/(hi-lo))) * (notFinite - 1)))
		}
		b = binary.LittleEndian.AppendUint16(b, q)
	}
	return coded{Bits: 16, Lo: lo, Hi: hi, V: base64.StdEncoding.EncodeToString(b)}
}

func (f field) floats() coded {
	c := floats(f.v)
	c.W, c.H = f.w, f.h
	return c
}

func (f field) quantised(lo, hi float64) coded {
	c := quantised(f.v, lo, hi)
	c.W, c.H = f.w, f.h
	return c
}

// probabilities codes p(y|x).
func probabilities(v toy.Verdicts) (all []coded) {
	side := int(math.Sqrt(keptProbabilities / 2 / float64(max(1, len(v.P)))))
	for _, g := range v.P {
		all = append(all, fieldOf(g).resample(side).quantised(0, 1))
	}
	return all
}

// evenly returns at most n of the numbers below total, the first and the last among them.
func evenly(total, n int) (at []int) {
	n = min(n, total)
	for i := range n {
		at = append(at, i*(total-1)/max(1, n-1))
	}
	return at
}

// chains codes the places of chains, in sides of the window from its lower left, since the two coordinates may be of very different
// size; those that have left the window far behind wait at a distance of its side.
func chainsOf(c toy.Chains, box window) *codedChains {
	if len(c.At) == 0 || len(c.Class) == 0 {
		return nil
	}
	out := &codedChains{Class: c.Class}
	var places []float64
	for _, f := range evenly(len(c.At), max(2, keptPlaces/len(c.Class))) {
		out.Steps = append(out.Steps, c.Steps[f])
		for _, p := range c.At[f] {
			places = append(places, (p[0]-box.x0)/(box.x1-box.x0), (p[1]-box.y0)/(box.y1-box.y0))
		}
	}
	out.At = quantised(places, -1, 2)
	return out
}

func css(v lch) string {
	c := screen(v.lab())
	return "rgb(" + strconv.Itoa(int(c.R)) + " " + strconv.Itoa(int(c.G)) + " " + strconv.Itoa(int(c.B)) + ")"
}

// look codes a theme for so many classes.
func (t theme) look(classes int) look {
	var ramp []byte
	for _, c := range t.ramp() {
		ramp = append(ramp, c.R, c.G, c.B)
	}
	line := screen(t.ink.lab())
	l := look{
		Ramp: base64.StdEncoding.EncodeToString(ramp), Paper: css(t.low), Ink: css(t.ink),
		Line: uint32(line.R) | uint32(line.G)<<8 | uint32(line.B)<<16 | 0xff<<24,
	}
	for _, c := range t.classes {
		l.Classes = append(l.Classes, css(c))
	}
	for k := range classes {
		var shades []byte
		for _, c := range t.regions(k) {
			shades = append(shades, c.R, c.G, c.B)
		}
		l.Regions = append(l.Regions, base64.StdEncoding.EncodeToString(shades))
	}
	return l
}
