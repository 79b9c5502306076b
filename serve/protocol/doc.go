// Package protocol is the REST form of the Open Inference Protocol, version 2, with the binary tensor data
// extension (https://github.com/kserve/open-inference-protocol; Triton's extension_binary_data): requests from
// bytes, answers to bytes, and the documents about a server and a model.
//
// It knows no network and no connection. What a request says that can't be is an *Error with one sentence.
//
//	tensor.go    tensors by name and datatype     metadata.go  documents about a server and its model
//	decode.go    a request from JSON and bytes    numbers.go   tensors of JSON numbers, of strings
//	binary.go    tensors of bytes                 encode.go    an answer to JSON and bytes
package protocol
