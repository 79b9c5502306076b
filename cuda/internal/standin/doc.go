// Package standin speaks to the stand-in for the driver (cuda/sim) that a test runs on: its
// counters, and failures on order. On a real driver there is none.
//
// Only tests import it. Without the build tag cuda it is empty.
package standin
