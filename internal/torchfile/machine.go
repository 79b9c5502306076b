package torchfile

import (
	"encoding/binary"
	"math"
)

// machine runs one pickle.
type machine struct {
	in       *source
	from     int64 // its first byte
	at       int64 // byte of the present instruction
	stack    []any
	made     int   // values pushed so far
	marks    []int // heights of the stack
	memo     map[uint64]any
	storages *storages
}

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
		if m.made > maxMade || len(m.marks) > maxDepth || in.pos-m.from > maxPickle {
			return nil, m.refuse("pickle of more than %d values, %d levels or %d bytes", maxMade, maxDepth, maxPickle)
		}
	}
}

func (m *machine) refuse(format string, args ...any) error { return refuse(m.at, format, args...) }

// step executes one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		return m.proto()
	case opFrame:
		_, err := m.in.number(8, "a frame's length")
		return err
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
	case opEmptySet, opFrozenSet:
		return m.setOf(op)
	case opMark:
		m.marks = append(m.marks, len(m.stack))
	case opInt, opInt1, opInt2, opLong1, opFloat:
		return m.number(op)
	case opUnicode, opUnicode1, opUnicode8, opString, opString1:
		return m.text(op)
	case opBytes, opBytes1, opBytes8, opByteArray:
		return m.raw(op)
	case opTuple, opTuple1, opTuple2, opTuple3:
		return m.tuple(op)
	case opAppend, opAppends, opSetItem, opSetItems, opAddItems:
		return m.fill(op)
	case opPut, opPutLong, opGet, opGetLong, opMemoize:
		return m.remember(op)
	case opGlobal, opStackGlobal:
		return m.global(op)
	case opReduce, opNewObject:
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

func (m *machine) push(v any) {
	m.stack = append(m.stack, v)
	m.made++
}

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
	if err == nil && (v < 2 || v > 5 || m.at != m.from) {
		return m.refuse("pickle protocol %d, want 2 to 5 at its begin", v)
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
	b, err := m.in.bytes(n, "an integer")
	if err != nil {
		return err
	}
	if n > 8 {
		m.push(long(b))
		return nil
	}
	var full [8]byte
	copy(full[:], b)
	unused := 64 - 8*uint(n)
	m.push(int64(binary.LittleEndian.Uint64(full[:])<<unused) >> unused)
	return nil
}

// global pushes a name, if it is an allowed one.
func (m *machine) global(op byte) error {
	module, name, err := m.named(op)
	if err != nil {
		return err
	}
	g, ok := lookup(module, name)
	if !ok {
		return m.refuse("the pickle wants Python's %q, which PyTorch's restricted loader refuses as well: save the state dict alone, torch.save(model.state_dict(), …)", module+"."+name)
	}
	m.push(g)
	return nil
}

// named reads a global's module and name.
func (m *machine) named(op byte) (module, name string, err error) {
	if op == opStackGlobal {
		pair, err := m.pop(2)
		if err != nil {
			return "", "", err
		}
		module, isString := pair[0].(string)
		name, areStrings := pair[1].(string)
		if !isString || !areStrings {
			return "", "", m.refuse("global without module and name")
		}
		return module, name, nil
	}
	if module, err = m.in.line(256, "a module's name"); err != nil {
		return "", "", err
	}
	name, err = m.in.line(256, "a global's name")
	return module, name, err
}

// remember moves values to and from the memo.
func (m *machine) remember(op byte) (err error) {
	i := uint64(len(m.memo))
	switch op {
	case opPut, opGet:
		i, err = m.in.number(1, "a place in the memo")
	case opPutLong, opGetLong:
		i, err = m.in.number(4, "a place in the memo")
	}
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
