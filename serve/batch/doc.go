// Package batch shares one device among many who ask a network something: it gathers what
// they ask at the same time into batches, and takes turns between batches and longer work.
//
// It knows no protocol: who asks, over which wire, is not its business. Everything that the
// device does happens on one goroutine, which opens it and closes it.
//
//	batcher.go  the Batcher: Start, Close, what goes wrong     loop.go    the device's goroutine
//	submit.go   requests and their answers                     gather.go  which images make a batch
//	turn.go     Do: other work, a turn at a time               swap.go    another network, without a pause
package batch
