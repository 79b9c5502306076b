// Package metrics computes the figures that classifiers, density models and samplers are
// judged by: accuracy, proper scores, calibration errors, detection of out-of-distribution
// images, and distances between sets of images.
//
// All functions are pure, in float64, and deterministic; they know neither networks nor
// devices nor files. Each states its convention where the literature has several, because
// the same name stands for different numbers in different programs. Input for which a figure
// is not defined (no rows, one class missing, a number that is not finite, lengths that
// differ) gives an error that is ErrInput by errors.Is, never a NaN.
//
//	p, err := metrics.Softmax(logits)
//	r, err := metrics.Reliable(p, labels, metrics.Bins)
//	fmt.Println(r.ECE(), r.MCE())
//
// The files: table is their matrix; classify, calibration, temperature of classifiers; detect, gaussian,
// bank of scores that tell images apart; convergence of chains; moments, frechet, frechet_state, kernel,
// inception, manifold of sets of images.
package metrics
