package quality

import (
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"jem/internal/metrics"
)

func gaussian(n int, seed uint64) []float32 {
	rng, v := rand.New(rand.NewPCG(seed, 1)), make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// gather adds features (n,dim) and logits (n,k) in uneven batches.
func gather(t *testing.T, s *Tally, features, logits []float32, dim, k int) {
	t.Helper()
	for lo := 0; lo < s.N(); lo += 7 {
		hi := min(lo+7, s.N())
		if err := s.Add(features[lo*dim:hi*dim], logits[lo*k:hi*k]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTallyScoresAsAllAtOnce(t *testing.T) {
	const n, dim, k = 53, 4, 6
	features, logits := gaussian(n*dim, 1), gaussian(n*k, 2)
	all, err := metrics.Flat(k, logits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := metrics.Softmax(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, splits := range []int{1, 3, 10} {
		s := NewTally(n, dim, splits)
		gather(t, s, features, logits, dim, k)
		want, spread, err := metrics.InceptionScore(p, splits)
		if err != nil {
			t.Fatal(err)
		}
		if got, dev := s.Score(); got != want || dev != spread {
			t.Errorf("%d splits: got %v ± %v, want %v ± %v", splits, got, dev, want, spread)
		}
	}
	whole, err := metrics.Flat(dim, features)
	if err != nil {
		t.Fatal(err)
	}
	s := NewTally(n, dim, 0)
	gather(t, s, features, logits, dim, k)
	if s.Moments().N() != n || !slices.Equal(s.Rows().Data, whole.Data) {
		t.Errorf("%d images, %d rows, want %d of both, in order", s.Moments().N(), s.Rows().N, n)
	}
}

// Of more images than pairs are looked at, the rows are as many as asked and evenly spread.
func TestRowsAreSpread(t *testing.T) {
	const n = 2*MaxPairs + 1234
	s, features := NewTally(n, 1, 0), make([]float32, n)
	for i := range features {
		features[i] = float32(i)
	}
	if err := s.Add(features, features); err != nil {
		t.Fatal(err)
	}
	rows := s.Rows()
	if rows.N != MaxPairs || rows.Data[0] != 0 {
		t.Fatalf("%d rows from %g on", rows.N, rows.Data[0])
	}
	for i := 1; i < rows.N; i++ {
		if step := rows.Data[i] - rows.Data[i-1]; step < 2 || step > 3 {
			t.Fatalf("row %d comes %g images after the one before", i, step)
		}
	}
}

func TestReferencesAreKept(t *testing.T) {
	const n, dim = 40, 5
	s := NewTally(n, dim, 0)
	features := gaussian(n*dim, 3)
	gather(t, s, features, features, dim, dim)
	r, err := s.Reference()
	if err != nil {
		t.Fatal(err)
	}
	folder, key := t.TempDir()+"/made", Key(About{Name: "a", Features: dim}, "images")
	if again, err := Kept(folder, key); again != nil || err != nil {
		t.Fatalf("nothing kept: got %v, %v", again, err)
	}
	if err := r.Keep(folder, key); err != nil {
		t.Fatal(err)
	}
	again, err := Kept(folder, key)
	if err != nil || again == nil || again.Images != n || !slices.Equal(again.Rows.Data, r.Rows.Data) {
		t.Fatalf("got %+v, %v", again, err)
	}
	other := NewTally(n, dim, 0)
	gather(t, other, gaussian(n*dim, 4), features, dim, dim)
	got, err1 := again.Frechet.Distance(other.Moments())
	want, err2 := r.Frechet.Distance(other.Moments())
	if err1 != nil || err2 != nil || got != want || math.IsNaN(got) {
		t.Errorf("distance %v (%v), want %v (%v)", got, err1, want, err2)
	}
	content, err := os.ReadFile(file(folder, key))
	if err != nil {
		t.Fatal(err)
	}
	short := content[:len(content)-sha256.Size-8] // whole by its hash, but of another format
	sum := sha256.Sum256(short)
	if err := os.WriteFile(file(folder, key), append(slices.Clone(short), sum[:]...), 0o666); err != nil {
		t.Fatal(err)
	}
	if found, err := Kept(folder, key); found != nil || err != nil {
		t.Errorf("another format goes unnoticed (%v)", err)
	}
	for _, at := range []int{0, len(magic) + 1, len(content) / 2, len(content) - 1} {
		damaged := slices.Clone(content)
		damaged[at] ^= 1
		if err := os.WriteFile(file(folder, key), damaged[:len(damaged)-at%2], 0o666); err != nil {
			t.Fatal(err)
		}
		if found, err := Kept(folder, key); found != nil || err != nil {
			t.Errorf("damage at byte %d goes unnoticed (%v)", at, err)
		}
	}
}

// Whatever a reference depends on changes its name.
func TestKeysDiffer(t *testing.T) {
	a := About{Name: "n", Weights: "w", Mode: "m", Features: 3}
	seen := map[string]bool{Key(a, "d"): true}
	for _, b := range []About{{"o", "w", false, "m", "", 3}, {"n", "x", false, "m", "", 3}, {"n", "w", false, "p", "", 3}, {"n", "w", false, "m", "", 4}} {
		seen[Key(b, "d")] = true
	}
	seen[Key(a, "e")] = true
	if len(seen) != 6 {
		t.Errorf("%d names for 6 references", len(seen))
	}
}
