package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

var limits = Limits{Elements: 1000, Texts: 10}

// decode reads a request of JSON, with bytes behind it if there are some.
func decode(t *testing.T, text string, rest ...byte) (*Request, error) {
	t.Helper()
	length := ""
	if rest != nil {
		length = strconv.Itoa(len(text))
	}
	return Decode(length, append([]byte(text), rest...), limits)
}

// TestFormsOfData: flat, nested and binary data are the same tensor.
func TestFormsOfData(t *testing.T) {
	want := []float32{1, -2.5, 0, 1e-3, 5, 6}
	binary := (&Tensor{Datatype: FP32, F32: want}).appendBytes(nil)
	for _, form := range []struct {
		name, text string
		rest       []byte
	}{
		{"flat", `{"inputs":[{"name":"x","shape":[2,3],"datatype":"FP32","data":[1, -2.5,0,1e-3 ,5,6]}]}`, nil},
		{"nested", `{"inputs":[{"name":"x","shape":[2,3],"datatype":"FP32","data":[[1,-2.5,0], [1e-3,5,6] ]}]}`, nil},
		{"binary", `{"inputs":[{"name":"x","shape":[2,3],"datatype":"FP32","parameters":{"binary_data_size":24}}]}`, binary},
	} {
		r, err := decode(t, form.text, form.rest...)
		if err != nil {
			t.Errorf("%s: %v", form.name, err)
		} else if got := r.Inputs[0]; !reflect.DeepEqual(got.F32, want) || got.Name != "x" || !reflect.DeepEqual(got.Shape, []int{2, 3}) {
			t.Errorf("%s: %+v", form.name, got)
		}
	}
}

// TestTextsAndPixels: BYTES in both forms, UINT8 in both forms, several inputs in the order of their bytes.
func TestTextsAndPixels(t *testing.T) {
	rest := (&Tensor{Datatype: Bytes, Texts: [][]byte{[]byte("ab"), nil}}).appendBytes(nil)
	n := len(rest)
	rest = append(rest, 0, 255)
	r, err := decode(t, `{"id":"7","inputs":[{"name":"p","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":`+strconv.Itoa(n)+`}},
		{"name":"q","shape":[1,2],"datatype":"UINT8","parameters":{"binary_data_size":2}},
		{"name":"r","shape":[2],"datatype":"BYTES","data":["YWI=","\u0059Q=="]},{"name":"s","shape":[1,2],"datatype":"UINT8","data":[[0,255]]}]}`, rest...)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Inputs[0].Texts[0], []byte("ab")) || len(r.Inputs[0].Texts[1]) != 0 || !bytes.Equal(r.Inputs[2].Texts[0], []byte("ab")) || !bytes.Equal(r.Inputs[2].Texts[1], []byte("a")) {
		t.Errorf("BYTES: %q %q", r.Inputs[0].Texts, r.Inputs[2].Texts)
	}
	if !bytes.Equal(r.Inputs[1].U8, []byte{0, 255}) || !bytes.Equal(r.Inputs[3].U8, []byte{0, 255}) || r.ID != "7" {
		t.Errorf("UINT8: %v %v, id %q", r.Inputs[1].U8, r.Inputs[3].U8, r.ID)
	}
}

// TestWhichOutputsAreBinary: an output's own word counts, else the request's.
func TestWhichOutputsAreBinary(t *testing.T) {
	r, err := decode(t, `{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],
		"outputs":[{"name":"a"},{"name":"b","parameters":{"binary_data":false}}]}`)
	if err != nil || !reflect.DeepEqual(r.Outputs, []Output{{"a", true}, {"b", false}}) || !r.Binary {
		t.Fatalf("%+v, %v", r, err)
	}
}

