// Package step takes one step of the algorithm. A Step owns exactly what that needs, network,
// replay buffer, optimiser, moving average and curricula; its verbs are load, sample, differentiate,
// sharpen, update, and step.go is the method on one screen, for JEM and its successors alike: what
// a recipe is made of is configuration (docs/recipes.md).
//
// It doesn't know what came before or is due after: that is the trainer's.
package step
