package cpu

// region is work in fixed parts: part(i, worker) computes part i, whichever worker runs
// it. Parts must not depend on each other, and what a part computes must not depend on
// the worker, so results are the same for any number of threads. worker < workers.n
// selects private scratch memory.
type region interface {
	part(i, worker int)
}

// workers runs regions. It is a placeholder for the persistent pool: the caller does
// all parts itself.
type workers struct {
	n int // threads, the caller included
}

func newWorkers(n int) *workers { return &workers{n: n} }

// run executes parts 0 … parts−1 of r and returns when all are done. It allocates nothing.
func (w *workers) run(parts int, r region) {
	for i := range parts {
		r.part(i, 0)
	}
}

func (w *workers) close() {}
