// Package data turns published image sets into batches.
//
// Open reads a set once from the publisher's own files, checks it and keeps its pixels as
// uint8. A Loader then makes batches of float32 NCHW in [-1,1]: shuffled, cropped, flipped
// and noisy, each a pure function of keys and the step number, so that a resumed run needs
// one integer to see the same images. Eval walks a set in order. ClassGaussian is the informed
// distribution that chains may start from. Fetch downloads a set, Verify checks one.
//
//	set, notes, err := data.Open("cifar10", data.Train, data.OpenOptions{})
//	train, held, err := data.Holdout(set.Len(), 5000, philox.New(seed, 0, philox.Split))
//	loader, err := data.NewLoader(set, train, data.LoaderOptions{Batch: 64, …})
//	stream := data.Prefetch(loader, step, 2)
//	defer stream.Close()
//	batch := stream.Next() // batch.Pixels, batch.Labels
//
// The package knows nothing of networks, devices or configuration files, never logs, and
// reaches for the network only in Fetch.
//
// The files:
//
//	catalogue, open, file, set, split        the known sets; reading one; what a set is
//	cifar, cifar100, idx, svhn, matfile      the publishers' formats (python, pickle: another of CIFAR's)
//	place                                    where their files are looked for
//	own, folder, gather, album, pictures     pictures of one's own (layout: where they lie; imagefile: what they show)
//	places                                   sets that come as pictures
//	loader, augment, noise, prefetch, batch  batches to train on
//	strong, autoaugment, canvas              what images undergo besides crop and flip (canvas_colour: of their colours)
//	distort, fit                             images made of a set's; a set in another size
//	eval, start                              images in order; starts of chains
//	fetch, download, archive, verify         bringing and checking files
//	inception                                where the weights of the judge of samples are
package data
