// Package onnx writes a network as an ONNX model (opset 17), so that other runtimes
// compute what the network here computes.
//
//	input   image        (N,C,size,size)  pixels in [0,1]; the graph maps them to [-1,1] by 2x − 1
//	output  logits       (N,K)            f(x)
//	        log_density  (N)              log p(x) + log Z = LogSumExp f(x)
//	        features     (N,64·width)     what the last linear layer sees
//
// The format is protocol buffers (https://github.com/onnx/onnx, onnx.proto); the few
// messages in use are written by hand. The package can't read.
package onnx

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of onnx.proto's messages.
const (
	modelIRVersion, modelProducer, modelGraph, modelOpset, modelMetadata      = 1, 2, 7, 8, 14
	propKey, propValue                                                        = 1, 2
	opsetVersion                                                              = 2
	graphNode, graphName, graphInitializer, graphDoc, graphInput, graphOutput = 1, 2, 5, 10, 11, 12
	nodeInput, nodeOutput, nodeName, nodeOp, nodeAttribute                    = 1, 2, 3, 4, 5
	attrName, attrFloat, attrInt, attrInts, attrType                          = 1, 2, 3, 8, 20
	tensorDims, tensorType, tensorName, tensorRaw                             = 1, 2, 8, 9
	valueName, valueType                                                      = 1, 2
	typeTensor, tensorElem, tensorShape                                       = 1, 1, 2
	shapeDim, dimValue, dimParam                                              = 1, 1, 2
)

// Values of enumerations there.
const (
	irVersion  = 8
	opset      = 17
	floats     = 1 // TensorProto.FLOAT
	attrIsF    = 1
	attrIsI    = 2
	attrIsInts = 7
)

// message is a protocol buffer under construction.
type message []byte

func (m *message) int(field protowire.Number, v int) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) float(field protowire.Number, bits uint32) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed32Type)
	*m = protowire.AppendFixed32(*m, bits)
}

func (m *message) text(field protowire.Number, s string) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendString(*m, s)
}

func (m *message) message(field protowire.Number, sub message) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, sub)
}

// head begins a field of n bytes that follow.
func (m *message) head(field protowire.Number, n int) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendVarint(*m, uint64(n))
}
