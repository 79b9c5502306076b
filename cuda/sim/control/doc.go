// Package control lets a test look into the stand-in for the CUDA driver (cuda/sim) that it runs
// on: count calls, launches, copies and allocations, and order failures.
//
// Its own tests hold the stand-in to its strictness and ask the kernels what the conformance
// suite cannot: storage in bfloat16, replays of captured graphs, NaN, places beyond a grid. They
// link the driver, so they need the build tag cuda and the stand-in, or a card, at run time.
package control
