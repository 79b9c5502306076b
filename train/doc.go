// Package train brings model, sampler and data together: configuration, the training
// step, schedules, evaluation, the guard against divergence and the run folder.
//
// It prints nothing: what happens is told to an Observer.
package train
