// Package quality judges generated images by the features that a network sees in them beside
// those of real images: the Fréchet distance, Inception Score, KID, precision and recall.
//
// What the figures may be called is the network's to say: FID, Inception Score and KID only with
// the published weights of the Inception network of 2015. The side of the real images, the
// features of tens of thousands, is kept on disk.
//
// It knows neither training nor how the images came to be.
package quality
