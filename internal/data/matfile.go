package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"

	"jem/internal/fault"
)

// The parts of the MATLAB level 5 MAT-file format that numeric arrays need (MathWorks,
// "MAT-File Format"): a header of 128 bytes, then elements of type, size and padded content.
const (
	matInt8, matUint8, matInt16, matUint16 = 1, 2, 3, 4
	matInt32, matUint32                    = 5, 6
	matSingle, matDouble                   = 7, 9
	matMatrix, matCompressed               = 14, 15
	matHeader                              = 128
	matMaxVars                             = 64
	matComplex                             = 0x0800 // flag
)

// matArray is a numeric array in column-major order.
type matArray struct {
	name    string
	dims    []int
	kind    uint32 // of the stored elements
	complex bool   // an imaginary part follows, which is not read
	data    []byte // aliases what was read
	order   binary.ByteOrder
}

// readMAT returns the numeric arrays of a file by name; others are passed over. Compressed
// elements may unpack to limit bytes together.
func readMAT(file []byte, limit int64) (map[string]*matArray, error) {
	if len(file) < matHeader {
		return nil, fault.Badf("%d bytes, a MATLAB header has %d: the file is cut; get it again", len(file), matHeader)
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(file[126:128]) {
	case "IM":
	case "MI":
		order = binary.BigEndian
	default:
		return nil, fault.Badf("no MATLAB v5 file (version 7.3, which is HDF5, can't be read)")
	}
	vars := map[string]*matArray{}
	for rest, n := file[matHeader:], 0; len(rest) > 0; n++ {
		if n == matMaxVars {
			return nil, fault.Badf("more than %d variables", matMaxVars)
		}
		var e matElement
		var err error
		if e, rest, err = nextElement(rest, order); err != nil {
			return nil, err
		}
		if e.kind == matCompressed {
			if e, limit, err = inflate(e.data, order, limit); err != nil {
				return nil, err
			}
		}
		if e.kind != matMatrix {
			continue
		}
		if a, err := parseMatrix(e.data, order); err != nil {
			return nil, err
		} else if a != nil {
			if vars[a.name] != nil {
				return nil, fault.Badf("variable %q is there twice", a.name)
			}
			vars[a.name] = a
		}
	}
	return vars, nil
}

// matElement is one tagged piece of a file.
type matElement struct {
	kind uint32
	data []byte
}

// nextElement splits the first element off b. Small ones hold up to 4 bytes within the tag;
// content is padded to 8 bytes, except compressed content.
func nextElement(b []byte, order binary.ByteOrder) (e matElement, rest []byte, err error) {
	if len(b) < 8 {
		return e, nil, fault.Badf("%d bytes where a MATLAB element begins: the file is cut; get it again", len(b))
	}
	kind, size := order.Uint32(b), uint64(order.Uint32(b[4:]))
	if small := kind >> 16; small != 0 {
		if small > 4 {
			return e, nil, fault.Badf("small MATLAB element of %d bytes, at most 4 fit", small)
		}
		return matElement{kind & 0xffff, b[4 : 4+small]}, b[8:], nil
	}
	if size > uint64(len(b)-8) {
		return e, nil, fault.Badf("MATLAB element of %d bytes, but only %d are left: the file is cut; get it again", size, len(b)-8)
	}
	end := 8 + size
	if kind != matCompressed {
		end = min((end+7)&^7, uint64(len(b)))
	}
	return matElement{kind, b[8 : 8+size]}, b[end:], nil
}

// inflate unpacks a compressed element and returns the element within and what is left of limit.
func inflate(packed []byte, order binary.ByteOrder, limit int64) (matElement, int64, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return matElement{}, 0, unreadable(err, "compressed MATLAB element")
	}
	content, err := readCapped(z, inflated(int64(len(packed)), limit))
	if err != nil {
		return matElement{}, 0, err
	}
	e, _, err := nextElement(content, order)
	return e, limit - int64(len(content)), err
}

// parseMatrix reads a matrix element: flags, dimensions, name, real part. It returns nil for
// what is no plain numeric array (cells, structures, text).
func parseMatrix(b []byte, order binary.ByteOrder) (*matArray, error) {
	var parts [4]matElement
	for i := range parts {
		var err error
		if parts[i], b, err = nextElement(b, order); err != nil {
			return nil, err
		}
		if i == 0 && (len(parts[0].data) < 4 || !numericClass(order.Uint32(parts[0].data)&0xff)) {
			return nil, nil
		}
	}
	a := &matArray{name: string(parts[2].data), kind: parts[3].kind, data: parts[3].data, order: order,
		complex: order.Uint32(parts[0].data)&matComplex != 0}
	elements := uint64(1)
	if len(parts[1].data) > 8*4 || parts[1].kind != matInt32 {
		return nil, fault.Badf("variable %q: dimensions of type %d in %d bytes, want int32 and at most 8", a.name, parts[1].kind, len(parts[1].data))
	}
	for d := parts[1].data; len(d) >= 4; d = d[4:] {
		n := order.Uint32(d)
		if elements *= uint64(n); n > math.MaxInt32 || elements > math.MaxInt32*2 {
			return nil, fault.Badf("variable %q: dimension %d is too large", a.name, n)
		}
		a.dims = append(a.dims, int(n))
	}
	width := matWidth(a.kind)
	if width == 0 || elements*uint64(width) != uint64(len(a.data)) {
		return nil, fault.Badf("variable %q: %d bytes of type %d for dimensions %v", a.name, len(a.data), a.kind, a.dims)
	}
	return a, nil
}

// numericClass holds for the array classes double (6) to uint64 (15).
func numericClass(class uint32) bool { return class >= 6 && class <= 15 }

// matWidth is the size of an element in bytes, 0 for types that aren't read.
func matWidth(kind uint32) int {
	switch kind {
	case matInt8, matUint8:
		return 1
	case matInt16, matUint16:
		return 2
	case matInt32, matUint32, matSingle:
		return 4
	case matDouble:
		return 8
	}
	return 0
}

// integers returns the elements, which must be whole numbers.
func (a *matArray) integers() ([]int, error) {
	width := matWidth(a.kind)
	vs := make([]int, len(a.data)/width)
	for i := range vs {
		v := a.element(a.data[i*width:])
		if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
			return nil, fault.Badf("variable %q: element %d is %v, want a whole number", a.name, i, v)
		}
		vs[i] = int(v)
	}
	return vs, nil
}

// element decodes the first element of b.
func (a *matArray) element(b []byte) float64 {
	switch a.kind {
	case matInt8:
		return float64(int8(b[0]))
	case matUint8:
		return float64(b[0])
	case matInt16:
		return float64(int16(a.order.Uint16(b)))
	case matUint16:
		return float64(a.order.Uint16(b))
	case matInt32:
		return float64(int32(a.order.Uint32(b)))
	case matUint32:
		return float64(a.order.Uint32(b))
	case matSingle:
		return float64(math.Float32frombits(a.order.Uint32(b)))
	default:
		return math.Float64frombits(a.order.Uint64(b))
	}
}
