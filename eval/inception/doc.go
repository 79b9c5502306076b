// Package inception is the Inception-v3 network of 2015 that the Inception Score and the FID
// are defined by, run forward only on a device: from images to 2048 pooled features and 1008
// logits.
//
// Its weights are the file that the community uses, pt_inception-2015-12-05, in which the
// published TensorFlow graph stands as a PyTorch state dict. The network differs from today's
// Inception-v3 (Szegedy et al. 2016) as that graph does: 1008 classes, average pools that
// don't count padding, and a maximum pool in the last block.
//
// A concatenation of channels is never made: a convolution over one is the sum of
// convolutions over its parts. Batch norms are folded into the convolutions.
//
// It knows neither training nor what the features are for.
//
//	w, err := Read(path)
//	net, err := New(dev, w, TensorFlow)
//	out, err := net.Run(images, 3, 32)
package inception
