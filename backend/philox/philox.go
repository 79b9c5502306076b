// Package philox defines the random numbers of the whole program: Philox4x32-10
// (Salmon et al., SC 2011), a function from (key, counter) to four 32-bit words.
//
// Nothing here has state. A Key names a stream; element i of a tensor takes number
// i of its stream, whichever thread or device computes it. So a run does not depend
// on thread counts, and resuming needs only the step number.
//
// The package knows neither devices nor tensors; kernels on every device repeat
// these definitions: the words bit for bit, Uniform bit for bit, Normal within the
// few ulp that differing logarithms and sines cost.
package philox

import (
	"fmt"
	"math"
)

// Purpose separates the uses of randomness: two purposes never share a stream.
type Purpose uint32

// The purposes. Their values are part of the checkpoint format: append only.
const (
	Init            Purpose = 1 + iota // parameter initialisation
	Split                              // training/validation split
	OrderPX                            // epoch order of the p(x) stream
	OrderPYX                           // epoch order of the labelled stream
	AugmentPX                          // crop, flip and pixel noise of the p(x) stream
	AugmentPYX                         // the same of the labelled stream
	EvalNoise                          // pixel noise at evaluation
	BufferInit                         // first content of the replay buffer
	BufferDraw                         // slots and reinitialisations of one draw
	Restart                            // images of reinitialised chains
	Labels                             // labels of class-conditional chains
	ChainNoise                         // SGLD noise
	DropMask                           // dropout
	SampleNoise                        // SGLD noise outside training (jem sample)
	Test                               // tests and benchmarks
	ShownOrder                         // which samples of a class a grid shows
	Drawing                            // images that the program draws itself
	OrderOutliers                      // epoch order of the outliers
	AugmentOutliers                    // crop and flip of outliers
	MakeOutliers                       // what outliers are made of and how, where they are made of training images
	StrongPYX                          // cutout and AutoAugment of the labelled stream
	NegativeStart                      // where attacked images and dreams begin
	NegativeMove                       // noise of their moves
)

// Key names a stream of random numbers.
type Key struct {
	Seed uint64 // Philox key, mixed from seed, rank and purpose by New
	Step uint32 // counter word 2: training step (or epoch, image, …)
	Sub  uint32 // counter word 3: SGLD step within the training step, or other subdivision

	// First is the block of four numbers that the key's numbers begin with: number i of the key
	// is number 4·First + i of the same key with First 0. See From.
	First uint64
}

// New returns the key of a purpose for a run's seed and a process's rank.
func New(seed uint64, rank uint32, purpose Purpose) Key {
	return Key{Seed: mix(seed ^ mix(uint64(rank)<<32|uint64(purpose)))}
}

// At returns the key's stream for a step. First stays.
func (k Key) At(step, sub int) Key {
	k.Step, k.Sub = uint32(step), uint32(sub)
	return k
}

// From returns the key whose number 0 is number elements of k. So rows lo … hi of a tensor of rows
// of r elements, filled alone with From(lo·r), have what they have when the whole is filled with k:
// how ranks that share a batch draw one batch's numbers. elements is a multiple of 4, or From panics:
// numbers come in blocks of four.
func (k Key) From(elements int) Key {
	if elements < 0 || elements%4 != 0 {
		panic(fmt.Sprintf("philox: From(%d): numbers begin at a multiple of 4", elements))
	}
	k.First += uint64(elements) / 4
	return k
}

// mix is the finaliser of SplitMix64: a bijection that spreads every bit.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

const (
	mul0, mul1   = 0xD2511F53, 0xCD9E8D57
	weyl0, weyl1 = 0x9E3779B9, 0xBB67AE85
)

// Block is the Philox4x32-10 bijection. Its state is in scalars because the compiler keeps
// arrays in memory: 17 ns instead of 47.
func Block(counter [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		p0, p1 := uint64(c0)*mul0, uint64(c2)*mul1
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += weyl0
		k1 += weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Words returns block i of the key's stream: numbers 4i … 4i+3.
func (k Key) Words(i uint64) [4]uint32 {
	i += k.First
	return Block([4]uint32{uint32(i), uint32(i >> 32), k.Step, k.Sub}, [2]uint32{uint32(k.Seed), uint32(k.Seed >> 32)})
}

// Uint32 returns word i of the stream.
func (k Key) Uint32(i uint64) uint32 { return k.Words(i / 4)[i%4] }

// Float maps a word to [0,1): its upper 24 bits, an exact float32.
func Float(w uint32) float32 { return float32(w>>8) * (1.0 / (1 << 24)) }

// Uniform returns number i of the stream, in [0,1).
func (k Key) Uniform(i uint64) float32 { return Float(k.Uint32(i)) }

// IntN returns an integer in [0,n) from word i; n ≤ 2³². The bias is below n·2⁻³².
func (k Key) IntN(i uint64, n int) int { return int(uint64(k.Uint32(i)) * uint64(n) >> 32) }

// Pair turns two words into two independent standard normals by Box and Muller (1958):
// r = √(−2 ln u), u = (⌊w0/2⁸⌋ + ½)·2⁻²⁴ ∈ (0,1), and the angle is 2π·⌊w1/2⁸⌋·2⁻²⁴.
// So |z| ≤ 5.9.
func Pair(w0, w1 uint32) (z0, z1 float32) {
	u := (float64(w0>>8) + 0.5) * (1.0 / (1 << 24))
	sin, cos := math.Sincos(2 * math.Pi * float64(w1>>8) * (1.0 / (1 << 24)))
	r := math.Sqrt(-2 * math.Log(u))
	return float32(r * cos), float32(r * sin)
}

// Normal4 returns normals 4i … 4i+3 of the stream.
func (k Key) Normal4(i uint64) [4]float32 {
	w := k.Words(i)
	a, b := Pair(w[0], w[1])
	c, d := Pair(w[2], w[3])
	return [4]float32{a, b, c, d}
}

// Normal returns normal i of the stream.
func (k Key) Normal(i uint64) float32 { return k.Normal4(i / 4)[i%4] }

// FillNormal writes normals 0 … len(dst)−1 of the stream.
func (k Key) FillNormal(dst []float32) {
	for i := 0; i < len(dst); i += 4 {
		z := k.Normal4(uint64(i / 4))
		copy(dst[i:], z[:])
	}
}

// FillUniform writes numbers 0 … len(dst)−1 of the stream, scaled to [lo,hi). The product is
// rounded before the sum (no fused multiply-add), so that every device gives the same bits.
func (k Key) FillUniform(dst []float32, lo, hi float32) {
	for i := 0; i < len(dst); i += 4 {
		w := k.Words(uint64(i / 4))
		for j := i; j < min(i+4, len(dst)); j++ {
			dst[j] = lo + float32((hi-lo)*Float(w[j-i]))
		}
	}
}

// Perm writes a permutation of 0 … len(p)−1 (Fisher and Yates), a function of the key.
func (k Key) Perm(p []int) {
	for i := range p {
		p[i] = i
	}
	for i := len(p) - 1; i > 0; i-- {
		j := k.IntN(uint64(i), i+1)
		p[i], p[j] = p[j], p[i]
	}
}
