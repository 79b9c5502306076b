package philox

import (
	"math"
	"slices"
	"testing"
)

// Known answers from the Random123 distribution (kat_vectors, philox4x32 10).
func TestBlockKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	tests := []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{f, f, f, f}, [2]uint32{f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	}
	for _, tc := range tests {
		if got := Block(tc.counter, tc.key); got != tc.want {
			t.Errorf("Block(%x, %x) = %x, want %x", tc.counter, tc.key, got, tc.want)
		}
	}
}

// The sample of 2²⁰ normals has the standard errors n^-½ for the mean, (2/n)^½ for the
// variance and (24/n)^½ for the excess kurtosis; five of them bound each.
func TestNormalMoments(t *testing.T) {
	const n = 1 << 20
	z := make([]float32, n)
	New(1, 0, Test).FillNormal(z)
	var m1, m2, m4 float64
	for _, v := range z {
		x := float64(v)
		m1, m2, m4 = m1+x, m2+x*x, m4+x*x*x*x
	}
	mean, variance := m1/n, m2/n
	kurtosis := m4/n/(variance*variance) - 3
	if math.Abs(mean) > 5/math.Sqrt(n) || math.Abs(variance-1) > 5*math.Sqrt(2.0/n) || math.Abs(kurtosis) > 5*math.Sqrt(24.0/n) {
		t.Errorf("mean %g, variance %g, excess kurtosis %g", mean, variance, kurtosis)
	}
}

func TestFillsAgreeWithElements(t *testing.T) {
	k := New(7, 3, Test).At(11, 2)
	for _, n := range []int{1, 3, 4, 5, 101} {
		z, u := make([]float32, n), make([]float32, n)
		k.FillNormal(z)
		k.FillUniform(u, -1, 1)
		for i := range n {
			if z[i] != k.Normal(uint64(i)) {
				t.Fatalf("n=%d: FillNormal[%d] = %v, Normal = %v", n, i, z[i], k.Normal(uint64(i)))
			}
			if want := -1 + 2*k.Uniform(uint64(i)); u[i] != want {
				t.Fatalf("n=%d: FillUniform[%d] = %v, want %v", n, i, u[i], want)
			}
		}
	}
}

// TestFromContinuesTheStream: what is drawn in pieces is what is drawn at once, bit for bit, also where
// the number of a block needs the counter's second word.
func TestFromContinuesTheStream(t *testing.T) {
	for _, first := range []uint64{0, 5, 1<<32 - 2, 1 << 40} {
		k := New(7, 3, Test).At(11, 2)
		k.First = first
		for _, n := range []int{4, 37, 101} {
			z, u := make([]float32, n), make([]float32, n)
			k.FillNormal(z)
			k.FillUniform(u, -1, 1)
			for _, piece := range []int{4, 12, 40} {
				got, gotU := make([]float32, n), make([]float32, n)
				for lo := 0; lo < n; lo += piece {
					k.From(lo).FillNormal(got[lo:min(lo+piece, n)])
					k.From(lo).FillUniform(gotU[lo:min(lo+piece, n)], -1, 1)
				}
				if !slices.Equal(got, z) || !slices.Equal(gotU, u) {
					t.Errorf("from block %d, %d numbers in pieces of %d: not those drawn at once", first, n, piece)
				}
			}
		}
	}
}

// TestFirstIsTheCounter: block i of a key is the bijection at First + i, in 64 bits.
func TestFirstIsTheCounter(t *testing.T) {
	k := Key{Seed: 0x299f31d0_a4093822, Step: 0x13198a2e, Sub: 0x03707344, First: 0x85a308d3_243f6a88 - 1}
	// The third vector of TestBlockKnownAnswers.
	if got, want := k.Words(1), [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}; got != want {
		t.Errorf("Words(1) = %x, want %x", got, want)
	}
	if a, b := k.From(8).From(12).At(5, 6), k.At(5, 6).From(20); a != b || b.First != k.First+5 {
		t.Errorf("From twice and At: %+v and %+v", a, b)
	}
	for name, number := range map[string]bool{
		"Uint32":  k.From(8).Uint32(3) == k.Uint32(11),
		"Uniform": k.From(8).Uniform(3) == k.Uniform(11),
		"Normal":  k.From(8).Normal(3) == k.Normal(11),
		"Normal4": k.From(8).Normal4(1) == k.Normal4(3),
		"IntN":    k.From(8).IntN(3, 1<<30) == k.IntN(11, 1<<30),
	} {
		if !number {
			t.Errorf("%s does not begin at First", name)
		}
	}
}

func TestFromWantsWholeBlocks(t *testing.T) {
	for _, n := range []int{-4, 1, 6} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("From(%d) does not panic", n)
				}
			}()
			Key{}.From(n)
		}()
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[[4]uint32]string{}
	for name, k := range map[string]Key{
		"base": New(1, 0, Test), "seed": New(2, 0, Test), "rank": New(1, 1, Test), "purpose": New(1, 0, Init),
		"step": New(1, 0, Test).At(1, 0), "sub": New(1, 0, Test).At(0, 1),
	} {
		w := k.Words(0)
		if other, ok := seen[w]; ok {
			t.Errorf("streams %s and %s start alike", name, other)
		}
		seen[w] = name
	}
}

func TestPermIsAPermutation(t *testing.T) {
	p := make([]int, 1000)
	New(1, 0, Test).Perm(p)
	seen := make([]bool, len(p))
	fixed := 0
	for i, v := range p {
		if seen[v] {
			t.Fatalf("%d occurs twice", v)
		}
		seen[v] = true
		if v == i {
			fixed++
		}
	}
	// The number of fixed points is Poisson(1): 12 or more has probability below 1e-9.
	if fixed > 11 {
		t.Errorf("%d fixed points", fixed)
	}
}
