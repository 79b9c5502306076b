// Package calibration asks how far a network's confidence can be believed: calibration errors,
// proper scores, a temperature fitted on held-out images, the reliability diagram.
//
// It knows a network's answers, not how they were trained for.
package calibration
