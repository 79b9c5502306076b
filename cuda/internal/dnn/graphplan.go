//go:build cuda && linux && amd64

package dnn

// #include "graph.h"
//
// /* run takes addresses as integers: they are the card's, and mean nothing to Go. */
// static cudnnStatus_t run(cudnnHandle_t handle, const jem_plan *plan, const uintptr_t *addresses, uintptr_t workspace, jem_failure *failure) {
// 	void *pointers[JEM_PLACES];
// 	for (int i = 0; i < JEM_PLACES; i++)
// 		pointers[i] = (void *)addresses[i];
// 	return jem_plan_run(handle, plan, pointers, (void *)workspace, failure);
// }
import "C"

import (
	"fmt"
	"unsafe"
)

// graphPlan is a Plan of the graph API, which computes all of its spec in one go.
type graphPlan struct {
	handle  *Handle
	name    string
	plan    C.jem_plan
	failure C.jem_failure
}

// Graph asks the graph API for a plan of the whole spec. It fails with an *Error where there
// is none.
func (h *Handle) Graph(s Spec, l Limits) (Plan, error) {
	conv := C.jem_conv{
		pass: C.int(s.Pass), precision: C.int(s.Precision),
		n: C.int(s.N), c: C.int(s.C), h: C.int(s.H), w: C.int(s.W), k: C.int(s.K), r: C.int(s.R),
		s: C.int(s.S), stride: C.int(s.Stride), pad: C.int(s.Pad), pad_w: C.int(s.PadW), alignment: C.int(s.Alignment),
		bias: flag(s.Bias), residual: flag(s.Residual), raw: flag(s.Raw), act: flag(s.Act), slope: C.float(s.Slope),
	}
	limits := C.jem_limits{workspace: C.int64_t(l.Workspace), any_order: flag(l.AnyOrder), skip: C.int(l.Skip)}
	p := &graphPlan{handle: h}
	if C.jem_plan_conv(C.jem_target{handle: h.c()}, &conv, &limits, &p.plan, &p.failure) != C.CUDNN_STATUS_SUCCESS {
		return nil, p.failed("")
	}
	p.name = fmt.Sprintf("graph %s engine %d", s.Precision, int(p.plan.engine))
	if p.plan.winograd != 0 {
		p.name += " winograd"
	}
	return p, nil
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func (p *graphPlan) failed(call string) error {
	return &Error{Call: call + "graph API", Status: int(p.failure.status), Text: C.GoString(&p.failure.text[0])}
}

// Run implements Plan.
func (p *graphPlan) Run(operands *Pointers, workspace uintptr) error {
	addresses := (*C.uintptr_t)(unsafe.Pointer(&operands[0]))
	if C.run(p.handle.c(), &p.plan, addresses, C.uintptr_t(workspace), &p.failure) != C.CUDNN_STATUS_SUCCESS {
		return p.failed(p.name + ": ")
	}
	return nil
}

// Workspace implements Plan.
func (p *graphPlan) Workspace() int64 { return int64(p.plan.workspace) }

// Name implements Plan.
func (p *graphPlan) Name() string { return p.name }

// Destroy implements Plan.
func (p *graphPlan) Destroy() { C.jem_plan_destroy(&p.plan) }
