package feed

// Share gives one of so many ranks its share of every batch, from streams that give all of it; the rest stays.
// A Source with Rank and Ranks has no images made for others.
func (s Sources) Share(rank, ranks int) Sources {
	if ranks <= 1 {
		return s
	}
	for _, of := range []*Stream{&s.PX, &s.Labeled, &s.Outliers} {
		if *of != nil {
			*of = shared{*of, rank, ranks}
		}
	}
	return s
}

// shared is a rank's share of a stream.
type shared struct {
	Stream
	rank, ranks int
}

// Batch implements Stream.
func (s shared) Batch(step int) ([]float32, []int32, error) {
	images, labels, err := s.Stream.Batch(step)
	return part(images, s.rank, s.ranks), part(labels, s.rank, s.ranks), err
}

// part is one of so many equal parts.
func part[T any](all []T, i, of int) []T {
	n := len(all) / of
	return all[i*n : (i+1)*n]
}
