// Package attack searches for small changes of images that a classifier answers wrongly, and
// so measures how far its accuracy can be trusted.
//
// It attacks anything that gives logits and gradients at images (Target), knows nothing of
// files and data sets, and is deterministic: random starts and the noise of stochastic
// predictors come from keys. Images are float32 in whatever range a Ball names; a network
// of this module takes [-1,1], in which one step of 1/255 is 2/255 wide.
//
//	target := NewRefined(device, RefinedOptions{…})
//	ball := Ball{Norm: LInf, Radius: 8 * 2.0 / 255}
//	result, err := PGD{Ball: ball, Steps: 40, Restarts: 20}.Run(target, images, labels, key)
//
// Attacks with gradients: PGD, APGD (cross-entropy or DLR). With logits or classes alone: Square,
// Boundary, Pointwise. Expected averages a target's randomness, Transfer takes another target's
// gradients, Curve measures accuracy against the radius.
//
// The files: attack says what an attack and a target are, loss what is climbed, search and vector what
// attacks in a ball share, oracle what those by classes alone do; pgd, apgd, square, boundary,
// pointwise and distal are one each; wrap has Expected and Transfer, refined the predictor JEM-k, curve
// the accuracy.
package attack