// TestRefusals: what can't be is said in a sentence that names the input and what it has.
func TestRefusals(t *testing.T) {
	in := func(rest string) string { return `{"inputs":[{"name":"x",` + rest + `}]}` }
	for _, c := range []struct {
		text, want string
		rest       []byte
	}{
		{`{`, "not the JSON", nil},
		{`[]`, "not the JSON", nil},
		{`{"inputs":[]}`, "no inputs", nil},
		{`{"inputs":[{"name":5}]}`, "inputs.name is a number", nil},
		{in(`"shape":[2],"data":[1,2]`), "no datatype", nil},
		{`{"inputs":[null]}`, "no inputs", nil},
		{`{"inputs":[` + strings.Repeat("{},", 8) + `{}]}`, "more than 8 inputs", nil},
		{`{"inputs":[{}],"outputs":[` + strings.Repeat("{},", 64) + `{}]}`, "more than 64 outputs", nil},
		{in(`"datatype":"FP32","shape":[1` + strings.Repeat(",1", 32) + `],"data":[1]`), "more than 32 sizes", nil},
		{in(`"datatype":"FP16","shape":[2],"data":[1,2]`), `"FP16"`, nil},
		{in(`"datatype":"FP32","data":[1,2]`), "shape", nil},
		{in(`"datatype":"FP32","shape":[-1],"data":[1,2]`), "[-1]", nil},
		{in(`"datatype":"FP32","shape":[4611686018427387904,4],"data":[]`), "at most 1000", nil},
		{in(`"datatype":"FP32","shape":[1001],"data":[]`), "at most 1000", nil},
		{in(`"datatype":"FP32","shape":[2]`), "neither data nor", nil},
		{in(`"datatype":"FP32","shape":[2],"data":[1]`), "2 elements", nil},
		{in(`"datatype":"FP32","shape":[2],"data":[1,2,3]`), "2 elements", nil},
		{in(`"datatype":"FP32","shape":[2,1],"data":[[1],[2,3]]`), "1 elements", nil},
		{in(`"datatype":"FP32","shape":[2,1],"data":[[1],2]`), "number where its shape", nil},
		{in(`"datatype":"FP32","shape":[2],"data":[[1,2]]`), "array", nil},
		{in(`"datatype":"FP32","shape":[2],"data":{"a":1}`), "object", nil},
		{in(`"datatype":"FP32","shape":[2],"data":[1,"2"]`), "string", nil},
		{in(`"datatype":"FP32","shape":[2],"data":[1,1e39]`), `"1e39"`, nil},
		{in(`"datatype":"UINT8","shape":[2],"data":[1,256]`), `"256"`, nil},
		{in(`"datatype":"UINT8","shape":[2],"data":[1,1.5]`), `"1.5"`, nil},
		{in(`"datatype":"BYTES","shape":[1],"data":["%"]`), "base64", nil},
		{in(`"datatype":"BYTES","shape":[1],"data":[1]`), "where a string", nil},
		{in(`"datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}`), "8 bytes of binary data, and 4", []byte{1, 2, 3, 4}},
		{in(`"datatype":"FP32","shape":[2],"parameters":{"binary_data_size":4}`), "needs 8", []byte{1, 2, 3, 4}},
		{in(`"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":"x"}`), "binary_data_size", []byte{1, 2, 3, 4}},
		{in(`"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}`), "1 bytes follow", []byte{1, 2, 3, 4, 5}},
		{in(`"datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}`), "to have 9 bytes", []byte{9, 0, 0, 0, 1}},
		{in(`"datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":5}`), "1 elements of BYTES", []byte{1, 0, 0, 0, 1}},
		{in(`"datatype":"BYTES","shape":[0],"parameters":{"binary_data_size":1}`), "1 bytes behind", []byte{1}},
	} {
		_, err := decode(t, c.text, c.rest...)
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Sentence, c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
	for _, length := range []string{"-1", "3x", "99"} {
		if _, err := Decode(length, []byte("{}"), limits); err == nil || !strings.Contains(err.Error(), LengthHeader) {
			t.Errorf("%s %s: %v", LengthHeader, length, err)
		}
	}
}

// TestAnswersAreReadBack: what Encode writes, a client's reading of JSON and bytes finds again.
// TestMemoryOfARequest: however much a body repeats what takes a few bytes, reading it takes no more memory than some copies of it.
func TestMemoryOfARequest(t *testing.T) {
	const size = 1 << 20
	for name, form := range map[string][3]string{
		"inputs":  {`{"inputs":[`, `{},`, `{}]}`},
		"numbers": {`{"inputs":[`, `0,`, `0]}`},
		"nulls":   {`{"outputs":[`, `null,`, `null]}`},
		"sizes":   {`{"inputs":[{"shape":[`, `1,`, `1]}]}`},
		"data":    {`{"inputs":[{"name":"x","shape":[5],"datatype":"FP32","data":[`, `1,`, `1]}]}`},
	} {
		text := form[0] + strings.Repeat(form[1], size/len(form[1])) + form[2]
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decode(t, text)
		runtime.ReadMemStats(&after)
		// The test's own copy, that of a raw value, and one in which a value is read within another.
		if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > 4*size {
			t.Errorf("%s: %d bytes for %d of JSON, %v", name, took, len(text), err)
		}
	}
}

func TestAnswersAreReadBack(t *testing.T) {
	r := Response{Model: "m", Version: "3", ID: "a\"b", Outputs: []Tensor{
		{Name: "p", Datatype: FP32, Shape: []int{1, 2}, F32: []float32{0.1, 1e-30}},
		{Name: "q", Datatype: FP32, Shape: []int{1, 2}, F32: []float32{0.1, float32(math.Inf(1))}},
		{Name: "c", Datatype: Bytes, Shape: []int{1}, Texts: [][]byte{[]byte("cat\n")}},
		{Name: "u", Datatype: Bool, Shape: []int{2}, U8: []byte{1, 0}},
		{Name: "i", Datatype: Int64, Shape: []int{1}, I64: []int64{-3}},
	}, Binary: []bool{false, true, false, false, true}}
	body, n := r.Encode()
	var got struct {
		ID      string `json:"id"`
		Outputs []struct {
			Name       string
			Parameters struct {
				Size int `json:"binary_data_size"`
			}
			Data []any
		}
	}
	if err := json.Unmarshal(body[:n], &got); err != nil {
		t.Fatalf("%v: %s", err, body[:n])
	}
	if got.ID != r.ID || !reflect.DeepEqual(got.Outputs[0].Data, []any{0.1, 1e-30}) || !reflect.DeepEqual(got.Outputs[2].Data, []any{"cat\n"}) || !reflect.DeepEqual(got.Outputs[3].Data, []any{true, false}) {
		t.Errorf("%+v", got)
	}
	rest := body[n:]
	q := Tensor{Datatype: FP32}
	if err := q.fromBytes(rest[:got.Outputs[1].Parameters.Size], 2); err != nil || !reflect.DeepEqual(q.F32, r.Outputs[1].F32) {
		t.Errorf("%v, %v", q.F32, err)
	}
	if rest := rest[8:]; len(rest) != 8 || rest[0] != 0xfd {
		t.Errorf("INT64: % x", rest)
	}
}

// FuzzDecode: whatever comes is a request within its limits or an *Error.
func FuzzDecode(f *testing.F) {
	f.Add("", []byte(`{"inputs":[{"name":"x","shape":[2,1],"datatype":"FP32","data":[[1],[2]]}]}`))
	f.Add("", []byte(`{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["YQ=="]}],"outputs":[{"name":"a"}]}`))
	f.Add("85", []byte(`{"inputs":[{"name":"x","shape":[1],"datatype":"UINT8","parameters":{"binary_data_size":1}}]}1`))
	f.Add(strings.Repeat("\x91", 65), []byte("0"))
	f.Fuzz(func(t *testing.T, length string, body []byte) {
		r, err := Decode(length, body, limits)
		if err != nil {
			if wrong := (*Error)(nil); !errors.As(err, &wrong) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, in := range r.Inputs {
			n, ok := elements(in.Shape, limits.Elements)
			if !ok || len(in.F32)+len(in.U8)+len(in.Texts) != n {
				t.Fatalf("%+v has not the %d elements of its shape", in, n)
			}
		}
	})
}
