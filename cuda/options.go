package cuda

import (
	"errors"
	"fmt"
	"slices"

	"jem/backend"
)

// Options chooses card, precision and engines. The zero value is strict float32 on the first
// card, convolutions chosen by the library, chains replayed as CUDA graphs.
type Options struct {
	Ordinal int // the card, as the driver counts
	// Shared has the device work in the card's primary context, as other libraries do that are to work on its tensors,
	// see backend.Addresser.
	Shared bool

	// Precision of convolutions: fp32 (fused multiply-add, as the CPU's), tf32 (operands
	// rounded to 10 bits for tensor cores; what PyTorch's convolutions do unless told
	// otherwise) or bf16 (bfloat16 activations and weights; where a layer's channels
	// are no multiple of 8, tf32). Empty: fp32. Sums, parameters, the
	// optimiser and everything outside convolutions' operands stay float32.
	Precision string
	// Scope of a precision below fp32: chain (sampling chains only) or all. Empty: chain.
	Scope string

	// ConvEngine is auto (the graph API's fused convolutions where there are some), graph
	// (that API always, unfused where it must be) or legacy. Empty: auto.
	ConvEngine string
	// WorkspaceLimit bounds the working memory of a convolution, in MiB; 0: 256. All
	// convolutions share one.
	WorkspaceLimit int
	// AnyOrder allows convolutions whose sums have no fixed order: results then differ in
	// their last bits from run to run.
	AnyOrder bool
	// Memo, where not nil, lets the device time the ways to make each computation once, where
	// the memo has no answer, instead of taking the first that the library proposes. Ways
	// differ in the last bits of their results; see backend.Chooser.
	Memo backend.ChoiceMemo
	// NoGraph runs chains call by call instead of replaying a CUDA graph.
	NoGraph bool
}

// The values of options that are names; the first is the default.
var (
	precisions  = []string{"fp32", "tf32", "bf16"}
	scopes      = []string{"chain", "all"}
	convEngines = []string{"auto", "graph", "legacy"}
)

// normal fills in the defaults and reports every value that is none.
func (o Options) normal() (Options, error) {
	var faults []error
	name := func(what string, v *string, known []string) {
		if *v == "" {
			*v = known[0]
		}
		if !slices.Contains(known, *v) {
			faults = append(faults, fmt.Errorf("unknown %s %q: want one of %v", what, *v, known))
		}
	}
	name("precision", &o.Precision, precisions)
	name("precision scope", &o.Scope, scopes)
	name("convolution engine", &o.ConvEngine, convEngines)
	if o.WorkspaceLimit < 0 {
		faults = append(faults, fmt.Errorf("workspace limit of %d MiB: want 0 or more", o.WorkspaceLimit))
	}
	if o.WorkspaceLimit == 0 {
		o.WorkspaceLimit = 256
	}
	return o, errors.Join(faults...)
}
