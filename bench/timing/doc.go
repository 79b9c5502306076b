// Package timing times whole training steps on pictures of noise, and what they take of memory.
//
// Times are of the wall clock. Reading images is not part of it, and no conclusions are drawn.
package timing
