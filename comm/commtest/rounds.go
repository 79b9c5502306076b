package commtest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"

	"jem/comm"
)

// lengths are those at which shares are empty, equal, unequal and large; the last is of several pieces where an engine cuts.
func lengths(size int) []int { return []int{0, 1, size - 1, size, size + 1, 4001, 2<<20 + 5} }

// number is the i-th of a rank: of either sign and magnitudes from 2⁻¹² to 2¹¹, so that another order of
// adding three gives other bits now and then.
func number(rank, i, salt int) float32 {
	h := uint64(rank+1)*0x9e3779b97f4a7c15 ^ uint64(i+1)*0xbf58476d1ce4e5b9 ^ uint64(salt)*0x94d049bb133111eb
	h ^= h >> 31
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	const one = 127 // exponent of 1
	return math.Float32frombits(uint32(h&1)<<31 | uint32(one-12+(h>>1&0xff)%24)<<23 | uint32(h>>41))
}

func numbers(n, rank, salt int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = number(rank, i, salt)
	}
	return v
}

// leftFold is what a sum must be.
func leftFold(n, size, salt int) []float32 {
	total := numbers(n, 0, salt)
	for r := 1; r < size; r++ {
		for i := range total {
			total[i] += number(r, i, salt)
		}
	}
	return total
}

// same compares bits.
func same(what string, got, want []float32) error {
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(want[i]) {
			return fmt.Errorf("%s: element %d of %d is %g (%08x), want %g (%08x)", what, i, len(got), v, math.Float32bits(v), want[i], math.Float32bits(want[i]))
		}
	}
	return nil
}

func sums(c comm.Comm) error {
	for salt, n := range lengths(c.Size()) {
		bucket := numbers(n, c.Rank(), salt)
		if err := c.Sum(bucket).Wait(); err != nil {
			return err
		}
		if err := same(fmt.Sprintf("sum of %d", n), bucket, leftFold(n, c.Size(), salt)); err != nil {
			return err
		}
	}
	return nil
}

// specials: −0, the smallest and largest numbers, infinities and what is no number come through.
func specials(c comm.Comm) error {
	inf, tiny := float32(math.Inf(1)), float32(math.SmallestNonzeroFloat32)
	sets := [][]float32{{float32(math.Copysign(0, -1)), tiny, -inf, math.MaxFloat32, 0}, {float32(math.Copysign(0, -1)), tiny, 1, math.MaxFloat32, inf}}
	bucket := append([]float32(nil), sets[c.Rank()%2]...)
	want := append([]float32(nil), sets[0]...)
	for r := 1; r < c.Size(); r++ {
		for i := range want {
			want[i] += sets[r%2][i]
		}
	}
	if err := c.Sum(bucket).Wait(); err != nil {
		return err
	}
	if err := same("special numbers", bucket, want); err != nil {
		return err
	}
	bucket = []float32{1}
	if c.Rank() == c.Size()-1 {
		bucket[0] = float32(math.NaN())
	}
	if err := c.Sum(bucket).Wait(); err != nil || bucket[0] == bucket[0] {
		return fmt.Errorf("a NaN of one rank became %g, %w", bucket[0], err)
	}
	return nil
}

func gathers(c comm.Comm) error {
	for salt, n := range lengths(c.Size()) {
		all := make([]float32, n)
		for i := range all {
			all[i] = float32(math.NaN()) // what isn't this rank's is replaced
		}
		lo, hi := comm.Share(n, c.Size(), c.Rank())
		copy(all[lo:hi], numbers(n, 0, salt)[lo:hi])
		if err := c.Gather(all).Wait(); err != nil {
			return err
		}
		if err := same(fmt.Sprintf("gathered %d", n), all, numbers(n, 0, salt)); err != nil {
			return err
		}
	}
	return nil
}

func broadcasts(c comm.Comm) error {
	for root := range c.Size() {
		for _, n := range []int{0, 1, 5, 1<<20 + 1} {
			want := bytes.Repeat([]byte{byte(root + 1)}, n)
			data := make([]byte, n)
			if c.Rank() == root {
				copy(data, want)
			}
			if err := c.Broadcast(data, root).Wait(); err != nil {
				return err
			}
			if !bytes.Equal(data, want) {
				return fmt.Errorf("%d bytes of rank %d came as others", n, root)
			}
		}
	}
	return nil
}

func maxima(c comm.Comm) error {
	last := int64(c.Size() - 1)
	for _, m := range []struct {
		value func(rank int64) int64
		want  int64
	}{
		{func(r int64) int64 { return r }, last},
		{func(r int64) int64 { return -r }, 0},
		{func(r int64) int64 { return r - last - 1 }, -1},
		{func(r int64) int64 { return math.MinInt64 }, math.MinInt64},
		{func(r int64) int64 { return math.MaxInt64 - r }, math.MaxInt64},
	} {
		if got, err := c.Max(m.value(int64(c.Rank()))); err != nil || got != m.want {
			return fmt.Errorf("largest %d, %w, want %d", got, err, m.want)
		}
	}
	return nil
}

// pendings: operations of all kinds and sizes, begun before any is waited for.
func pendings(c comm.Comm) error {
	const n, buckets = 50_001, 12
	var all [buckets][]float32
	var waits []comm.Pending
	for b := range all {
		all[b] = numbers(n>>(b%4*3), c.Rank(), b)
		waits = append(waits, c.Sum(all[b]))
	}
	lo, hi := comm.Share(n, c.Size(), c.Rank())
	gathered, word := make([]float32, n), make([]byte, 3)
	copy(gathered[lo:hi], numbers(n, 0, 99)[lo:hi])
	if c.Rank() == 0 {
		copy(word, "yes")
	}
	waits = append(waits, c.Gather(gathered), c.Broadcast(word, 0))
	largest, err := c.Max(int64(c.Rank()))
	for _, w := range waits {
		err = errors.Join(err, w.Wait())
	}
	if err != nil {
		return err
	}
	for b, got := range all {
		if err := same(fmt.Sprintf("bucket %d", b), got, leftFold(len(got), c.Size(), b)); err != nil {
			return err
		}
	}
	if string(word) != "yes" || largest != int64(c.Size()-1) {
		return fmt.Errorf("after the buckets: %q and %d", word, largest)
	}
	return same("gathered after the buckets", gathered, numbers(n, 0, 99))
}

// garbage: buffers stay where they are and alive though nobody here holds them but the engine.
func garbage(c comm.Comm) error {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for round := range 40 {
		bucket := numbers(3000, c.Rank(), round)
		if err := c.Sum(bucket).Wait(); err != nil {
			return err
		}
		if err := same("sum", bucket, leftFold(3000, c.Size(), round)); err != nil {
			return err
		}
		c.Sum(numbers(1000, c.Rank(), round)) // its result is nobody's
	}
	_, err := c.Max(0)
	return err
}

// isPeer complains unless the error tells who waited, where, and for what.
func isPeer(err error, c comm.Comm, step int, op string) error {
	var peer *comm.PeerError
	if !errors.As(err, &peer) {
		return fmt.Errorf("%v is no *comm.PeerError", err)
	}
	if peer.Rank != c.Rank() || peer.Step != step || peer.Op != op || peer.Host == "" {
		return fmt.Errorf("rank %d after step %d waiting for the %s says %+v", c.Rank(), step, op, peer)
	}
	return nil
}
