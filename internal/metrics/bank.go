package metrics

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Bank are features of known images, each scaled to length 1, among which the nearest
// of others are looked up.
type Bank struct {
	n, d int
	bank []float32 // (n,d)
}

// NewBank keeps the directions of features. A row of zeros has none and stays zero.
func NewBank(features Table) (*Bank, error) {
	if err := features.check(); err != nil {
		return nil, err
	}
	return &Bank{features.N, features.K, directions(features)}, nil
}

// directions are the rows divided by their length.
func directions(t Table) []float32 {
	out := make([]float32, 0, len(t.Data))
	for n := range t.N {
		sum := 0.0
		for _, v := range t.Row(n) {
			sum += v * v
		}
		scale := 1 / max(math.Sqrt(sum), math.SmallestNonzeroFloat32)
		for _, v := range t.Row(n) {
			out = append(out, float32(v*scale))
		}
	}
	return out
}

// Scores returns for each row minus the Euclidean distance of its direction to the k-th
// nearest of those kept (Sun et al. 2022), in [−2,0]. Distances come from float32 dot
// products: they are good to 1e−3 where they are near 0, to 1e−6 elsewhere. Rows are
// spread over the processor's cores.
func (b *Bank) Scores(features Table, k int) ([]float64, error) {
	if err := features.check(); err != nil {
		return nil, err
	}
	if features.K != b.d || k < 1 || k > b.n {
		return nil, inputf("neighbour %d of %d, rows of %d features and %d: want a neighbour that is there and rows of one length", k, b.n, features.K, b.d)
	}
	rows, out := directions(features), make([]float64, features.N)
	const block = 64
	next := make(chan int)
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (features.N+block-1)/block) {
		all.Go(func() {
			dots := make([]float32, block*b.n)
			for lo := range next {
				hi := min(lo+block, features.N)
				b.nearest(out[lo:hi], rows[lo*b.d:hi*b.d], dots, k)
			}
		})
	}
	for lo := 0; lo < features.N; lo += block {
		next <- lo
	}
	close(next)
	all.Wait()
	return out, nil
}

// nearest writes the scores of rows; dots is working memory.
func (b *Bank) nearest(out []float64, rows, dots []float32, k int) {
	m := len(out)
	general := func(rows, cols int, data []float32) blas32.General {
		return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
	}
	blas32.Gemm(blas.NoTrans, blas.Trans, 1, general(m, b.d, rows), general(b.n, b.d, b.bank), 0, general(m, b.n, dots[:m*b.n]))
	for i := range out {
		dot := float64(largestOf(dots[i*b.n:(i+1)*b.n], k))
		out[i] = -math.Sqrt(max(0, 2-2*dot))
	}
}

// largestOf is the k-th largest of values, kept in a heap whose root is the least of the k.
func largestOf(values []float32, k int) float32 {
	heap := slices.Clone(values[:k])
	for i := k/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	for _, v := range values[k:] {
		if v > heap[0] {
			heap[0] = v
			sink(heap, 0)
		}
	}
	return heap[0]
}

// sink restores the heap below i.
func sink(heap []float32, i int) {
	for {
		least, left := i, 2*i+1
		for _, child := range [2]int{left, left + 1} {
			if child < len(heap) && heap[child] < heap[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
