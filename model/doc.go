// Package model holds the networks and the joint energy head: from images to logits,
// from logits to log p(x), log p(x,y) and p(y|x), and the gradients of all of them.
//
// It knows devices through package backend only. It does not know samplers, data or
// optimisers: whoever follows a gradient of the log-density can use it.
package model
