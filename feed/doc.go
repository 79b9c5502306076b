// Package feed opens the images that a configuration names: the streams that training draws
// from, the sets that are evaluated on, the distribution that chains start from. They are read
// in one way whoever asks, so that a network is judged and sampled on what it was trained on.
//
// It knows nothing of networks and of what becomes of the images.
package feed
