package torchfile

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Instructions of the pickle machine (Python's pickletools describes them) that a state
// dict needs.
const (
	opMark       = '('
	opStop       = '.'
	opProto      = 0x80
	opNone       = 'N'
	opTrue       = 0x88
	opFalse      = 0x89
	opInt        = 'J' // 4 bytes, signed
	opInt1       = 'K'
	opInt2       = 'M'
	opLong1      = 0x8a
	opFloat      = 'G'
	opUnicode    = 'X'
	opEmptyDict  = '}'
	opEmptyList  = ']'
	opEmptyTuple = ')'
	opTuple      = 't'
	opTuple1     = 0x85
	opTuple2     = 0x86
	opTuple3     = 0x87
	opAppend     = 'a'
	opAppends    = 'e'
	opSetItem    = 's'
	opSetItems   = 'u'
	opPut        = 'q'
	opPutLong    = 'r'
	opGet        = 'h'
	opGetLong    = 'j'
	opGlobal     = 'c'
	opReduce     = 'R'
	opBuild      = 'b'
	opPersID     = 'Q'
)

// machine runs one pickle.
type machine struct {
	in       *source
	from     int64 // its first byte
	at       int64 // byte of the present instruction
	stack    []any
	marks    []int // heights of the stack
	memo     map[uint64]any
	storages *storages
}

// storages are those that a file's pickle has named, in order.
type storages struct {
	list  []*storage
	byKey map[string]*storage
	size  int64 // bytes of the file, which holds them all
}

func newStorages(size int64) *storages { return &storages{byKey: map[string]*storage{}, size: size} }

// run executes a pickle up to its STOP and returns its value.
func run(in *source, s *storages) (any, error) {
	m := &machine{in: in, from: in.pos, memo: map[uint64]any{}, storages: s}
	for {
		m.at = in.pos
		op, err := in.byte("an instruction")
		if err != nil {
			return nil, err
		}
		if op == opStop {
			if len(m.stack) != 1 || len(m.marks) != 0 {
				return nil, m.refuse("the pickle stops with %d values, want 1", len(m.stack))
			}
			return m.stack[0], nil
		}
		if err := m.step(op); err != nil {
			return nil, err
		}
		if len(m.stack) > maxMemo || len(m.marks) > maxDepth || in.pos-m.from > maxPickle {
			return nil, m.refuse("pickle of more than %d values, %d levels or %d bytes", maxMemo, maxDepth, maxPickle)
		}
	}
}

func (m *machine) refuse(format string, args ...any) error { return refuse(m.at, format, args...) }

// step executes one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		return m.proto()
	case opNone:
		m.push(nil)
	case opTrue, opFalse:
		m.push(op == opTrue)
	case opEmptyDict:
		m.push(newDict())
	case opEmptyList:
		m.push(&list{depth: 1})
	case opEmptyTuple:
		m.push(&tuple{depth: 1})
	case opMark:
		m.marks = append(m.marks, len(m.stack))
	case opInt, opInt1, opInt2, opLong1, opFloat:
		return m.number(op)
	case opUnicode:
		return m.unicode()
	case opTuple, opTuple1, opTuple2, opTuple3:
		return m.tuple(op)
	case opAppend, opAppends, opSetItem, opSetItems:
		return m.fill(op)
	case opPut, opPutLong, opGet, opGetLong:
		return m.remember(op)
	case opGlobal:
		return m.global()
	case opReduce:
		return m.reduce()
	case opBuild:
		return m.build()
	case opPersID:
		return m.persistent()
	default:
		return m.refuse("pickle instruction 0x%02x is not one that a state dict needs", op)
	}
	return nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// floor is the height below which the stack belongs to what stands before the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// pop takes n values off the stack, in the order in which they were pushed.
func (m *machine) pop(n int) ([]any, error) {
	if len(m.stack)-n < m.floor() {
		return nil, m.refuse("pickle instruction wants %d values, the stack has %d", n, len(m.stack)-m.floor())
	}
	items := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return append([]any{}, items...), nil
}

// popMark takes everything above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, m.refuse("pickle instruction wants a mark, there is none")
	}
	items, err := m.pop(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return items, err
}

func (m *machine) proto() error {
	v, err := m.in.byte("the pickle's protocol")
	if err == nil && (v < 2 || v > 3 || m.at != m.from) {
		return m.refuse("pickle protocol %d, want 2 or 3 at its begin", v)
	}
	return err
}

// number pushes an integer or a float.
func (m *machine) number(op byte) error {
	size := int64(map[byte]int{opInt: 4, opInt1: 1, opInt2: 2, opLong1: 1, opFloat: 8}[op])
	v, err := m.in.number(size, "a number")
	if err != nil {
		return err
	}
	switch op {
	case opInt:
		m.push(int64(int32(v)))
	case opFloat: // the only big-endian one
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b[:])))
	case opLong1:
		return m.long(int64(v))
	default:
		m.push(int64(v))
	}
	return nil
}

// long pushes an integer of n bytes in two's complement.
func (m *machine) long(n int64) error {
	if n > 8 {
		return m.refuse("integer of %d bytes, want at most 8", n)
	}
	v, err := m.in.number(n, "an integer")
	if err != nil {
		return err
	}
	unused := 64 - 8*uint(n)
	m.push(int64(v<<unused) >> unused)
	return nil
}

func (m *machine) unicode() error {
	n, err := m.in.number(4, "a string's length")
	if err != nil {
		return err
	}
	if n > maxString {
		return m.refuse("string of %d bytes, want at most %d", n, maxString)
	}
	b, err := m.in.bytes(int64(n), "a string")
	if err == nil && !utf8.Valid(b) {
		return m.refuse("string that is not UTF-8")
	}
	m.push(string(b))
	return err
}

// remember moves values to and from the memo.
func (m *machine) remember(op byte) error {
	size := int64(1)
	if op == opPutLong || op == opGetLong {
		size = 4
	}
	i, err := m.in.number(size, "a place in the memo")
	if err != nil {
		return err
	}
	if op == opGet || op == opGetLong {
		v, ok := m.memo[i]
		if !ok {
			return m.refuse("pickle asks for value %d, which it never remembered", i)
		}
		m.push(v)
		return nil
	}
	if i >= maxMemo || len(m.stack) == m.floor() {
		return m.refuse("pickle remembers value %d: want one below %d, and a value", i, maxMemo)
	}
	m.memo[i] = m.stack[len(m.stack)-1]
	return nil
}
