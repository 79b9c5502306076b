package data

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"jem/backend/philox"
	"jem/internal/fault"
)

// GaussianOptions sizes a ClassGaussian.
type GaussianOptions struct {
	// PerClass bounds the images of a class that span its covariance; 0: 1,000, < 0: all.
	PerClass int
	Key      philox.Key // chooses them (purpose BufferInit)
}

// gaussianNoise is the std of the isotropic part, √1e-4: JEM++ adds 1e-4·I to the covariance.
const gaussianNoise = 0.01

// ClassGaussian starts chains from a Gaussian per class, fitted to training images in [-1,1]:
// the informative initialisation of JEM++ (Yang and Ji 2021). It needs neither covariance nor
// Cholesky factor:
//
//	x = μ_y + a·Σᵢ zᵢ·(xᵢ−μ_y) + 0.01·ε, zᵢ, ε ~ N(0,1), clamped to [-1,1],
//
// has mean μ_y and covariance a²·Σᵢ(xᵢ−μ_y)(xᵢ−μ_y)ᵀ + 1e-4·I, which over all n images of
// the class with a² = 1/(n−1) is the sample covariance. The sum runs over m ≤ n images
// chosen by key and a² = n/((n−1)·m): an unbiased estimate of the same matrix, of rank m
// at most. μ_y is always the mean of all n.
//
// It satisfies sampler.Start. A row costs m·D multiply-adds: 1 M for Fashion-MNIST, 3 M for CIFAR at m = 1,000.
type ClassGaussian struct {
	set     *Set
	members [][]int     // the m images of each class
	mean    [][]float32 // (K)(D)
	spread  []float32   // (K): a
}

// NewClassGaussian fits the classes to the images that indices name (nil: all). Each class
// needs at least two.
func NewClassGaussian(s *Set, indices []int, o GaussianOptions) (*ClassGaussian, error) {
	if indices == nil {
		indices = all(s)
	}
	g := &ClassGaussian{set: s, members: make([][]int, s.K())}
	for _, i := range indices {
		y := s.Labels[i]
		g.members[y] = append(g.members[y], i)
	}
	limit := o.PerClass
	switch {
	case limit == 0:
		limit = 1000
	case limit < 0:
		limit = math.MaxInt
	}
	for y, members := range g.members {
		n := len(members)
		if n < 2 {
			return nil, fmt.Errorf("class %d (%s) has %s: a Gaussian start needs at least 2 images a class", y, fault.Short(s.Classes[y]), s.tally(y, n))
		}
		g.mean = append(g.mean, s.mean(members))
		g.members[y] = choose(members, limit, o.Key.At(y, 0))
		m := len(g.members[y])
		g.spread = append(g.spread, float32(math.Sqrt(float64(n)/(float64(n-1)*float64(m)))))
	}
	return g, nil
}

// Fill writes an image of class classes[i] to row i of dst (len(classes),D). Row i depends on
// the key, i and its class alone, not on the other rows.
func (g *ClassGaussian) Fill(dst []float32, classes []int32, key philox.Key) {
	rows := make([][]int, len(g.members))
	for i, y := range classes {
		rows[y] = append(rows[y], i)
	}
	for y, of := range rows {
		for chunk := range slices.Chunk(of, rowChunk) {
			g.fillClass(dst, chunk, y, key)
		}
	}
}

// Tiles of the product: rows of z bound the memory, images of a tile stay in the cache.
const (
	rowChunk  = 256
	imageTile = 64
)

// fillClass writes some rows of one class: the product of normals (R,m) and centred images
// (m,D), tile by tile in the images' order, so that each sum has one order.
func (g *ClassGaussian) fillClass(dst []float32, rows []int, y int, key philox.Key) {
	d, members := g.set.Dim(), g.members[y]
	z := make([]float32, len(rows)*len(members))
	x := make([]float32, len(rows)*d)
	blocks := uint64(len(members)+3)/4 + uint64(d+3)/4 // of a row's part of the stream
	for r, row := range rows {
		first := uint64(row) * blocks
		normals(z[r*len(members):(r+1)*len(members)], g.spread[y], key, first)
		out := x[r*d : (r+1)*d]
		normals(out, gaussianNoise, key, first+uint64(len(members)+3)/4)
		for j, mu := range g.mean[y] {
			out[j] += mu
		}
	}
	product := blas32.General{Rows: len(rows), Cols: d, Stride: d, Data: x}
	tile := make([]float32, imageTile*d)
	for start := 0; start < len(members); start += imageTile {
		part := members[start:min(start+imageTile, len(members))]
		for k, i := range part {
			g.set.centred(tile[k*d:(k+1)*d], i, g.mean[y])
		}
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1,
			blas32.General{Rows: len(rows), Cols: len(part), Stride: len(members), Data: z[start:]},
			blas32.General{Rows: len(part), Cols: d, Stride: d, Data: tile[:len(part)*d]}, 1, product)
	}
	for r, row := range rows {
		for j, v := range x[r*d : (r+1)*d] {
			dst[row*d+j] = min(max(v, -1), 1)
		}
	}
}

// normals writes σ·N(0,1), from block first of the stream on.
func normals(dst []float32, sigma float32, key philox.Key, first uint64) {
	for i := 0; i < len(dst); i += 4 {
		z := key.Normal4(first + uint64(i/4))
		for j := i; j < min(i+4, len(dst)); j++ {
			dst[j] = sigma * z[j-i]
		}
	}
}

// mean is the mean image, (D) in [-1,1].
func (s *Set) mean(indices []int) []float32 {
	sum := make([]int, s.Dim())
	for _, i := range indices {
		for j, v := range s.Image(i) {
			sum[j] += int(v)
		}
	}
	mean := make([]float32, s.Dim())
	for j, v := range sum {
		mean[j] = float32(float64(v)/float64(len(indices))/127.5 - 1)
	}
	return mean
}

// centred writes image i less the mean.
func (s *Set) centred(dst []float32, i int, mean []float32) {
	for j, v := range s.Image(i) {
		dst[j] = float32(v)*(2.0/255) - 1 - mean[j]
	}
}

// choose picks at most n of the indices by key.
func choose(indices []int, n int, key philox.Key) []int {
	if n >= len(indices) {
		return indices
	}
	p := make([]int, len(indices))
	key.Perm(p)
	for i := range p[:n] {
		p[i] = indices[p[i]]
	}
	return p[:n]
}

func imageCount(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}
