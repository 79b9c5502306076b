// Package predict is a trained network that answers: logits, log p(x), gradients, features,
// samples. It is opened from a run's checkpoint or from a file of weights; each answer can
// say its Subject, the network, and its Protocol, how it came about.
//
// It trains nothing and judges nothing: a program that only asks a network links no trainer and
// no attack.
//
//	predictor.go   a Predictor from a run        weights.go    from a file; into a run folder
//	evaluate.go    a batch through the network   outputs.go    a whole set: logits, gradients, features
//	score.go       class, log p(x), approximate mass of any images
//	responder.go   ∂ log p(x)/∂x                 odin.go       the score of ODIN
//	draw.go        samples by SGLD               samples.go    in order, with what the model sees
//	chain.go       the chains beneath them       grid.go       as pictures
//	answerer.go    batch after batch, for a service
//	subject.go     what was asked, and how       tensors.go    a run's tensors by name, sizes.go what they say
//	watch.go       how far something has come
package predict
