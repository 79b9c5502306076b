// Package fault is how bad or missing input is reported: one sentence with the file and the remedy.
//
// It knows the meaning of an error, not who found it: damaged weights, absent images and diverged
// chains are of the same two kinds.
package fault
