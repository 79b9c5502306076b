package torchfile

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// refused is a file that must not be read, and what the error says.
type refused struct {
	name, want string
	file       []byte
}

// hostile are files with a single thing wrong with each: no tensors, programs, sizes that lie.
func hostile() []refused {
	four := make([]byte, 16)
	tensor := func(offset int, shape, stride []int) []byte {
		return inLegacy(view("FloatStorage", 4, offset, shape, stride), []int{4}, four)
	}
	bomb := "\x80\x02(" + "X\x00\x00\x01\x00" + strings.Repeat("a\n", 32<<10) + "q\x00" + strings.Repeat("h\x00", 3000)
	doubled := "}" // dicts of which each holds the next twice
	for range 40 {
		doubled = "}X\x01\x00\x00\x00a" + doubled + "q\x00sX\x01\x00\x00\x00bh\x00s"
	}
	named := "N" // dicts in dicts, each under a long name
	for range 4 {
		named = "}h\x00" + named + "s"
	}
	program := func(ops ...string) []byte { return inLegacy([]byte("\x80\x02"+strings.Join(ops, "")), nil) }
	return []refused{
		{"nothing", "neither begin", nil},
		{"text", "neither begin", []byte("these are not the weights you are looking for")},
		{"a text 3,000 times as protocol", "legacy protocol a tuple, want 1001", []byte(magicPickle + bomb + "t.")},
		{"a text as protocol", `legacy protocol "a\na\n`, []byte(magicPickle + bomb[:2] + bomb[3:8+64<<10] + ".")},
		{"a text as key", `dict key "a\na\n`, program("}", bomb[3:8+64<<10], "q\x00Nsh\x00Ns.")},
		{"a call of the shell", `Python's "os.system"`, program("cos\nsystem\n", "X\x02\x00\x00\x00ls", "\x85R.")},
		{"a call of something remembered", "calls something other", program("X\x02\x00\x00\x00ls", ")R.")},
		{"torch, but no storage", `Python's "torch.load"`, program("ctorch\nload\n.")},
		{"a storage alone", "no dict of tensors, but a torch.ByteStorage", program("ctorch\nByteStorage\n.")},
		{"an object by its class", `Python's "argparse.Namespace"`, program("cargparse\nNamespace\n)\x81.")},
		{"an object by a class remembered", "calls something other", program("X\x02\x00\x00\x00ls", ")\x81.")},
		{"a call of the shell, by protocol 4", `Python's "os.system"`, inLegacy([]byte("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R."), nil)},
		{"an array of numpy's", `Python's "numpy.core.multiarray._reconstruct"`, program("cnumpy.core.multiarray\n_reconstruct\n.")},
		{"a type of numbers called", "calls something other", program("ctorch\nfloat32\n)R.")},
		{"another protocol", "protocol 9", inLegacy([]byte("\x80\x09}."), nil)},
		{"an empty stack", "wants 1 values", program("\x85.")},
		{"a missing mark", "wants a mark", program("t.")},
		{"values left over", "stops with 2 values", program("}}.")},
		{"nothing of a memo", "never remembered", program("h\x05.")},
		{"a memo without end", "want one below 1000000", program("}r\xff\xff\xff\xff.")},
		{"a long string", "string of 4294967295 bytes", program("X\xff\xff\xff\xff")},
		{"a string that isn't there", "where", program("X\xff\xff\x00\x00")},
		{"many marks", "levels", program(strings.Repeat("(", 65), ".")},
		{"tuples in tuples", "nested more than 64", program("N", strings.Repeat("\x85", 65), ".")},
		{"a key twice", "appears twice", program("}K\x01NsK\x01Ns.")},
		{"a key without a value", "no value", program("}(K\x01u.")},
		{"no dict", "no dict of tensors", program("N.")},
		{"a dict in itself", "nested more than 64", program("}q\x00X\x01\x00\x00\x00xh\x00s.")},
		{"values without end", "more than 2000000 values", program("]("+strings.Repeat("}", 1000001), "e("+strings.Repeat("}", 1000001))},
		{"dicts without end", "more than 100000 values", program(doubled, ".")},
		{"names without end", "names of more than 1000", program("}X\x00\x01\x00\x00", strings.Repeat("n", 256), "q\x00", named, "s.")},
		{"a huge integer", "integer of 200 bytes", program("\x8a\xc8")},
		{"an offset beyond the storage", "offset 5", tensor(5, []int{0}, []int{1})},
		{"a shape beyond the storage", "reaches element 4", tensor(0, []int{5}, []int{1})},
		{"a stride beyond the storage", "reaches element 6", tensor(0, []int{2, 2}, []int{5, 1})},
		{"a negative stride", "strides [-1]", tensor(3, []int{4}, []int{-1})},
		{"a negative size", "shape [-4]", tensor(0, []int{-4}, []int{1})},
		{"a shape that overflows", "has shape", tensor(0, []int{1 << 31, 1 << 31, 4}, []int{0, 0, 0})},
		{"a view larger than the file", "larger than the file", tensor(0, []int{1 << 30}, []int{0})},
		{"a storage larger than the file", "more than the file", inLegacy(view("FloatStorage", 1<<30, 0, []int{1}, []int{1}), []int{1 << 30}, four)},
		{"another length of a storage", "has 3 elements", inLegacy(view("FloatStorage", 4, 0, []int{1}, []int{1}), []int{3}, four)},
		{"a storage too many", "list of storages", inLegacy(view("FloatStorage", 4, 0, []int{1}, []int{1}), []int{4, 4}, four, four)},
		{"bytes after the end", "follow the last storage", append(tensor(0, []int{4}, []int{1}), 0)},
		{"an integer beyond 32 bits", "beyond 32 bits", inLegacy(view("LongStorage", 2, 0, []int{2}, []int{1}), []int{2}, append(make([]byte, 8), 0, 0, 0, 0, 1, 0, 0, 0))},
		{"a number beyond float32", "beyond float32", inLegacy(view("DoubleStorage", 1, 0, []int{1}, []int{1}), []int{1}, binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300)))},
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range hostile() {
		_, err := decoded(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "byte ") || len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
