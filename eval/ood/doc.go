// Package ood asks how well a network's scores tell images of other distributions from its own.
//
// Scores are higher for images that look in-distribution; which of the sets of images are
// where is looked up below the run's folder of data sets. It draws no conclusions.
package ood
