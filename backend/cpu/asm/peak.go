package asm

import "time"

// peakRounds is long enough for the clock (some 0.3 ms) and short enough to fall
// between two interruptions.
const peakRounds = 100_000

// Peak measures the multiply-adds that one thread can do with an instruction set, as
// GFLOP/s (two operations each): the best of several short loops on registers alone. It
// is the roof for any convolution that runs on one thread. Portable Go has no such loop;
// for it the measure is of scalar arithmetic.
func Peak(isa ISA) float64 {
	p := peakFor(isa)
	best := time.Duration(1 << 62)
	for range 30 {
		start := time.Now()
		p.loop(peakRounds)
		best = min(best, time.Since(start))
	}
	return 2 * float64(p.perRound) * peakRounds / float64(best.Nanoseconds())
}

// peak is a loop of multiply-adds.
type peak struct {
	loop     func(rounds int)
	perRound int // multiply-adds
}

// peakSink keeps the portable loop's result alive.
//
//go:noinline
func peakSink(float32) {}

func peakGeneric(rounds int) {
	var a, b, c, d, e, f, g, h float32
	x := float32(rounds&1) * 0.5
	for range rounds {
		a += a * x
		b += b * x
		c += c * x
		d += d * x
		e += e * x
		f += f * x
		g += g * x
		h += h * x
	}
	peakSink(a + b + c + d + e + f + g + h)
}
