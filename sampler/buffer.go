package sampler

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
)

// Start is the distribution that chains begin with.
type Start interface {
	// Fill writes one image a class: dst holds len(classes)·C·H·W pixels, NCHW. It is a
	// function of classes and key.
	Fill(dst []float32, classes []int32, key philox.Key)
}

// BufferConfig describes a replay buffer.
type BufferConfig struct {
	Size    int     // slots; a multiple of Classes when draws are class-conditional
	Classes int     // K: class y owns slots [y·Size/K, (y+1)·Size/K)
	Reinit  float32 // ρ: probability that a drawn chain starts afresh
	Seed    uint64
}

// ReplayBuffer keeps chains between training steps (Tieleman 2008; Grathwohl et al. 2020,
// algorithm 1; official sample_p_0 and sample_q): a draw takes slots with replacement,
// restarts each with probability ρ, and the chains go back to the slots they came from.
//
// The images live on the device. Which slots and restarts a draw takes is a function of
// the key's step, so a run's state is the images alone. Ranks of one run have the same buffer: each draws
// its rows of a batch of chains, and puts back those of all.
type ReplayBuffer struct {
	Images backend.Tensor // Dense (Size, C·H·W), NCHW rows

	dev           backend.Device
	cfg           BufferConfig
	start         Start
	draw, restart philox.Key
	slots         backend.Tensor // Index (N) of the last draw
	hostSlots     []int32
	freshRows     []int
	freshClasses  []int32
	fresh         []float32
}

// NewReplayBuffer allocates a buffer of images with the given number of pixels (C·H·W)
// for draws of batch chains, and fills it from start.
func NewReplayBuffer(d backend.Device, c BufferConfig, pixels, batch int, start Start) (*ReplayBuffer, error) {
	if c.Size < 1 || c.Classes < 1 || c.Size < c.Classes {
		return nil, fmt.Errorf("sampler: a buffer of %d images cannot serve %d classes", c.Size, c.Classes)
	}
	b := &ReplayBuffer{
		Images:       d.New(backend.Dense, c.Size, pixels),
		dev:          d,
		cfg:          c,
		start:        start,
		draw:         philox.New(c.Seed, 0, philox.BufferDraw),
		restart:      philox.New(c.Seed, 0, philox.Restart),
		slots:        d.New(backend.Index, batch),
		hostSlots:    make([]int32, batch),
		freshRows:    make([]int, 0, batch),
		freshClasses: make([]int32, 0, batch),
		fresh:        make([]float32, batch*pixels),
	}
	b.fill(pixels)
	return b, nil
}

// fill starts every slot, in chunks to bound host memory.
func (b *ReplayBuffer) fill(pixels int) {
	const chunk = 500
	key := philox.New(b.cfg.Seed, 0, philox.BufferInit)
	host, classes, rows := make([]float32, chunk*pixels), make([]int32, chunk), make([]int, chunk)
	for lo := 0; lo < b.cfg.Size; lo += chunk {
		n := min(chunk, b.cfg.Size-lo)
		for i := range n {
			rows[i], classes[i] = lo+i, b.ClassOf(lo+i)
		}
		b.start.Fill(host[:n*pixels], classes[:n], key.At(lo/chunk, 0))
		b.dev.UploadRows(b.Images, rows[:n], host[:n*pixels])
	}
}

// ClassOf is the class that owns a slot (the last class owns the remainder).
func (b *ReplayBuffer) ClassOf(slot int) int32 {
	return int32(min(slot*b.cfg.Classes/b.cfg.Size, b.cfg.Classes-1))
}

// Draw writes starting points to x, Image (n,C,H,W), those of chains lo … lo+n−1 of the batch. labels,
// one class a chain of the whole batch, restricts each to its class's slots; nil draws from all of them. step
// makes the draw unique within the run, sub within the step.
func (b *ReplayBuffer) Draw(x backend.Tensor, lo int, labels []int32, step, sub int) {
	key := b.draw.At(step, sub)
	b.freshRows, b.freshClasses = b.freshRows[:0], b.freshClasses[:0]
	for i := range b.hostSlots {
		slot := b.slot(key, i, labels)
		b.hostSlots[i] = int32(slot)
		if key.Uniform(uint64(2*i+1)) < b.cfg.Reinit {
			b.freshRows = append(b.freshRows, i)
			b.freshClasses = append(b.freshClasses, b.ClassOf(slot))
		}
	}
	b.dev.UploadIndex(b.slots, b.hostSlots)
	b.dev.GatherRows(x, b.Images, b.dev.Rows(b.slots, lo, lo+x.Shape()[0]))
	Fresh{b.start, b.freshRows, b.freshClasses, b.restart.At(step, sub)}.Place(b.dev, x, lo, b.fresh)
}

// slot draws chain i's slot: uniform over all, or over those of its label.
func (b *ReplayBuffer) slot(key philox.Key, i int, labels []int32) int {
	if labels == nil {
		return key.IntN(uint64(2*i), b.cfg.Size)
	}
	own := b.cfg.Size / b.cfg.Classes
	return int(labels[i])*own + key.IntN(uint64(2*i), own)
}

// Put writes the chains of the last draw back to their slots, those of the whole batch: x is
// (batch,C,H,W), or Dense with as many elements a row. Where a slot was drawn
// twice the later chain wins (the official code leaves that open).
func (b *ReplayBuffer) Put(x backend.Tensor) { b.dev.ScatterRows(b.Images, x, b.slots) }
