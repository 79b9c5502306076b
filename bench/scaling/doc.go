// Package scaling foretells what a training step takes on many ranks: from the floating-point
// operations and bytes that the trainer's own step asks for, counted on a device that only
// counts, and from assumptions about machines and network that the caller makes.
//
// Two answers are given for the same assumptions. Foretell is a formula that one can follow on
// paper; Simulate lets every rank take the step event by event, with computing that differs
// from rank to rank. Where they part, waiting for the slowest is what the formula lacks.
package scaling
