package torchfile

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
)

// alignment is where PyTorch lets each storage begin, so that it can be mapped.
const alignment = 64

// Write writes a checkpoint of the official layout in the zip format, readable by PyTorch
// 1.6 and later: {"model_state_dict": OrderedDict, "replay_buffer": FloatTensor, "metadata": dict of
// strings}, the latter two only if there are any. folder names the folder in the zip; PyTorch takes the file's
// name. The bytes are a function of the arguments. Fill of a tensor is not used.
func Write(w io.Writer, folder string, s State) error {
	p := &pickler{}
	p.dict(s)
	z := &zipper{zip: zip.NewWriter(w), folder: folder}
	z.text("data.pkl", p.out)
	z.text("byteorder", []byte("little"))
	for i, t := range p.tensors {
		z.tensor(fmt.Sprintf("data/%d", i), t)
	}
	z.text("version", []byte("3\n"))
	if z.err != nil {
		return z.err
	}
	return z.zip.Close()
}

// pickler writes the pickle of a state, without memo: nothing in it occurs twice.
type pickler struct {
	out     []byte
	tensors []Tensor // storage i is tensor i
}

func (p *pickler) dict(s State) {
	p.op(opProto, 2)
	p.op(opEmptyDict, opMark)
	p.string("model_state_dict")
	p.ordered()
	p.op(opMark)
	for _, t := range s.Model {
		p.string(t.Name)
		p.tensor(t)
	}
	p.op(opSetItems)
	if s.Buffer != nil {
		p.string("replay_buffer")
		p.tensor(*s.Buffer)
	}
	if len(s.Metadata) > 0 {
		p.string("metadata")
		p.texts(s.Metadata)
	}
	p.op(opSetItems, opStop)
}

// texts writes a dict of strings, in the order of its keys.
func (p *pickler) texts(m map[string]string) {
	p.op(opEmptyDict, opMark)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		p.string(key)
		p.string(m[key])
	}
	p.op(opSetItems)
}

func (p *pickler) op(ops ...byte) { p.out = append(p.out, ops...) }

func (p *pickler) string(s string) {
	p.op(opUnicode)
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(s)))
	p.out = append(p.out, s...)
}

func (p *pickler) int(v int) {
	if v == int(int32(v)) {
		p.op(opInt)
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(v))
		return
	}
	p.op(opLong1, 8)
	p.out = binary.LittleEndian.AppendUint64(p.out, uint64(v))
}

func (p *pickler) ints(values []int) {
	p.op(opMark)
	for _, v := range values {
		p.int(v)
	}
	p.op(opTuple)
}

func (p *pickler) global(module, name string) {
	p.op(opGlobal)
	p.out = append(p.out, module+"\n"+name+"\n"...)
}

func (p *pickler) ordered() {
	p.global("collections", "OrderedDict")
	p.op(opEmptyTuple, opReduce)
}

// tensor writes _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()).
func (p *pickler) tensor(t Tensor) {
	kind := "FloatStorage"
	if t.I32 != nil {
		kind = "LongStorage" // PyTorch's counters are int64
	}
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.op(opMark, opMark)
	p.string("storage")
	p.global("torch", kind)
	p.string(fmt.Sprint(len(p.tensors)))
	p.string("cpu")
	p.int(len(t.F32) + len(t.I32))
	p.op(opTuple, opPersID)
	p.int(0)
	p.ints(t.Shape)
	p.ints(strides(t.Shape))
	p.op(opFalse)
	p.ordered()
	p.op(opTuple, opReduce)
	p.tensors = append(p.tensors, t)
}

// strides are those of C order.
func strides(shape []int) []int {
	out := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= max(1, shape[i])
	}
	return out
}

// zipper writes uncompressed entries up to the first error.
type zipper struct {
	zip    *zip.Writer
	folder string
	at     int64 // bytes written so far
	err    error
}

// localHeader is the size of an entry's header before name and extra field.
const localHeader = 30

func (z *zipper) text(name string, content []byte) {
	z.entry(name, int64(len(content)), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func (z *zipper) tensor(name string, t Tensor) {
	size := int64(4*len(t.F32) + 8*len(t.I32))
	z.entry(name, size, func(w io.Writer) error { return encode(w, t) })
}

// entry writes one file of the zip; content is called twice, first for the checksum, which
// stands before it.
func (z *zipper) entry(name string, size int64, content func(io.Writer) error) {
	if z.err != nil {
		return
	}
	sum := crc32.NewIEEE()
	if z.err = content(sum); z.err != nil {
		return
	}
	h := &zip.FileHeader{Name: z.folder + "/" + name, Method: zip.Store, CRC32: sum.Sum32()}
	h.CompressedSize64, h.UncompressedSize64 = uint64(size), uint64(size)
	h.Extra = z.padding(len(h.Name))
	var w io.Writer
	if w, z.err = z.zip.CreateRaw(h); z.err != nil {
		return
	}
	z.at += int64(localHeader+len(h.Name)+len(h.Extra)) + size
	z.err = content(w)
}

// padding is an extra field, named FB as PyTorch does, that moves the content to a
// multiple of alignment.
func (z *zipper) padding(name int) []byte {
	const head = 4
	content := z.at + localHeader + int64(name) + head
	fill := (alignment - content%alignment) % alignment
	extra := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(fill))
	return append(extra, make([]byte, fill)...)
}

// encode writes a tensor's numbers, little-endian, a MiB at a time.
func encode(w io.Writer, t Tensor) error {
	const chunk = 1 << 20
	b := make([]byte, 0, chunk+8)
	flush := func(limit int) error {
		if len(b) < limit {
			return nil
		}
		_, err := w.Write(b)
		b = b[:0]
		return err
	}
	for _, v := range t.F32 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		if err := flush(chunk); err != nil {
			return err
		}
	}
	for _, v := range t.I32 {
		b = binary.LittleEndian.AppendUint64(b, uint64(int64(v)))
		if err := flush(chunk); err != nil {
			return err
		}
	}
	return flush(1)
}
