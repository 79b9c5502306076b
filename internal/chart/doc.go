// Package chart draws the diagrams of measurements: curves, and histograms laid over each
// other, with the axes named and a legend; as PNG, as an SVG file, and as an SVG element for
// HTML pages that follows their light or dark colours.
//
// Series can be told apart without colours: each has its own dash pattern and mark, and the
// colours differ in lightness, so that a diagram survives a grey print. The package knows
// nothing of what is measured, and its output is a function of its input.
package chart
