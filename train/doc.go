// Package train is the course of a run: what is due after a step, the guard against divergence
// and the way back to an earlier state, what a checkpoint holds, who is told. The step
// itself is package train/step's; the folder that a run leaves is train/journal's; train/session
// begins a run or goes on with one.
//
// It prints nothing and knows no result of an evaluation but the accuracy that it reports.
package train
