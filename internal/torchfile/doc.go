// Package torchfile reads and writes the checkpoints that torch.save makes of a state
// dict: the zip format of PyTorch 1.6 and later, and the legacy format before it, in which
// the official JEM code (PyTorch 1.3) saves.
//
// A checkpoint is a pickle, a program for a stack machine that Python runs. The machine here runs a small
// list of its instructions and knows by name what PyTorch's own restricted loader knows, torch.load(…,
// weights_only=True): dicts, tensors and their storages, and things that are no weights (random states,
// counters, sizes), of which it notes what they are and forgets the rest. Whatever else a file asks for is
// refused. Nothing that the file claims is trusted: every length is checked against what is there, depth,
// memo, strings and the total of all tensors are bounded, and nothing may be missing or left over.
//
// It knows nothing of networks: it lists what lies in the dicts of a file under the keys that lead there,
// and reads the numbers that it is asked for. Errors name the byte; the caller adds the file's name.
//
//	f, err := torchfile.Open(file, size)
//	t, err := f.Tensor(f.Entries[0])
//	err = torchfile.Write(w, "last_ckpt", state)
//
// The files: read and legacy or zip find the pickle; source reads it; machine runs its instructions, text and
// build make values, calls and names are what it may call; storages and tensor check what it names; write
// writes both formats.
package torchfile

import (
	"fmt"

	"jem/internal/fault"
	"jem/internal/safetensors"
)

// Tensor is a named array in C order: float32, or int32 for PyTorch's integers.
type Tensor = safetensors.Tensor

// State is the content of a checkpoint to be written.
type State struct {
	Model    []Tensor          // the state dict, in its order
	Buffer   *Tensor           // the replay buffer (slots,C,H,W) that the official code saves beside it; may be nil
	Metadata map[string]string // texts about the network; may be nil
}

// Bounds on what Open accepts.
const (
	maxDepth   = 64        // of values in values
	maxMemo    = 1_000_000 // values that a pickle remembers
	maxMade    = 2_000_000 // values that it makes: a list of a million losses is fine
	maxString  = 64 << 10  // bytes of a string that can be a name
	maxPickle  = 16 << 20  // bytes of one pickle: WRN-28-10 has 20 KB
	maxEntries = 20_000    // files in a zip: one a tensor
	maxValues  = 100_000   // values in a file's dicts: an optimiser has some a tensor
	maxName    = 1000      // bytes of a value's keys
	maxRank    = 16        // dimensions of a tensor
	maxShared  = 4         // how many times the file all tensors may be that share their numbers
)

// FormatError says where a file is not a checkpoint that this package reads.
type FormatError struct {
	Offset int64  // byte of the file
	Reason string // what is wrong there
}

// Error is "byte n: reason".
func (e *FormatError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason) }

func refuse(offset int64, format string, args ...any) error {
	return &FormatError{offset, fault.Sprintf(format, args...)}
}
