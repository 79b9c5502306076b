// Package feed opens the images of a run: the streams that training draws from, the sets that are
// evaluated on, the distribution that chains start from. They are read in one way whoever asks, through
// a Source, so that a network is judged and sampled on what it was trained on: Source.Read maps classes
// by name, and compares images with the network, for all of them.
//
// What the images were when the run began is kept beside its configuration (Facts): names and order of
// the classes, shape, number and digest, and where they lie.
//
// It knows nothing of networks and of what becomes of the images.
package feed
