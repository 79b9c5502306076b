package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"jem/internal/dtype"
	"jem/internal/fault"
)

// metadataKey is the one entry of the header that is no tensor.
const metadataKey = "__metadata__"

// Entry is one tensor of the header.
type Entry struct {
	Name  string
	Type  dtype.Type
	Shape []int

	start, end int64 // its data are these bytes after the header
}

// types by their names in the header.
var types = map[string]dtype.Type{
	"F32": dtype.Float32, "F64": dtype.Float64, "F16": dtype.Float16, "BF16": dtype.BFloat16, "I64": dtype.Int64, "I32": dtype.Int32,
	"I16": dtype.Other("int16", 2), "I8": dtype.Other("int8", 1), "BOOL": dtype.Other("bool", 1),
	"U8": dtype.Other("uint8", 1), "U16": dtype.Other("uint16", 2), "U32": dtype.Other("uint32", 4), "U64": dtype.Other("uint64", 8),
	"F8_E5M2": dtype.Other("float8_e5m2", 1), "F8_E4M3": dtype.Other("float8_e4m3fn", 1), "F8_E8M0": dtype.Other("float8_e8m0fnu", 1),
	"C64": dtype.Other("complex64", 8),
}

// decodeHeader parses the header and checks that its entries, sorted by offset, cover
// exactly size bytes of data.
func decodeHeader(header []byte, size int64) ([]Entry, map[string]string, error) {
	p := parser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	entries, about, err := p.header()
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	sort.SliceStable(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		return a.start < b.start || a.start == b.start && a.end < b.end
	})
	var at int64
	for _, e := range entries {
		n, err := elements(e.Shape)
		switch {
		case err != nil:
			return nil, nil, in(e.Name, err)
		case e.start != at || e.end != at+e.Type.Size*int64(n):
			return nil, nil, refuse("tensor %q: bytes [%d,%d) given, [%d,%d) expected for shape %v",
				e.Name, e.start, e.end, at, at+e.Type.Size*int64(n), e.Shape)
		case e.end > size || e.end < at:
			return nil, nil, refuse("tensor %q: ends at byte %d of %d", e.Name, e.end, size)
		}
		at = e.end
	}
	if at != size {
		return nil, nil, refuse("tensors end at byte %d, data at %d", at, size)
	}
	return entries, about, nil
}

// refuse is a complaint about the file, whose values it cuts short.
func refuse(format string, args ...any) error { return errors.New(fault.Sprintf(format, args...)) }

// in says which tensor a complaint is about.
func in(name string, err error) error { return fmt.Errorf("tensor %s: %w", fault.Quote(name), err) }

// tokenText is a token of JSON for a message.
func tokenText(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		return t.String()
	case json.Number:
		return strings.Trim(fault.Quote(t), `"`)
	}
	return fault.Quote(t)
}

// parser reads the header token by token, because decoding into structs would hide
// what two readers may understand differently: repeated keys, keys in other case.
type parser struct{ *json.Decoder }

func (p parser) header() (entries []Entry, about map[string]string, err error) {
	err = p.object(func(key string) error {
		if key == metadataKey {
			about = map[string]string{}
			return p.object(func(key string) (err error) {
				if about[key], err = p.text(); len(about) > MaxTensors {
					return refuse("more than %d texts", MaxTensors)
				}
				return err
			})
		}
		if len(entries) == MaxTensors {
			return refuse("more than %d tensors", MaxTensors)
		}
		e, err := p.entry(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the closing brace")
	}
	return entries, about, nil
}

func (p parser) entry(name string) (Entry, error) {
	e, kind := Entry{Name: name}, ""
	fields, known := 0, false
	err := p.object(func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			kind, err = p.text()
			e.Type, known = types[kind]
		case "shape":
			e.Shape, err = p.numbers()
		case "data_offsets":
			var o []int
			if o, err = p.numbers(); err == nil && len(o) != 2 {
				return refuse("%d data_offsets, want 2", len(o))
			}
			if err == nil {
				e.start, e.end = int64(o[0]), int64(o[1])
			}
		default:
			return refuse("unknown key %q", key)
		}
		return err
	})
	switch {
	case err != nil:
	case name == "":
		err = errors.New("empty name")
	case fields != 3:
		err = errors.New("dtype, shape and data_offsets are not all there")
	case !known:
		err = refuse("type %q is not one of the format's", kind)
	}
	if err != nil {
		return e, in(name, err)
	}
	return e, nil
}

// object reads `{ key: value, … }`; value reads one value. Keys are unique.
func (p parser) object(value func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.More() {
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return refuse("key %q appears twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return p.delim('}')
}

func (p parser) numbers() (list []int, err error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	for p.More() {
		token, err := p.Token()
		if err != nil {
			return nil, err
		}
		number, _ := token.(json.Number)
		n, err := strconv.ParseUint(number.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, refuse("%s where a size was expected", tokenText(token))
		}
		if len(list) == maxRank {
			return nil, refuse("more than %d dimensions", maxRank)
		}
		list = append(list, int(n))
	}
	return list, p.delim(']')
}

func (p parser) text() (string, error) {
	token, err := p.Token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", refuse("%s where a string was expected", tokenText(token))
	}
	return s, nil
}

func (p parser) delim(want json.Delim) error {
	token, err := p.Token()
	if err != nil {
		return err
	}
	if token != want {
		return refuse("%s where %s was expected", tokenText(token), want)
	}
	return nil
}
