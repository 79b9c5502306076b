package backendtest_test

import "jem/backend"

// repeatsStale makes a repeated pass as long as its input is new to it.
type repeatsStale struct{ backend.Device }

func (d repeatsStale) NewRepeated(f func()) backend.Repeated { return &staleRepeated{f: f} }

type staleRepeated struct {
	f    func()
	runs int
}

func (r *staleRepeated) Run() {
	if r.runs++; r.runs < 3 {
		r.f()
	}
}

func (r *staleRepeated) Close() {}
