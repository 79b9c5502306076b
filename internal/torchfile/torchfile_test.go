package torchfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"jem/internal/safetensors"
)

// opened is a file that lies in memory.
func opened(file []byte) (*File, error) { return Open(bytes.NewReader(file), int64(len(file))) }

// decoded reads all numbers of a file that lies in memory, in the layout in which Write writes them.
func decoded(file []byte) (s State, err error) {
	f, err := opened(file)
	if err != nil {
		return s, err
	}
	for _, e := range f.Entries {
		if key, ok := strings.CutPrefix(e.Name, "metadata."); ok && e.Text != "" {
			s.Metadata = map[string]string{key: e.Text}
		}
		if !e.Type.Float() && !e.Type.Whole() {
			continue
		}
		t, err := f.Tensor(e)
		if err != nil {
			return s, err
		}
		var inModel bool
		if t.Name, inModel = strings.CutPrefix(t.Name, "model_state_dict."); !inModel && t.Name == "replay_buffer" {
			s.Buffer = &t
			continue
		}
		s.Model = append(s.Model, t)
	}
	return s, nil
}

func official(t testing.TB, format string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/official_wrn10_1_" + format + ".pt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// small is a state with everything that a file may have.
func small() State {
	return State{
		Model: []Tensor{
			{Name: "f.conv1.weight", Shape: []int{2, 1, 3, 1}, F32: []float32{0, 1, -2, 3, 1e-30, 5}},
			{Name: "f.bn1.num_batches_tracked", I32: []int32{-7}},
			{Name: "class_output.bias", Shape: []int{3}, F32: []float32{0.5, float32(math.Inf(1)), -1}},
			{Name: "none", Shape: []int{0, 4}, F32: []float32{}},
		},
		Buffer:   &Tensor{Name: "replay_buffer", Shape: []int{1, 1, 2, 2}, F32: []float32{1, 2, 3, 4}},
		Metadata: map[string]string{"classes": `["zebra"]`},
	}
}

func written(t testing.TB, s State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, "name", s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// magicPickle is the first pickle of a legacy file.
const magicPickle = "\x80\x02\x8a\x0a" + string(magic) + "."

// inLegacy makes a legacy file of a value's pickle and its storages' bytes.
func inLegacy(pickle []byte, sizes []int, storages ...[]byte) []byte {
	p := &pickler{out: []byte(magicPickle)}
	p.op(opProto, 2)
	p.int(legacyProtocol)
	p.op(opStop, opProto, 2, opEmptyDict)
	p.string("little_endian")
	p.op(opTrue, opSetItem, opStop)
	p.out = append(p.out, pickle...)
	p.op(opProto, 2, opEmptyList, opMark)
	for i := range storages {
		p.string(fmt.Sprint(i))
	}
	p.op(opAppends, opStop)
	for i, s := range storages {
		p.out = binary.LittleEndian.AppendUint64(p.out, uint64(sizes[i]))
		p.out = append(p.out, s...)
	}
	return p.out
}

// legacyOf is a state in the legacy format.
func legacyOf(t testing.TB, s State) []byte {
	t.Helper()
	p := &pickler{}
	p.dict(s)
	var sizes []int
	var storages [][]byte
	for _, x := range p.tensors {
		var b bytes.Buffer
		if err := encode(&b, x); err != nil {
			t.Fatal(err)
		}
		sizes, storages = append(sizes, len(x.F32)+len(x.I32)), append(storages, b.Bytes())
	}
	return inLegacy(p.out, sizes, storages...)
}

func TestReadsOfficialCheckpoints(t *testing.T) {
	f, err := os.Open("testdata/official_wrn10_1_expect.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	expect, err := safetensors.Read(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	var states []State
	for _, format := range []string{"zip", "legacy"} {
		s, err := decoded(official(t, format))
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		states = append(states, s)
		for _, want := range expect {
			if want.Name == "replay_buffer" && !reflect.DeepEqual(*s.Buffer, want) {
				t.Errorf("%s: replay buffer of shape %v differs from the expected one, %v", format, s.Buffer.Shape, want.Shape)
			}
		}
		if n := len(s.Model); n != 24 || s.Model[0].Name != "f.conv1.weight" || s.Model[18].Name != "f.linear.weight" {
			t.Errorf("%s: %d tensors, the first is %s", format, n, s.Model[0].Name)
		}
	}
	if !reflect.DeepEqual(states[0], states[1]) {
		t.Error("the two formats of one checkpoint give different tensors")
	}
}

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	for name, s := range map[string]State{"all": small(), "no buffer": {Model: small().Model}} {
		for format, file := range map[string][]byte{"zip": written(t, s), "legacy": legacyOf(t, s)} {
			got, err := decoded(file)
			if err != nil || !reflect.DeepEqual(got, s) {
				t.Errorf("%s, %s: got %v, %v", name, format, got, err)
			}
		}
	}
}

func TestStoragesAreAligned(t *testing.T) {
	file := written(t, small())
	a, err := openArchive(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for name := range a.entries {
		if at, _, err := a.verified(name); err != nil || at%alignment != 0 {
			t.Errorf("%s begins at byte %d (%v)", name, at, err)
		}
	}
}

// view pickles {"x": a tensor} with the given view of storage 0.
func view(kind string, count, offset int, shape, stride []int) []byte {
	p := &pickler{}
	p.op(opProto, 2, opEmptyDict)
	p.string("module.x")
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.op(opMark, opMark)
	p.string("storage")
	p.global("torch", kind)
	p.string("0")
	p.string("cuda:0")
	p.int(count)
	p.op(opNone, opTuple, opPersID)
	p.int(offset)
	p.ints(shape)
	p.ints(stride)
	p.op(opTrue)
	p.ordered()
	p.op(opTuple, opReduce, opSetItem, opStop)
	return p.out
}

func TestElementsAndStrides(t *testing.T) {
	floats := binary.LittleEndian.AppendUint32(nil, math.Float32bits(0))
	for i := 1; i < 8; i++ {
		floats = binary.LittleEndian.AppendUint32(floats, math.Float32bits(float32(i)))
	}
	double := binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1))
	for _, c := range []struct {
		name, kind    string
		count, offset int
		shape, stride []int
		data          []byte
		f32           []float32
		i32           []int32
	}{
		{"transposed", "FloatStorage", 8, 1, []int{2, 3}, []int{1, 2}, floats, []float32{1, 3, 5, 2, 4, 6}, nil},
		{"scalar", "FloatStorage", 8, 7, nil, nil, floats, []float32{7}, nil},
		{"repeated", "FloatStorage", 8, 3, []int{2, 2}, []int{0, 1}, floats, []float32{3, 4, 3, 4}, nil},
		{"float64", "DoubleStorage", 1, 0, []int{1}, []int{1}, double, []float32{0.1}, nil},
		// 1, −2, the smallest subnormal, ∞
		{"float16", "HalfStorage", 4, 0, []int{4}, []int{1}, []byte{0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c}, []float32{1, -2, 1.0 / (1 << 24), float32(math.Inf(1))}, nil},
		{"bfloat16", "BFloat16Storage", 2, 0, []int{2}, []int{1}, []byte{0x80, 0x3f, 0x20, 0xc1}, []float32{1, -10}, nil},
		{"int64", "LongStorage", 1, 0, []int{1}, []int{1}, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, nil, []int32{-2}},
		{"int32", "IntStorage", 1, 0, []int{1}, []int{1}, []byte{3, 0, 0, 0}, nil, []int32{3}},
	} {
		file := inLegacy(view(c.kind, c.count, c.offset, c.shape, c.stride), []int{c.count}, c.data)
		s, err := decoded(file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if x := s.Model[0]; x.Name != "module.x" || !reflect.DeepEqual(x.F32, c.f32) || !reflect.DeepEqual(x.I32, c.i32) {
			t.Errorf("%s: got %v, want %v %v", c.name, x, c.f32, c.i32)
		}
	}
}
