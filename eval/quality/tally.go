package quality

import "jem/internal/metrics"

// MaxPairs is how many images of a side KID, precision and recall look at, spread evenly: their
// cost grows with the square.
const MaxPairs = 5000

// Tally gathers what figures need of n images while their features come by.
type Tally struct {
	n, seen int
	dim     int
	moments metrics.Moments
	rows    []float64 // of at most MaxPairs images
	splits  int       // of the Inception Score; 0: none
	probs   []float64 // of the current split
	scores  []float64 // of those done
}

// NewTally expects n images of dim features; splits > 0 asks for the Inception Score.
func NewTally(n, dim, splits int) *Tally { return &Tally{n: n, dim: dim, splits: splits} }

// N is the number of images that it expects.
func (s *Tally) N() int { return s.n }

// Add takes in further images, features (m,dim) and logits (m,K).
func (s *Tally) Add(features, logits []float32) error {
	f, err := metrics.Flat(s.dim, features)
	if err != nil {
		return err
	}
	if err := s.moments.Add(f); err != nil {
		return err
	}
	kept := min(s.n, MaxPairs)
	k := len(logits) / f.N
	for i := range f.N {
		// Image a is kept if a multiple of n/kept falls on it or just before it.
		if at := s.seen + i; (at*kept+s.n-1)/s.n < ((at+1)*kept+s.n-1)/s.n {
			s.rows = append(s.rows, f.Row(i)...)
		}
		if s.splits > 0 {
			if err := s.score(logits[i*k:(i+1)*k], s.seen+i+1); err != nil {
				return err
			}
		}
	}
	s.seen += f.N
	return nil
}

// score adds the class probabilities of an image, the seen-th, and ends its split if it is the
// last.
func (s *Tally) score(logits []float32, seen int) error {
	row, err := metrics.Flat(len(logits), logits)
	if err != nil {
		return err
	}
	p, err := metrics.Softmax(row)
	if err != nil {
		return err
	}
	s.probs = append(s.probs, p.Data...)
	if seen != (len(s.scores)+1)*s.n/s.splits {
		return nil
	}
	score, _, err := metrics.InceptionScore(metrics.Table{N: len(s.probs) / p.K, K: p.K, Data: s.probs}, 1)
	s.scores, s.probs = append(s.scores, score), s.probs[:0]
	return err
}

// Rows are the features of up to MaxPairs images.
func (s *Tally) Rows() metrics.Table {
	return metrics.Table{N: len(s.rows) / s.dim, K: s.dim, Data: s.rows}
}

// Moments are mean and covariance of all.
func (s *Tally) Moments() *metrics.Moments { return &s.moments }

// Score is the Inception Score, mean and population deviation over splits, as
// metrics.InceptionScore computes it from all probabilities at once.
func (s *Tally) Score() (mean, deviation float64) { return metrics.Spread(s.scores) }
