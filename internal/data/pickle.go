package data

import (
	"bytes"
	"encoding/binary"

	"jem/internal/fault"
)

// Bounds on a pickle: those published push 300,000 values, three levels deep.
const (
	maxPickled = 1 << 20 // values that are pushed, at most
	maxMarks   = 64
)

// pickled is the machine that reads a pickle of CIFAR's Python version (protocol 2, written by
// Python 2; Python's pickletools describes the instructions). It makes dictionaries, lists,
// tuples, whole numbers, byte strings and arrays of NumPy; anything else is refused, and nothing is ever run.
type pickled struct {
	rest  []byte // that wasn't read yet
	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
	count int // of values that were pushed
}

// The values, besides nil, bool, int and []byte.
type (
	pickledDict  map[string]any
	pickledList  struct{ items []any }
	pickledTuple []any
	pickledName  string // of a function or type: "numpy dtype"
	pickledArray struct {
		dtype string
		shape []int
		data  []byte // row-major
	}
)

// readPickle returns the dictionary that a pickle holds. Byte strings alias the file.
func readPickle(file []byte) (pickledDict, error) {
	p := &pickled{rest: file, memo: map[uint32]any{}}
	if !bytes.HasPrefix(file, []byte{0x80, 2}) {
		return nil, fault.Badf("no Python pickle of protocol 2, as the published file is")
	}
	for p.rest = file[2:]; ; {
		op, err := p.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			break
		}
		if err := p.step(op[0]); err != nil {
			return nil, err
		}
		if p.count > maxPickled || len(p.marks) > maxMarks {
			return nil, fault.Badf("pickle of more than %d values or %d levels", maxPickled, maxMarks)
		}
	}
	if len(p.stack) == 1 {
		if d, ok := p.stack[0].(pickledDict); ok {
			return d, nil
		}
	}
	return nil, fault.Badf("the pickle holds no dictionary: not the published file")
}

// take splits off the next n bytes.
func (p *pickled) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.rest) {
		return nil, fault.Badf("the pickle ends within a value: cut; get it again")
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b, nil
}

// number reads a little-endian number of n bytes, of which 4 are signed.
func (p *pickled) number(n int) (int, error) {
	b, err := p.take(n)
	switch {
	case err != nil:
		return 0, err
	case n == 4:
		return int(int32(binary.LittleEndian.Uint32(b))), nil
	case n == 2:
		return int(binary.LittleEndian.Uint16(b)), nil
	}
	return int(b[0]), nil
}

// widths are the bytes of the number that follows an instruction.
var widths = map[byte]int{'K': 1, 'M': 2, 'J': 4, 'U': 1, 'T': 4, 'q': 1, 'r': 4, 'h': 1, 'j': 4}

func (p *pickled) step(op byte) error {
	n := 0
	if width := widths[op]; width > 0 {
		var err error
		if n, err = p.number(width); err != nil {
			return err
		}
	}
	switch op {
	case 'N':
		p.push(nil)
	case 0x88, 0x89:
		p.push(op == 0x88)
	case 'K', 'M', 'J':
		p.push(n)
	case 'U', 'T':
		b, err := p.take(n)
		p.push(b)
		return err
	case '}':
		p.push(pickledDict{})
	case ']':
		p.push(&pickledList{})
	case ')':
		p.push(pickledTuple{})
	case '(':
		p.marks = append(p.marks, len(p.stack))
	case 'q', 'r', 'h', 'j':
		return p.remember(op, uint32(n))
	case 0x85, 0x86, 0x87:
		return p.fold(int(op - 0x84))
	case 't':
		return p.fold(-1)
	case 'a', 's':
		return p.fill(map[byte]int{'a': 1, 's': 2}[op])
	case 'e', 'u':
		return p.fill(-1)
	case 'c':
		return p.name()
	case 'R':
		return p.reduce()
	case 'b':
		return p.build()
	default:
		return fault.Badf("pickle instruction 0x%02x is none that the published file has", op)
	}
	return nil
}

func (p *pickled) push(v any) {
	p.count++
	p.stack = append(p.stack, v)
}

// pop takes n values off the stack; n < 0: all above the last mark, and the mark.
func (p *pickled) pop(n int) ([]any, error) {
	floor := 0
	if len(p.marks) > 0 {
		floor = p.marks[len(p.marks)-1]
	}
	switch {
	case n < 0 && len(p.marks) == 0:
		return nil, fault.Badf("pickle instruction wants a mark, there is none")
	case n < 0:
		n, p.marks = len(p.stack)-floor, p.marks[:len(p.marks)-1]
	case len(p.stack)-n < floor:
		return nil, fault.Badf("pickle instruction wants %d values, there are %d", n, len(p.stack)-floor)
	}
	items := append([]any{}, p.stack[len(p.stack)-n:]...)
	p.stack = p.stack[:len(p.stack)-n]
	return items, nil
}

// remember moves the last value to the memo, or one back.
func (p *pickled) remember(op byte, at uint32) error {
	if op == 'h' || op == 'j' {
		v, known := p.memo[at]
		if !known {
			return fault.Badf("pickle asks for value %d, which it never remembered", at)
		}
		p.push(v)
		return nil
	}
	last, err := p.pop(1)
	if err == nil {
		p.push(last[0])
		p.memo[at] = last[0]
	}
	return err
}

func (p *pickled) fold(n int) error {
	items, err := p.pop(n)
	p.push(pickledTuple(items))
	return err
}

// fill puts values into the list or dictionary below them.
func (p *pickled) fill(n int) error {
	items, err := p.pop(n)
	if err != nil {
		return err
	}
	below, err := p.pop(1)
	if err != nil {
		return err
	}
	p.push(below[0])
	switch into := below[0].(type) {
	case *pickledList:
		into.items = append(into.items, items...)
		return nil
	case pickledDict:
		for ; len(items) >= 2; items = items[2:] {
			key, ok := items[0].([]byte)
			if !ok || len(into) > maxMarks {
				return fault.Badf("the pickle's dictionary is not the published file's")
			}
			into[string(key)] = items[1]
		}
		if len(items) == 0 {
			return nil
		}
	}
	return fault.Badf("pickle instruction puts values into what takes none")
}
