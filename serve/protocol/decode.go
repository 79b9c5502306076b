package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// LengthHeader is the HTTP header that says how many bytes of a body are JSON, where binary tensors follow.
const LengthHeader = "Inference-Header-Content-Length"

// Request asks for an inference.
type Request struct {
	ID      string
	Inputs  []Tensor
	Outputs []Output // in the order asked for; none: all that there are
	Binary  bool     // tensors that Outputs doesn't name are wanted in binary form
}

// Output is a tensor that is asked for.
type Output struct {
	Name   string
	Binary bool
}

// Limits bound what a request may make of memory.
type Limits struct {
	Elements int // of a tensor of numbers
	Texts    int // of a tensor of BYTES
}

// What a request may have of each. Lists are arrays of a fixed size here, and objects structs, since a few bytes of JSON would
// else become a hundred of memory: what is beyond is read over.
const (
	mostInputs  = 8
	mostOutputs = 64
	mostSizes   = 32
)

type requestJSON struct {
	ID         string                       `json:"id"`
	Parameters parameters                   `json:"parameters"`
	Inputs     [mostInputs + 1]*inputJSON   `json:"inputs"`
	Outputs    [mostOutputs + 1]*outputJSON `json:"outputs"`
}

type inputJSON struct {
	Name       string          `json:"name"`
	Shape      sizes           `json:"shape"`
	Datatype   Datatype        `json:"datatype"`
	Parameters parameters      `json:"parameters"`
	Data       json.RawMessage `json:"data"`
}

type outputJSON struct {
	Name       string     `json:"name"`
	Parameters parameters `json:"parameters"`
}

// parameters are those that mean something here, of a request, an input or an output; nil where one isn't there.
type parameters struct {
	BinaryDataOutput json.RawMessage `json:"binary_data_output"`
	BinaryData       json.RawMessage `json:"binary_data"`
	BinaryDataSize   json.RawMessage `json:"binary_data_size"`
	Classification   json.RawMessage `json:"classification"`
}

// sizes are a shape.
type sizes []int

// UnmarshalJSON implements json.Unmarshaler.
func (s *sizes) UnmarshalJSON(text []byte) error {
	if bytes.Count(text, []byte{','}) >= mostSizes {
		return wrong("a shape has more than %d sizes", mostSizes)
	}
	return json.Unmarshal(text, (*[]int)(s))
}

// Decode reads a request's body. length is what LengthHeader says, empty where there is no such header: all of the body is
// JSON then. Binary tensors may share body's memory. The error is an *Error.
func Decode(length string, body []byte, l Limits) (*Request, error) {
	text, rest, err := parts(length, body)
	if err != nil {
		return nil, err
	}
	var in requestJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, wrong("the request is not the JSON of an inference request: %s", jsonFault(err))
	}
	r := &Request{ID: in.ID, Binary: flag(in.Parameters.BinaryDataOutput)}
	switch {
	case in.Inputs[0] == nil:
		return nil, wrong("the request has no inputs")
	case in.Inputs[mostInputs] != nil:
		return nil, wrong("the request has more than %d inputs", mostInputs)
	case in.Outputs[mostOutputs] != nil:
		return nil, wrong("the request names more than %d outputs", mostOutputs)
	}
	for _, t := range in.Inputs {
		if t == nil {
			break
		}
		var tensor Tensor
		if tensor, rest, err = t.decode(rest, l); err != nil {
			return nil, err
		}
		r.Inputs = append(r.Inputs, tensor)
	}
	if len(rest) > 0 {
		return nil, wrong("%d bytes follow that belong to no input", len(rest))
	}
	for _, o := range in.Outputs {
		if o == nil {
			break
		}
		binary := r.Binary
		if o.Parameters.BinaryData != nil {
			binary = flag(o.Parameters.BinaryData)
		}
		if o.Parameters.Classification != nil {
			return nil, wrong("output %s: the classification extension is not served here: ask for class and probabilities", quoted(o.Name))
		}
		r.Outputs = append(r.Outputs, Output{o.Name, binary})
	}
	return r, nil
}

// parts splits a body into JSON and what follows.
func parts(length string, body []byte) (text, rest []byte, err error) {
	if length == "" {
		return body, nil, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > len(body) {
		return nil, nil, wrong("%s: %s is not a length within the body's %d bytes", LengthHeader, quoted(length), len(body))
	}
	return body[:n], body[n:], nil
}

// decode reads a tensor, from its JSON or from the first bytes of rest.
func (t *inputJSON) decode(rest []byte, l Limits) (Tensor, []byte, error) {
	out := Tensor{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape}
	most := l.Elements
	switch t.Datatype {
	case FP32, UInt8:
	case Bytes:
		most = l.Texts
	case "":
		return out, nil, wrong("input %s has no datatype", quoted(t.Name))
	default:
		return out, nil, wrong("input %s has the datatype %s: FP32, UINT8 and BYTES are taken", quoted(t.Name), quoted(string(t.Datatype)))
	}
	n, ok := elements(t.Shape, most)
	if len(t.Shape) == 0 || !ok {
		return out, nil, wrong("input %s has the shape %v: sizes from 0 on, together at most %d elements, are taken", quoted(t.Name), shown(t.Shape), most)
	}
	size, binary, err := t.binarySize()
	switch {
	case err != nil:
		return out, nil, err
	case binary && len(t.Data) > 0:
		return out, nil, wrong("input %s has both data and binary_data_size", quoted(t.Name))
	case binary && size > len(rest):
		return out, nil, wrong("input %s is to have %d bytes of binary data, and %d are left", quoted(t.Name), size, len(rest))
	case binary:
		return out, rest[size:], out.fromBytes(rest[:size], n)
	case len(t.Data) == 0:
		return out, nil, wrong("input %s has neither data nor binary_data_size", quoted(t.Name))
	}
	return out, rest, out.fromJSON(t.Data, n)
}

// binarySize is the tensor's part of the bytes behind the JSON, and whether it is there.
func (t *inputJSON) binarySize() (size int, binary bool, err error) {
	said := t.Parameters.BinaryDataSize
	if said == nil {
		return 0, false, nil
	}
	if json.Unmarshal(said, &size) != nil || size < 0 {
		return 0, false, wrong("input %s: binary_data_size %s is no number of bytes", quoted(t.Name), quoted(string(said)))
	}
	return size, true, nil
}

// flag is whether a parameter is true.
func flag(parameter json.RawMessage) bool {
	var v bool
	return json.Unmarshal(parameter, &v) == nil && v
}

// jsonFault says where JSON is wrong without the words of a package.
func jsonFault(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return "at byte " + strconv.FormatInt(syntax.Offset, 10) + " " + syntax.Error()
	case errors.As(err, &kind):
		field := kind.Field
		if field == "" {
			field = "the document"
		}
		return field + " is a " + kind.Value
	}
	return err.Error()
}

// quoted is what a client wrote, for a message: short, and nothing that could be taken for more than text.
func quoted(text string) string {
	const most = 64
	text = strings.ToValidUTF8(text[:min(len(text), 4*most)], "?")
	if len(text) > most {
		cut := most
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strconv.Quote(text)
}

// shown is a shape of not too many sizes.
func shown(shape []int) []int { return shape[:min(len(shape), 8)] }
