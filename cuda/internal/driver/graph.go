//go:build cuda && linux && amd64

package driver

// The binding has no stream capture and cannot instantiate or launch a graph; nor has it
// pinned host memory, without which a copy cannot go on behind the caller's back.

// #include <cuda.h>
//
// static CUresult instantiate(CUgraphExec *exec, CUgraph graph) { return cuGraphInstantiateWithFlags(exec, graph, 0); }
import "C"

import (
	"errors"
	"unsafe"
)

// Graph is captured work, ready to be replayed.
type Graph struct{ exec C.CUgraphExec }

// BeginCapture makes the stream collect what is put on it instead of doing it. Until EndCapture
// nothing may wait for the stream.
func (c *Context) BeginCapture() error {
	return failed("cuStreamBeginCapture", C.cuStreamBeginCapture(c.cstream(), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
}

// EndCapture returns what was collected as a graph.
func (c *Context) EndCapture() (*Graph, error) {
	var graph C.CUgraph
	if err := failed("cuStreamEndCapture", C.cuStreamEndCapture(c.cstream(), &graph)); err != nil {
		return nil, err
	}
	g := &Graph{}
	err := failed("cuGraphInstantiate", C.instantiate(&g.exec, graph))
	return g, errors.Join(err, failed("cuGraphDestroy", C.cuGraphDestroy(graph)))
}

// Replay puts the graph's work on the stream.
func (c *Context) Replay(g *Graph) error {
	return failed("cuGraphLaunch", C.cuGraphLaunch(g.exec, c.cstream()))
}

// Destroy gives the graph back; work under way goes on.
func (g *Graph) Destroy() error { return failed("cuGraphExecDestroy", C.cuGraphExecDestroy(g.exec)) }

func (c *Context) cstream() C.CUstream { return C.CUstream(c.Stream()) }

// AllocHost returns pinned host memory, which the card reads and writes by itself.
func (c *Context) AllocHost(bytes int64) (unsafe.Pointer, error) {
	var p unsafe.Pointer
	err := failed("cuMemHostAlloc", C.cuMemHostAlloc(&p, C.size_t(bytes), 0))
	return p, err
}

// FreeHost gives pinned memory back.
func (c *Context) FreeHost(p unsafe.Pointer) error {
	return failed("cuMemFreeHost", C.cuMemFreeHost(p))
}
