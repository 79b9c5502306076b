package predict

import (
	"cmp"
	"math"
	"slices"

	"jem/model"
)

// Samples are chains of the replay buffer, sorted by the class that the model sees in
// them (as the official cond_samples does), within a class in the order in which they
// came: the best are not picked out. Before the first step, when the model sees nothing
// yet, by the class of their slot.
type Samples struct {
	Images         []float32 // (len(Class),C,H,W), in [−1,1] where pixels are clamped
	Class          []int     // predicted; before the first step the slot's
	Confidence     []float64 // p(y|x) of that class
	LogPx          []float64 // up to log Z
	Channels, Size int
}

// Add takes in images (n,C,H,W) with their logits (n,k).
func (s *Samples) Add(images, logits []float32, k int) {
	s.Images = append(s.Images, images...)
	for ; len(logits) > 0; logits = logits[k:] {
		row := logits[:k]
		y, lse := model.Argmax(row), model.LogSumExp(row)
		s.Class = append(s.Class, y)
		s.Confidence = append(s.Confidence, math.Exp(float64(row[y])-lse))
		s.LogPx = append(s.LogPx, lse)
	}
}

// Rows reports whether there are enough samples of each of k classes for a row of Grid.
func (s *Samples) Rows(k int) bool {
	count := make([]int, k)
	full := 0
	for _, y := range s.Class {
		if count[y]++; count[y] == columns {
			full++
		}
	}
	return full == k
}

// Sorted orders by class.
func (s *Samples) Sorted(pixels int) *Samples {
	return s.ordered(pixels, func(a, b int) int { return s.Class[a] - s.Class[b] })
}

// Ranked orders by log p(x), the likeliest first, whatever their class.
func (s *Samples) Ranked() *Samples {
	return s.ordered(s.Channels*s.Size*s.Size, func(a, b int) int { return cmp.Compare(s.LogPx[b], s.LogPx[a]) })
}

// Part is samples lo … hi−1.
func (s *Samples) Part(lo, hi int) *Samples {
	pixels := s.Channels * s.Size * s.Size
	return &Samples{s.Images[lo*pixels : hi*pixels], s.Class[lo:hi], s.Confidence[lo:hi], s.LogPx[lo:hi], s.Channels, s.Size}
}

// ordered is the samples in another order, equals as they were.
func (s *Samples) ordered(pixels int, before func(a, b int) int) *Samples {
	order := make([]int, len(s.Class))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, before)
	out := &Samples{Channels: s.Channels, Size: s.Size}
	for _, i := range order {
		out.Images = append(out.Images, s.Images[i*pixels:(i+1)*pixels]...)
		out.Class = append(out.Class, s.Class[i])
		out.Confidence = append(out.Confidence, s.Confidence[i])
		out.LogPx = append(out.LogPx, s.LogPx[i])
	}
	return out
}
