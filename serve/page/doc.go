// Package page is what people see of a service: one page to which they give a picture, and the few requests
// by which it asks what the model makes of it.
//
// It opens no network and judges nothing: whoever serves hands it a Batcher and says what is known of
// the model. The page asks for nothing from anywhere else, and runs no script but its own.
//
//	page.go     the handler and its bounds         about.go      what the page is told of a model
//	score.go    what the model says of a picture   draw.go       which chains are asked for
//	follow.go   chains, a few steps a turn         events.go     server-sent events
//	picture.go  pictures in, pictures out          histogram.go  how log p(x) is distributed
//	decoder.go  pictures of files, within bounds
//	assets/     the page itself
package page
