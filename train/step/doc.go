// Package step takes one step of the algorithm. A Step owns exactly what that needs, network,
// replay buffer, optimiser and moving average; its four verbs are load, sample, differentiate,
// update, and step.go is the method on one screen.
//
// It doesn't know what came before or is due after: that is the trainer's.
package step
