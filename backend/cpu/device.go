// Package cpu is the CPU device: Go without a C library, hot loops in generated
// assembly (AVX-512, AVX2+FMA) chosen when the device is opened, portable Go elsewhere.
//
// It knows tensors and operations, not networks or training.
//
// The files, by what they begin with:
//
//	device, memory, tensor, scratch, meter   opening, layouts, working memory, what is in use
//	hoard, pages, caches                     where lasting memory comes from, huge pages, sizes of caches
//	workers, elements                        regions of fixed parts, and who computes them
//	record, program, program_…, lane, paper  passes and chains as a whole: recorded, planned, made slice by slice
//	conv, conv_choice, conv_measure          a planned convolution, and how its algorithms are chosen
//	conv_…                                   the direct algorithms: sweeps, their sources, packed weights, sums
//	wino, wino_…                             Winograd's: transforms, tiles, weights, gradients, bf16
//	precision                                where products are of bf16
//	linear, linear_…                         a linear layer: packed weights, parameter gradient
//	pointwise, pool, window, head, softmax, norm, normpass, random, replay, update, moves
//	                                         the other verbs, a group of the contract each
//	peak                                     the machine's roof, for measurements
package cpu

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// Options chooses how the device uses the machine. The zero value is the best.
type Options struct {
	ISA     string // instruction set: generic, avx2, avx512; empty: the widest that the machine has
	Threads int    // threads that compute; 0: as many as Go may use (GOMAXPROCS)

	// ConvAlgo is the family of convolution algorithms: auto, direct or winograd (where
	// it can compute the layer); empty: auto.
	ConvAlgo string
	// Precision of the products of 3×3 convolutions that Winograd's algorithm computes: fp32 or,
	// where the processor has AVX512_BF16, bf16; empty: fp32. Transforms, sums, parameter
	// gradients and everything else stay float32.
	Precision string
	// Scope is where bf16 holds: chain (within a backend.Chain) or all; empty: chain.
	Scope string
	// Memo, where not nil, lets ConvAlgo auto time the algorithms for a layer where it isn't
	// plain which one is faster, and keeps the outcome. Without it, the choice is a function of
	// shapes and instruction set alone.
	Memo backend.ChoiceMemo
}

// Device is the CPU's backend.Device. Its verbs allocate nothing once their working
// memory has grown to the sizes in use.
type Device struct {
	isa     asm.ISA
	workers *workers
	params  uint64 // counts ParamsChanged; convolutions redo their weights when it moved
	kernels asm.Pointwise
	// definitions are the kernels' portable form, which takes what they don't.
	definitions asm.Pointwise
	scratch     *scratch
	meter       meter
	convAlgo    convAlgo
	low         lowPrecision
	chaining    bool       // a chain is running
	recording   *recording // of a pass or a chain; nil: verbs are made at once
	replay      replay
	operands    []backend.Tensor // of a recorded call, in one
	lanes       []*Device        // one a worker, once there is a program
	lane        int              // of a lane: its number, from 1
	convolving  time.Duration    // of this device's own calls
	waveBytes   int              // usualWaveBytes, or less in tests
	arena       arena            // of a lane's programs, or of those over waves
	choices     choices
	memo        backend.ChoiceMemo // nil: nothing is measured
	measure     func(c *conv, dir direction, all []candidate) int

	// One region of each kind, so that a verb need not allocate one.
	elements elements
	streamed streamed
	pixels   pixels
	transfer transfer
	pieces   pieces
	rowwise  rowwise
	rows     multiplying
	outer    outerSums
	direct   matrix // of a linear layer that isn't in a pass
	pooling  pooling
	windows  windows
	images   images
}

// Open returns the device. It fails if the machine lacks the instruction set asked for.
func Open(o Options) (*Device, error) {
	isa := asm.Best()
	if o.ISA != "" {
		var err error
		if isa, err = asm.ParseISA(o.ISA); err != nil {
			return nil, fmt.Errorf("open cpu: %w", err)
		}
	}
	if isa > asm.Best() {
		return nil, fmt.Errorf("open cpu: this machine lacks %s: it has %s", isa, availableNames())
	}
	algo, err := parseConvAlgo(o.ConvAlgo)
	if err != nil {
		return nil, fmt.Errorf("open cpu: %w", err)
	}
	if o.Threads < 0 {
		return nil, fmt.Errorf("open cpu: %d threads: want at least 1, or 0 for all cores", o.Threads)
	}
	threads := o.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	low, err := parsePrecision(o.Precision, o.Scope, isa)
	if err != nil {
		return nil, fmt.Errorf("open cpu: %w", err)
	}
	d := newDevice(isa, threads)
	d.convAlgo, d.low, d.memo = algo, low, o.Memo
	return d, nil
}

func newDevice(isa asm.ISA, threads int) *Device {
	d := &Device{isa: isa, workers: newWorkers(threads), kernels: asm.PointwiseFor(isa), measure: (*conv).fastest}
	d.definitions = asm.PointwiseFor(asm.Generic)
	d.scratch = &scratch{worker: make([][]float32, threads)}
	d.choices.made = map[string]string{}
	d.waveBytes = usualWaveBytes
	return d
}

func availableNames() string {
	var names []string
	for _, isa := range asm.Available() {
		names = append(names, isa.String())
	}
	return strings.Join(names, ", ")
}

// Name implements backend.Device.
func (d *Device) Name() string {
	s := "s"
	if d.workers.n == 1 {
		s = ""
	}
	return fmt.Sprintf("cpu (%s, %s%d thread%s)", d.isa, d.low, d.workers.n, s)
}

// Info implements backend.Device.
func (d *Device) Info() backend.Info {
	return backend.Info{Kind: "cpu", Model: asm.Model(), ISA: d.isa.String(), Threads: d.workers.n}
}

// Close implements backend.Device: it ends the worker goroutines.
func (d *Device) Close() error {
	d.workers.close()
	return nil
}

// Convolving implements backend.ConvTimer.
func (d *Device) Convolving() time.Duration {
	lanes := time.Duration(0)
	for _, l := range d.lanes {
		lanes += l.convolving
	}
	return d.convolving + lanes/time.Duration(d.workers.n)
}

// timed adds the time since start to that of convolutions.
func (d *Device) timed(start time.Time) { d.convolving += time.Since(start) }
