// Package figure draws the diagrams of measurements as PNG: curves, and histograms laid over
// each other, with the axes named and a legend.
//
// Series can be told apart without colours: each has its own dash pattern and mark, and the
// colours differ in lightness, so that a diagram survives a grey print. The package knows
// nothing of what is measured, and its output is a function of its input.
package figure
