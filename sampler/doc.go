// Package sampler draws from a density whose gradient it is given: stochastic gradient
// Langevin dynamics (SGLD) from a replay buffer of persistent chains.
//
// It knows devices and a gradient of a log-density, not networks, labels' meaning or
// losses.
package sampler
