// Package chains asks what SGLD chains do in the long run: whether log p(x) settles, how far they
// wander, how independent what they give is.
//
// It changes nothing of the run whose chains it follows.
package chains
