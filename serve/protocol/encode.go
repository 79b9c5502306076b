package protocol

import (
	"encoding/json"
	"strconv"
)

// Response answers an inference.
type Response struct {
	Model, Version, ID string
	Outputs            []Tensor
	Binary             []bool // of each output: behind the JSON
}

// Encode writes a response. jsonLength is what LengthHeader is to say; 0 where no bytes follow the JSON. Numbers must be
// finite where they are not binary. Strings of BYTES are text in JSON, whose bytes that are no UTF-8 are replaced.
func (r *Response) Encode() (body []byte, jsonLength int) {
	b := append([]byte(nil), `{"model_name":`...)
	b = appendText(b, r.Model)
	b = append(b, `,"model_version":`...)
	b = appendText(b, r.Version)
	if r.ID != "" {
		b = append(b, `,"id":`...)
		b = appendText(b, r.ID)
	}
	b = append(b, `,"outputs":[`...)
	var rest []byte
	binary := false
	for i := range r.Outputs {
		if i > 0 {
			b = append(b, ',')
		}
		if !r.Binary[i] {
			b = append(r.Outputs[i].appendHead(b), `,"data":[`...)
			b = append(r.Outputs[i].appendValues(b), ']', '}')
			continue
		}
		binary = true
		before := len(rest)
		rest = r.Outputs[i].appendBytes(rest)
		b = append(r.Outputs[i].appendHead(b), `,"parameters":{"binary_data_size":`...)
		b = append(strconv.AppendInt(b, int64(len(rest)-before), 10), '}', '}')
	}
	b = append(b, ']', '}')
	if !binary {
		return b, 0
	}
	return append(b, rest...), len(b)
}

// appendHead writes a tensor's object up to its datatype.
func (t *Tensor) appendHead(b []byte) []byte {
	b = appendText(append(b, `{"name":`...), t.Name)
	b = append(b, `,"shape":[`...)
	for i, d := range t.Shape {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(d), 10)
	}
	return appendText(append(b, `],"datatype":`...), string(t.Datatype))
}

// appendValues writes a tensor's elements as JSON, with commas.
func (t *Tensor) appendValues(b []byte) []byte {
	begin := len(b)
	next := func() {
		if len(b) > begin {
			b = append(b, ',')
		}
	}
	for _, v := range t.F32 {
		next()
		b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
	}
	for _, v := range t.F64 {
		next()
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	for _, v := range t.I64 {
		next()
		b = strconv.AppendInt(b, v, 10)
	}
	for _, v := range t.U8 {
		next()
		if t.Datatype == Bool {
			b = strconv.AppendBool(b, v != 0)
		} else {
			b = strconv.AppendUint(b, uint64(v), 10)
		}
	}
	for _, v := range t.Texts {
		next()
		b = appendText(b, string(v))
	}
	return b
}

func appendText(b []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be written
	}
	return append(b, quoted...)
}
