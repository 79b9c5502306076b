// Package serve answers over HTTP what a network says of images: the Open Inference Protocol's REST form, figures
// for Prometheus, and the page for people.
//
// It opens no network and fits nothing: it is handed a batch.Batcher, whose models bring an About. It writes no log: who
// wants one is told of each answer.
//
//	server.go   the Server: what it is made of, paths     guard.go    who may ask, and how much
//	infer.go    an inference from bytes to bytes          inputs.go   tensors and pictures that a network takes
//	outputs.go  what can be asked for                     refuse.go   why there is no answer, with its status
//	figures.go  for Prometheus                            follow.go   each answer, as it is told to others
package serve
