package quality

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"jem/internal/durable"
	"jem/internal/metrics"
)

// Reference is the side of the real images.
type Reference struct {
	Images  int
	Frechet *metrics.Frechet
	Rows    metrics.Table // features of up to MaxPairs images
}

// Reference prepares the tally of real images: seconds for 2048 features.
func (s *Tally) Reference() (*Reference, error) {
	f, err := metrics.NewFrechet(&s.moments)
	return &Reference{s.seen, f, s.Rows()}, err
}

// Key names a reference by all that it is a function of: network, its weights and mode, and the
// hash of the images.
func Key(a About, data string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d|%s|%d|%s", magic, a.Name, a.Weights, a.Features, a.Mode, MaxPairs, data))
	return hex.EncodeToString(sum[:])
}

// magic begins a file. Its number changes with the format or the meaning.
const magic = "jem-reference-1\n"

// maxReference bounds a file: MaxPairs rows and a matrix, of 2048 features.
const maxReference = 1 << 30

// Kept returns the reference that a folder holds under a key, or nil where it holds none that is
// whole.
func Kept(folder, key string) (*Reference, error) {
	b, err := durable.ReadFile(file(folder, key), maxReference)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if r, ok := decode(b); ok {
		return r, nil
	}
	return nil, nil
}

// Keep writes a reference for later, whole or not at all.
func (r *Reference) Keep(folder, key string) error {
	b, err := r.encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	return durable.WriteFile(file(folder, key), b)
}

func file(folder, key string) string { return filepath.Join(folder, "reference-"+key[:32]+".bin") }

// encode: magic, images, rows, columns, the rows as float32, Frechet's own, SHA-256 of it all.
// Rows were float32 before.
func (r *Reference) encode() ([]byte, error) {
	side, err := r.Frechet.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b := []byte(magic)
	for _, n := range []int{r.Images, r.Rows.N, r.Rows.K} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	for _, v := range r.Rows.Data {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}
	b = append(b, side...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

// decode reads what encode wrote; false for anything else.
func decode(b []byte) (*Reference, bool) {
	const head = len(magic) + 3*8
	end := len(b) - sha256.Size
	if end < head || !bytes.HasPrefix(b, []byte(magic)) || sha256.Sum256(b[:end]) != [sha256.Size]byte(b[end:]) {
		return nil, false
	}
	number := func(i int) int { return int(binary.LittleEndian.Uint64(b[len(magic)+8*i:])) }
	r := &Reference{Images: number(0), Rows: metrics.Table{N: number(1), K: number(2)}, Frechet: new(metrics.Frechet)}
	body := b[head:end]
	// The hash holds, so the numbers are those that were written.
	r.Rows.Data = make([]float64, r.Rows.N*r.Rows.K)
	for i := range r.Rows.Data {
		r.Rows.Data[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:])))
	}
	return r, r.Frechet.UnmarshalBinary(body[4*len(r.Rows.Data):]) == nil
}
