// Package mutation feeds readers with damaged copies of good files: tests hold them to return an
// error or a sound value, without panic, in bounded time and memory.
//
// It knows nothing of formats. How many copies a test makes is the environment variable
// JEM_MUTATIONS; each is a function of its number, so that a failure names its input.
package mutation

import (
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"

	"jem/backend/philox"
)

// Limits of one input.
const (
	MaxSeconds = 2
	// MaxBytes is allocated for one input at most: the largest picture that is let in, which takes 384 MiB
	// to decode, with what drawing it leaves behind; everything else is far below.
	MaxBytes = 512 << 20
)

// Count is the number of inputs a format that JEM_MUTATIONS asks for, else normal.
func Count(normal int) int {
	if n, err := strconv.Atoi(os.Getenv("JEM_MUTATIONS")); err == nil && n > 0 {
		return n
	}
	return normal
}

// Bytes is copy number i of a file, changed in one to four places: bits, extreme bytes,
// cuts, repeats. Half of the changes are in the first 200 bytes, where headers are.
func Bytes(good []byte, i int) []byte { return Keyed(good, philox.New(1, 0, philox.Test).At(i, 0)) }

// Keyed is Bytes for a key.
func Keyed(good []byte, key philox.Key) []byte {
	b := append([]byte(nil), good...)
	for i := range 1 + key.IntN(0, 4) {
		draw := func(j, n int) int { return key.IntN(uint64(1+8*i+j), n) }
		if len(b) == 0 {
			return b
		}
		at := draw(0, len(b))
		if draw(1, 2) == 0 {
			at = draw(0, min(len(b), 200))
		}
		switch draw(2, 6) {
		case 0, 1:
			b[at] ^= 1 << draw(3, 8)
		case 2:
			b[at] = []byte{0, 1, 0x7f, 0x80, 0xff}[draw(3, 5)]
		case 3:
			for j := at; j < min(at+4, len(b)); j++ {
				b[j] = 0xff
			}
		case 4:
			b = b[:at]
		case 5:
			end := min(len(b), at+draw(3, 64))
			b = append(b[:end:end], b[at:]...)
		}
	}
	return b
}

// Result is what became of the inputs.
type Result struct {
	Inputs   int
	Refused  int           // inputs for which try returned false
	Slowest  time.Duration // of one input
	Largest  uint64        // bytes allocated for one input
	Failures []string      // panics, hangs, and inputs beyond a limit, in words
}

// Run gives n damaged copies of a file to try, which returns whether it accepted the input. A
// hang ends the run: its goroutine can't be stopped.
func Run(good []byte, n int, try func(file []byte) bool) Result {
	r := Result{Inputs: n}
	for i := range n {
		file := Bytes(good, i)
		o := once(file, try)
		if o.failure == "" && o.took > MaxSeconds*time.Second {
			o = once(file, try) // a busy machine is not to blame twice
		}
		r.Slowest, r.Largest = max(r.Slowest, o.took), max(r.Largest, o.used)
		switch {
		case o.failure != "":
			r.fail(i, o.failure)
		case o.took > MaxSeconds*time.Second:
			r.fail(i, fmt.Sprintf("took %v", o.took))
		case o.used > MaxBytes:
			r.fail(i, fmt.Sprintf("%d MiB allocated for %d bytes", o.used>>20, len(file)))
		}
		if !o.accepted {
			r.Refused++
		}
		if o.failure == hangs {
			break
		}
	}
	return r
}

const hangs = "hangs"

// outcome of one input.
type outcome struct {
	accepted bool
	failure  string
	took     time.Duration
	used     uint64
}

func once(file []byte, try func(file []byte) bool) outcome {
	done := make(chan outcome, 1)
	start, before := time.Now(), allocated()
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- outcome{failure: fmt.Sprintf("panic: %v\n%s", p, debug.Stack())}
			}
		}()
		done <- outcome{accepted: try(file)}
	}()
	var o outcome
	select {
	case o = <-done:
	case <-time.After(10 * MaxSeconds * time.Second):
		o.failure = hangs
	}
	o.took, o.used = time.Since(start), allocated()-before
	return o
}

func (r *Result) fail(i int, what string) {
	r.Failures = append(r.Failures, fmt.Sprintf("input %d: %s", i, what))
}

// allocated is the number of bytes that the program has allocated so far.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
