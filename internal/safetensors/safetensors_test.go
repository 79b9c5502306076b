package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	oracle "github.com/nlpodyssey/safetensors"

	"jem/backend/philox"
)

// examples covers both types, a scalar, empty arrays and more than one chunk.
func examples() []Tensor {
	long := make([]float32, chunk+3)
	philox.New(1, 0, philox.Test).FillNormal(long)
	return []Tensor{
		{Name: "conv.w", Shape: []int{2, 3}, F32: []float32{1, -2, 0, float32(math.Inf(1)), 5e-45, -0.5}},
		{Name: "age", Shape: []int{3}, I32: []int32{0, -1, math.MaxInt32}},
		{Name: "step", F32: []float32{7}},
		{Name: "none", Shape: []int{0, 4}, F32: []float32{}},
		{Name: "größe \"1\"\n", Shape: []int{len(long)}, F32: long},
	}
}

func encoded(t testing.TB, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decoded(file []byte) ([]Tensor, error) { return Read(bytes.NewReader(file), int64(len(file))) }

func TestReadReturnsWhatWriteWrote(t *testing.T) {
	file := encoded(t, examples())
	if size, err := Size(examples()); err != nil || size != int64(len(file)) {
		t.Errorf("Size %d, %v; the file has %d bytes", size, err, len(file))
	}
	got, err := decoded(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, examples()) {
		t.Error("tensors changed on the way")
	}
}

func TestFillIsCalledInOrderAndItsErrorComesBack(t *testing.T) {
	fill := func(v float32) func([]float32) error {
		return func(dst []float32) error {
			for i := range dst {
				dst[i] = v
			}
			return nil
		}
	}
	got, err := decoded(encoded(t, []Tensor{
		{Name: "a", Shape: []int{3}, Fill: fill(1)}, {Name: "b", Shape: []int{2}, Fill: fill(2)},
	}))
	if err != nil || !reflect.DeepEqual(got[0].F32, []float32{1, 1, 1}) || !reflect.DeepEqual(got[1].F32, []float32{2, 2}) {
		t.Errorf("got %v, %v", got, err)
	}
	lost := errors.New("device lost")
	err = Write(&bytes.Buffer{}, []Tensor{{Name: "a", Shape: []int{1}, Fill: func([]float32) error { return lost }}})
	if !errors.Is(err, lost) {
		t.Errorf("got %v, want %v", err, lost)
	}
}

func TestAnotherImplementationReadsTheSameTensors(t *testing.T) {
	other, err := oracle.Deserialize(encoded(t, examples()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range examples() {
		view, ok := other.Tensor(want.Name)
		if !ok || view.DType().String() != want.dtype() || len(view.Shape()) != len(want.Shape) {
			t.Fatalf("tensor %q: found %v, type %v, shape %v", want.Name, ok, view.DType(), view.Shape())
		}
		var raw bytes.Buffer
		e := encoder{w: &raw}
		if err := e.tensor(want); err != nil || !bytes.Equal(raw.Bytes(), view.Data()) {
			t.Errorf("tensor %q: other bytes (%v)", want.Name, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := []float32{1}
	many := make([]Tensor, MaxTensors+1)
	for i := range many {
		many[i] = Tensor{Name: fmt.Sprint(i), F32: one}
	}
	for want, tensors := range map[string][]Tensor{
		"name used twice":            {{Name: "a", F32: one}, {Name: "a", F32: one}},
		`name "" is not allowed`:     {{F32: one}},
		`"__metadata__" is not`:      {{Name: metadataKey, F32: one}},
		"wants 2 values, has 1":      {{Name: "a", Shape: []int{2}, F32: one}},
		"negative size":              {{Name: "a", Shape: []int{-1}, F32: one}},
		"overflows":                  {{Name: "a", Shape: []int{math.MaxInt, 2}, F32: one}},
		"0 of F32, I32 and Fill":     {{Name: "a", Shape: []int{2}}},
		"2 of F32, I32 and Fill":     {{Name: "a", F32: one, I32: []int32{1}}},
		"at most 10000 fit":          many,
		"at most 16777216 are allow": {{Name: strings.Repeat("x", MaxHeader), F32: one}},
	} {
		if err := Write(&bytes.Buffer{}, tensors); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// raw makes a file of a header and so many bytes of data.
func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestReadRefuses(t *testing.T) {
	const a = `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	var crowd strings.Builder
	for i := range MaxTensors + 1 {
		fmt.Fprintf(&crowd, `"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`, i)
	}
	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"nothing", "too short", nil},
		{"huge header", "header of", binary.LittleEndian.AppendUint64(nil, math.MaxUint64)},
		{"header longer than the file", "header of", raw("{}", 0)[:9]},
		{"no JSON", "invalid character", raw("not JSON", 0)},
		{"text after the header", "something follows", raw("{"+a+"}{}", 4)},
		{"a key twice", `key "a" appears twice`, raw("{"+a+","+a+"}", 4)},
		{"a field twice", `key "dtype" appears twice`, raw(`{"a":{"dtype":"I32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4)},
		{"a field in other case", `unknown key "DType"`, raw(`{"a":{"DType":"F32","shape":[1],"data_offsets":[0,4]}}`, 4)},
		{"a missing field", "not all there", raw(`{"a":{"dtype":"F32","shape":[1]}}`, 4)},
		{"no type", `type "F33" is not one`, raw(`{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,8]}}`, 8)},
		{"a type without numbers", `numbers of type bool are not read`, raw(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`, 1)},
		{"a number beyond float32", `beyond float32`, append(raw(`{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, 0), 0, 0, 0, 0, 0, 0, 0, 0x7f)},
		{"many dimensions", "more than 64 dimensions", raw(`{"a":{"dtype":"F32","shape":[1`+strings.Repeat(",1", 1<<20)+`],"data_offsets":[0,4]}}`, 4)},
		{"a negative size", "-1 where a size", raw(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4)},
		{"an overflowing shape", "overflows", raw(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}`, 4)},
		{"trailing data", "tensors end at byte 4", raw("{"+a+"}", 5)},
		{"missing data", "ends at byte 4 of 3", raw("{"+a+"}", 3)},
		{"overlap", "[4,8) expected", raw("{"+a+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 8)},
		{"a hole", "[4,8) expected", raw("{"+a+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12)},
		{"too many tensors", "more than 10000", raw("{"+crowd.String()+a+"}", 4)},
		{"too much metadata", "more than 10000 texts", raw(`{"__metadata__":{`+strings.ReplaceAll(crowd.String(), `{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, `""`)+`"x":""}}`, 0)},
		{"metadata that is no text", "where a string", raw(`{"__metadata__":{"x":1}}`, 0)},
	} {
		if _, err := decoded(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestReadNoticesEveryTruncation(t *testing.T) {
	file := encoded(t, examples()[:4])
	for n := range file {
		if _, err := decoded(file[:n]); err == nil {
			t.Errorf("file cut to %d of %d bytes was accepted", n, len(file))
		}
	}
}

// FuzzRead: whatever is accepted is written back to a file that reads the same, and
// the other implementation accepts it as well.
func FuzzRead(f *testing.F) {
	f.Add(encoded(f, examples()[:4]))
	f.Add(raw(`{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, file []byte) {
		first, err := decoded(file)
		if err != nil {
			return
		}
		if _, err := oracle.Deserialize(file); err != nil {
			t.Errorf("the other implementation refuses: %v", err)
		}
		again := encoded(t, first)
		second, err := decoded(again)
		if err != nil || !bytes.Equal(encoded(t, second), again) {
			t.Errorf("written back and read: %v", err)
		}
	})
}

// Integers of 64 bits are read where they fit into 32, as labels and counters do.
func TestLongIntegersThatFitAreRead(t *testing.T) {
	file := func(v int64) []byte {
		header := `{"n":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}`
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		b = append(b, header...)
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, 7), uint64(v))
	}
	for _, v := range []int64{0, -1, math.MaxInt32, math.MinInt32} {
		got, err := decoded(file(v))
		if err != nil || !reflect.DeepEqual(got[0].I32, []int32{7, int32(v)}) {
			t.Errorf("%d: got %+v, %v", v, got, err)
		}
	}
	for _, v := range []int64{math.MaxInt32 + 1, math.MinInt32 - 1, math.MinInt64} {
		if got, err := decoded(file(v)); err == nil {
			t.Errorf("%d is read as %v", v, got[0].I32)
		}
	}
}

// TestOpen: types, metadata, and tensors that are not read stand in no one's way.
func TestOpen(t *testing.T) {
	file := append(raw(`{"__metadata__":{"classes":"[]","format":"pt"},"b":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]},`+
		`"h":{"dtype":"F16","shape":[2],"data_offsets":[2,6]},"bf":{"dtype":"BF16","shape":[],"data_offsets":[6,8]},`+
		`"d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}`, 0),
		1, 0, 0, 0x3c, 0, 0xc0, 0x20, 0xc1, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f)
	f, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"classes": "[]", "format": "pt"}; !reflect.DeepEqual(f.Metadata, want) {
		t.Errorf("metadata %v, want %v", f.Metadata, want)
	}
	if len(f.Entries) != 4 || f.Entries[0].Type.Float() || f.Entries[0].Type.Name != "bool" {
		t.Fatalf("entries %+v", f.Entries)
	}
	for i, want := range [][]float32{{1, -2}, {-10}, {0.5}} {
		if got, err := f.Tensor(f.Entries[i+1]); err != nil || !reflect.DeepEqual(got.F32, want) {
			t.Errorf("%s: got %v, %v, want %v", f.Entries[i+1].Name, got.F32, err, want)
		}
	}
	if _, err := f.Tensor(f.Entries[0]); err == nil {
		t.Error("truth values were read as numbers")
	}
}

func TestMetadataComeBack(t *testing.T) {
	about := map[string]string{"classes": `["zebra","\u00e4\n"]`, "a": ""}
	var b bytes.Buffer
	if err := WriteWith(&b, about, examples()[:2]); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || !reflect.DeepEqual(f.Metadata, about) || len(f.Entries) != 2 {
		t.Errorf("got %v and %d tensors, %v", f.Metadata, len(f.Entries), err)
	}
	if _, err := oracle.Deserialize(b.Bytes()); err != nil {
		t.Errorf("the other implementation refuses: %v", err)
	}
	b.Reset()
	if err := WriteWith(&b, about, nil); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil || len(f.Metadata) != 2 {
		t.Errorf("metadata alone: %v", err)
	}
}
