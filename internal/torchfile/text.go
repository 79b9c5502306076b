package torchfile

import "unicode/utf8"

// lengthBytes is the size of the length before a string or bytes, by instruction.
var lengthBytes = map[byte]int64{
	opUnicode: 4, opUnicode1: 1, opUnicode8: 8,
	opString: 4, opString1: 1,
	opBytes: 4, opBytes1: 1, opBytes8: 8, opByteArray: 8,
}

// text pushes a string; what is too long to be a name counts as something that is no weight.
func (m *machine) text(op byte) error {
	n, err := m.in.number(lengthBytes[op], "a string's length")
	if err != nil {
		return err
	}
	if n > maxString {
		m.push(other("a long text"))
		return m.in.skip(clamp(n), "a string")
	}
	b, err := m.in.bytes(int64(n), "a string")
	switch {
	case err != nil:
		return err
	case utf8.Valid(b):
		m.push(string(b))
	case op == opString || op == opString1: // Python 2 has one type for text and bytes
		m.push(other("bytes"))
	default:
		return m.refuse("string that is not UTF-8")
	}
	return nil
}

// raw passes over bytes, which are never weights.
func (m *machine) raw(op byte) error {
	n, err := m.in.number(lengthBytes[op], "a length of bytes")
	if err != nil {
		return err
	}
	m.push(other("bytes"))
	return m.in.skip(clamp(n), "bytes")
}

// clamp is a length as int64, negative where it is beyond any file.
func clamp(n uint64) int64 {
	if int64(n) < 0 {
		return -1
	}
	return int64(n)
}
