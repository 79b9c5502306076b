// Package trace counts what a program asks of a device. Its Device computes nothing:
// tensors have a kind and a shape but no memory, every call is recorded with its operands.
// So a whole training step of the published network is counted in a moment, from the code
// that runs it and not from a list beside it.
//
//	dev := New()
//	timing.Measure(ctx, dev, config, 3, 32, 10, 1)
//	for _, call := range dev.Calls() { … }
//
// A device of NewOn adds up the memory, too, that what is made on it would take: so a run's is
// foretold from the code that will take it.
//
// What is downloaded is zero. The package knows the contract, no network and no machine.
package trace
