// Package robust asks how small a change of an image makes a network answer wrongly: accuracy
// against ε under the attacks of package eval/attack on JEM-k, and distal adversarials, images of
// a class made from noise.
//
// It knows a predictor and a data set; the attacks themselves know neither.
package robust
