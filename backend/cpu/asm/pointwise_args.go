package asm

// The structs that pointwise kernels read. The generator takes their fields' places from
// this file, so it imports nothing.

// Adam are the constants of one step:
//
//	g ← Scale·g + Decay·p;  m ← Beta1·m + Rest1·g;  v ← Beta2·v + Rest2·g²
//	p ← p − Rate·m / (√v·Root + Eps)
type Adam struct {
	Scale, Decay float32
	Beta1, Rest1 float32 // Rest1 = 1 − Beta1
	Beta2, Rest2 float32 // Rest2 = 1 − Beta2
	Rate         float32 // learning rate / (1 − Beta1^t)
	Root         float32 // 1 / √(1 − Beta2^t)
	Eps          float32
}

// SGD are the constants of one step: g ← Scale·g + Decay·p; m ← Momentum·m + g; p ← p − Rate·m.
type SGD struct{ Scale, Decay, Momentum, Rate float32 }

// SGLD are the constants of one Langevin step. Where nothing is to be clipped or clamped,
// Clip, Lo and Hi are infinite.
type SGLD struct{ Alpha, Sigma, Clip, Lo, Hi float32 }

// Box is the set that pixels are kept in around their centre c: [c−Radius, c+Radius], then
// [min(Lo,c), max(Hi,c)]. Where there is no radius or range, they are infinite.
type Box struct{ Radius, Lo, Hi float32 }

// Stream is a random stream in the form that kernels read: the ten round keys of Philox
// and the upper half of the counter. The lower half counts blocks of four numbers.
type Stream struct {
	Round [10][2]uint32
	Upper [2]uint32
}

// NormPlane are the statistics of 16 channels that lie side by side, in a normalisation's
// passes.
type NormPlane struct {
	Mu, Scale, Shift, Slope [16]float64
	Sum1, Sum2              [16]float64
}
