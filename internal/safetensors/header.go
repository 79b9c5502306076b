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

	"jem/internal/fault"
)

// metadataKey is the one entry of the header that is no tensor.
const metadataKey = "__metadata__"

// entry is one tensor of the header; its data are bytes [start, end) after the header.
type entry struct {
	name       string
	dtype      string
	shape      []int
	start, end int64
}

// width is the size of a value in bytes; 0 for a type that isn't read.
func (e entry) width() int64 { return map[string]int64{"F32": 4, "I32": 4, "I64": 8}[e.dtype] }

// decodeHeader parses the header and checks that its entries, sorted by offset, cover
// exactly size bytes of data.
func decodeHeader(header []byte, size int64) ([]entry, error) {
	p := parser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	entries, err := p.header()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	sort.SliceStable(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		return a.start < b.start || a.start == b.start && a.end < b.end
	})
	var at int64
	for _, e := range entries {
		n, err := elements(e.shape)
		switch {
		case err != nil:
			return nil, in(e.name, err)
		case e.start != at || e.end != at+e.width()*int64(n):
			return nil, refuse("tensor %q: bytes [%d,%d) given, [%d,%d) expected for shape %v",
				e.name, e.start, e.end, at, at+e.width()*int64(n), e.shape)
		case e.end > size || e.end < at:
			return nil, refuse("tensor %q: ends at byte %d of %d", e.name, e.end, size)
		}
		at = e.end
	}
	if at != size {
		return nil, refuse("tensors end at byte %d, data at %d", at, size)
	}
	return entries, nil
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

func (p parser) header() (entries []entry, err error) {
	err = p.object(func(key string) error {
		if key == metadataKey {
			return p.object(func(string) error { _, err := p.text(); return err })
		}
		if len(entries) == MaxTensors {
			return refuse("more than %d tensors", MaxTensors)
		}
		e, err := p.entry(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := p.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the closing brace")
	}
	return entries, nil
}

func (p parser) entry(name string) (entry, error) {
	e := entry{name: name}
	fields := 0
	err := p.object(func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			e.dtype, err = p.text()
		case "shape":
			e.shape, err = p.numbers()
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
	case e.width() == 0:
		err = refuse("type %q is not supported, only F32, I32 and I64 are", e.dtype)
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
