package protocol

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
)

// fromJSON reads n elements of a JSON array, flat or nested as the shape is. Strings of BYTES are base64.
func (t *Tensor) fromJSON(raw []byte, n int) error {
	p := &reader{raw: raw, t: t}
	switch t.Datatype {
	case FP32:
		t.F32 = make([]float32, 0, min(n, len(raw)/2+1))
	case UInt8:
		t.U8 = make([]byte, 0, min(n, len(raw)/2+1))
	}
	nested := false
	if at := p.after('['); at < len(raw) {
		nested = raw[at] == '['
	}
	shape := []int{n}
	if nested {
		shape = t.Shape
	}
	return p.list(shape)
}

// reader walks through a JSON value that is known to be well formed.
type reader struct {
	raw []byte
	at  int
	t   *Tensor
}

// after is the place of what follows the first byte, which is to be b; the end if it isn't.
func (p *reader) after(b byte) int {
	if len(p.raw) == 0 || p.raw[0] != b {
		return len(p.raw)
	}
	return p.skip(1)
}

func (p *reader) skip(at int) int {
	for at < len(p.raw) && (p.raw[at] == ' ' || p.raw[at] == '\n' || p.raw[at] == '\t' || p.raw[at] == '\r') {
		at++
	}
	return at
}

// list reads an array of the first size of a shape, and of arrays of the others.
func (p *reader) list(shape []int) error {
	p.at = p.skip(p.at)
	if p.raw[p.at] != '[' {
		return wrong("input %s: its data have a %s where its shape %v has an array", quoted(p.t.Name), p.kind(), shown(p.t.Shape))
	}
	p.at = p.skip(p.at + 1)
	n := 0
	for ; p.raw[p.at] != ']'; n++ {
		if n == shape[0] {
			break
		}
		if err := p.element(shape[1:]); err != nil {
			return err
		}
		if p.at = p.skip(p.at); p.raw[p.at] == ',' {
			p.at = p.skip(p.at + 1)
		}
	}
	if n != shape[0] || p.raw[p.at] != ']' {
		return wrong("input %s: an array of its data doesn't have the %d elements that its shape %v says", quoted(p.t.Name), shape[0], shown(p.t.Shape))
	}
	p.at++
	return nil
}

// element reads an array, or a value where the shape has ended.
func (p *reader) element(shape []int) error {
	if len(shape) > 0 {
		return p.list(shape)
	}
	if p.t.Datatype == Bytes {
		return p.text()
	}
	end := p.at
	for c := p.raw[end]; c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E' || c >= '0' && c <= '9'; c = p.raw[end] {
		end++
	}
	if end == p.at {
		return wrong("input %s: its data have a %s where a number is wanted", quoted(p.t.Name), p.kind())
	}
	word := string(p.raw[p.at:end])
	p.at = end
	return p.number(word)
}

func (p *reader) number(word string) error {
	if p.t.Datatype == FP32 {
		v, err := strconv.ParseFloat(word, 32)
		if err != nil || math.IsInf(v, 0) {
			return wrong("input %s: %s is no FP32", quoted(p.t.Name), quoted(word))
		}
		p.t.F32 = append(p.t.F32, float32(v))
		return nil
	}
	v, err := strconv.ParseUint(word, 10, 8)
	if err != nil {
		return wrong("input %s: %s is no UINT8", quoted(p.t.Name), quoted(word))
	}
	p.t.U8 = append(p.t.U8, byte(v))
	return nil
}

// text reads a string of base64.
func (p *reader) text() error {
	if p.raw[p.at] != '"' {
		return wrong("input %s: its data have a %s where a string is wanted", quoted(p.t.Name), p.kind())
	}
	end := p.at + 1
	for p.raw[end] != '"' {
		if p.raw[end] == '\\' {
			end++
		}
		end++
	}
	end++
	var word string
	if err := json.Unmarshal(p.raw[p.at:end], &word); err != nil {
		return wrong("input %s: a string of its data can't be read", quoted(p.t.Name))
	}
	b, err := base64.StdEncoding.DecodeString(word)
	if err != nil {
		return wrong("input %s: element %d is not base64, as bytes are written in JSON", quoted(p.t.Name), len(p.t.Texts)+1)
	}
	p.t.Texts = append(p.t.Texts, b)
	p.at = end
	return nil
}

// kind names what stands at the present place.
func (p *reader) kind() string {
	switch p.raw[p.at] {
	case '[':
		return "array"
	case '{':
		return "object"
	case '"':
		return "string"
	case 't', 'f':
		return "truth value"
	case 'n':
		return "null"
	}
	return "number"
}
