package comm

import "os"

// Local is the engine of one rank: it has nothing to do.
type Local struct{}

// Rank implements Comm.
func (Local) Rank() int { return 0 }

// Size implements Comm.
func (Local) Size() int { return 1 }

// Name implements Comm.
func (Local) Name() string { return "" }

// Sum implements Comm.
func (Local) Sum([]float32) Pending { return Done{} }

// Gather implements Comm.
func (Local) Gather([]float32) Pending { return Done{} }

// Broadcast implements Comm.
func (Local) Broadcast([]byte, int) Pending { return Done{} }

// Max implements Comm.
func (Local) Max(value int64) (int64, error) { return value, nil }

// At implements Comm.
func (Local) At(int) {}

// Abort implements Comm.
func (Local) Abort(code int, _ string) { os.Exit(code) }

// Close implements Comm.
func (Local) Close() error { return nil }

// Exit implements Comm.
func (Local) Exit(code int) { os.Exit(code) }

// Done is an operation that is over.
type Done struct{ Err error }

// Wait implements Pending.
func (d Done) Wait() error { return d.Err }
