package protocol

import "fmt"

// Datatype is how a tensor's elements are written.
type Datatype string

// The datatypes that are read or written here, of those that the protocol has.
const (
	Bool  Datatype = "BOOL"
	UInt8 Datatype = "UINT8"
	Int64 Datatype = "INT64"
	FP32  Datatype = "FP32"
	FP64  Datatype = "FP64"
	Bytes Datatype = "BYTES"
)

// Tensor is a named tensor, row-major. Of its values one field is in use, by its datatype.
type Tensor struct {
	Name     string
	Datatype Datatype
	Shape    []int

	F32   []float32 // FP32
	F64   []float64 // FP64
	I64   []int64   // INT64
	U8    []byte    // UINT8, and BOOL as 0 and 1
	Texts [][]byte  // BYTES: strings, or any bytes
}

// Error says what is wrong with a request, in one sentence.
type Error struct{ Sentence string }

func (e *Error) Error() string { return e.Sentence }

func wrong(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// elements is the product of a shape whose sizes are at least 0; false if one is below that or there are more than most.
func elements(shape []int, most int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 || d != 0 && n > most/d {
			return 0, false
		}
		n *= d
	}
	return n, n <= most
}
