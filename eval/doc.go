// Package eval asks how often a network is right: its accuracy, as it is and as JEM-k, which
// moves images up log p(x) before it answers. Each further question has a package below
// this one, with the same shape: Options, one call Measure(ctx, predictor, options, watch), a
// Result that names its subject and protocol, draws its charts and keeps notes for the user.
// A zero in Options stands for the usual value.
//
// It doesn't know how a network was trained, nor flags and files of results.
package eval
