package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/internal/dtype"
)

// text is a string as a pickle of protocol 2 has it.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// renamed is the official checkpoint in the legacy format, which has no checksums, with other strings in its
// pickle: each pair is replaced everywhere.
func renamed(t *testing.T, pairs ...string) []byte {
	t.Helper()
	file, err := os.ReadFile(testdata + "legacy.pt")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(file, []byte(pairs[i])) {
			t.Fatalf("the file has no %q", pairs[i])
		}
		file = bytes.ReplaceAll(file, []byte(pairs[i]), []byte(pairs[i+1]))
	}
	return file
}

// prefixed are the pairs that put something before all names of the state dict, or of those that begin with so.
func prefixed(w *Weights, before, beginning string) (pairs []string) {
	for _, x := range w.StateDict() {
		if strings.HasPrefix(x.Name, beginning) {
			pairs = append(pairs, text(x.Name), text(before+x.Name))
		}
	}
	return pairs
}

// A Counter({3: 1}) and a torch.Size([2, 3]).
const (
	countedPickle = "ccollections\nCounter\n}K\x03K\x01s\x85R"
	sizePickle    = "ctorch\nSize\nK\x02K\x03\x86\x85R"
)

func TestWrappingsOfOneCheckpoint(t *testing.T) {
	want, err := Read(testdata+"legacy.pt", Options{})
	if err != nil {
		t.Fatal(err)
	}
	key := text("model_state_dict")
	for i, c := range []struct {
		name  string
		pairs []string
		note  string
	}{
		{"official", nil, ""},
		{"DataParallel", prefixed(want, "module.", ""), ""},
		{"compiled", prefixed(want, "_orig_mod.", ""), ""},
		{"compiled DataParallel", prefixed(want, "_orig_mod.module.", ""), ""},
		{"compiled trunk", []string{text("f.conv1.weight"), text("f._orig_mod.conv1.weight")}, ""},
		{"a module around it", prefixed(want, "net.model.", ""), `takes the weights under "model_state_dict.net.model"`},
		{"state_dict", []string{key, text("state_dict")}, `takes the weights under "state_dict"`},
		{"model", []string{key, text("model")}, `takes the weights under "model"`},
		{"net", []string{key, text("net")}, `takes the weights under "net"`},
		{"an average", []string{key, text("model_ema")}, `takes the weights under "model_ema"`},
		{"optimiser, scheduler and sizes beside it", []string{"}q\x00(" + key, "}q\x00(" + text("scheduler") + countedPickle + text("shape") + sizePickle + key}, "no weight of the network: scheduler, shape"},
	} {
		path := filepath.Join(t.TempDir(), []string{"w.pt", "w.ckpt", "w.pth.tar", "pytorch_model.bin"}[i%4])
		if err := os.WriteFile(path, renamed(t, c.pairs...), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path, Options{})
		if err != nil || !IsFile(path) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !reflect.DeepEqual(got.Params, want.Params) || !reflect.DeepEqual(got.Unused, want.Unused) || !reflect.DeepEqual(got.Buffer, want.Buffer) {
			t.Errorf("%s: other weights", c.name)
		}
		if notes := strings.Join(got.Notes, "; "); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: notes %q, want %q", c.name, notes, c.note)
		}
	}
}

// inDict is a source with everything of a state dict under a prefix, in so many dicts.
func inDict(tensors []Tensor, before string, depth int) (list []entry) {
	for _, e := range fromTensors(tensors).entries {
		e.name, e.depth = before+e.name, depth
		list = append(list, e)
	}
	return list
}

func loose(name, what string, depth int) entry { return entry{name: name, what: what, depth: depth} }

func TestWhichNetworkIsTaken(t *testing.T) {
	w := made(t, "batch")
	all := w.StateDict()
	scalar := fromTensors([]Tensor{{Name: "n_averaged", I32: []int32{3}}, {Name: "temperature", F32: []float32{2}}, {Name: "labels", Shape: []int{1}, I32: []int32{7}}}).entries
	for _, c := range []struct {
		name    string
		entries []entry
		notes   []string
	}{
		{"bare", inDict(all, "", 1), nil},
		{"official", inDict(all, "model_state_dict.", 2), nil},
		{"flat", func() []entry {
			list := inDict(all, "", 1)
			for i := range list {
				list[i].name = strings.TrimPrefix(list[i].name, "f.")
			}
			return list
		}(), nil},
		{"an average beside it", slices.Concat(inDict(all, "model.", 2), inDict(all, "model_ema.module.", 2)), []string{`takes the weights under "model_ema", not those under "model"`, "passes over what is no weight of the network: model"}},
		{"an average in a dict", slices.Concat(inDict(all, "net.", 2), inDict(all, "ema.shadow.", 3)), []string{`takes the weights under "ema.shadow", not those under "net"`, "passes over what is no weight of the network: net"}},
		{"usual keys", slices.Concat(inDict(all, "teacher.", 2), inDict(all, "state_dict.", 2)), []string{`takes the weights under "state_dict", not those under "teacher"`, "passes over what is no weight of the network: teacher"}},
		{"one within the other's names", slices.Concat(inDict(all, "", 1), inDict(all, "twin.", 1)), []string{`takes the weights under no name, not those under "twin"`, "passes over what is no weight of the network: twin"}},
		{"counts and scalars", slices.Concat(inDict(all, "", 1), scalar), []string{"passes over what is no weight of the network: n_averaged, temperature, labels"}},
		{"all sorts of things", slices.Concat(inDict(all, "", 1), []entry{loose("epoch", "a number", 1), loose("f.mask", "a tensor of bool", 1), loose("optimizer.state.0.step", "a number", 4)}), []string{"passes over what is no weight of the network: epoch, f, optimizer"}},
	} {
		got, err := newWeights("file", source{entries: c.entries}, Options{Size: 16})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !reflect.DeepEqual(got.Params, w.Params) || !reflect.DeepEqual(got.Stats, w.Stats) || !slices.Equal(got.Notes, c.notes) {
			t.Errorf("%s: other weights, or notes %q, want %q", c.name, got.Notes, c.notes)
		}
	}
}

// TestWhatIsNoOfficialNetwork: what strict loading refuses is refused, and says what is there.
func TestWhatIsNoOfficialNetwork(t *testing.T) {
	all := made(t, "batch").StateDict()
	with := func(name string, x Tensor) source {
		list := inDict(slices.DeleteFunc(slices.Clone(all), func(t Tensor) bool { return t.Name == name }), "", 1)
		x.Name = name
		return source{entries: append(list, fromTensors([]Tensor{x}).entries...)}
	}
	nan := float32(0)
	nan /= nan
	features := make([]float32, 64)
	for want, s := range map[string]source{
		"it has no tensors":                                 {entries: []entry{loose("epoch", "a number", 1)}},
		`it has conv1.weight, fc.weight; want f.conv1`:      {entries: inDict([]Tensor{{Name: "conv1.weight", F32: features}, {Name: "fc.weight", F32: features}}, "", 1)},
		`it has class_output.weight [3 64]; want f.conv1.`:  {entries: inDict([]Tensor{{Name: anchor, Shape: []int{3, 64}, F32: make([]float32, 192)}}, "", 1)},
		`"f.linear.weight" has shape [7 3], the official`:   with("f.linear.weight", Tensor{Shape: []int{7, 3}, F32: make([]float32, 21)}),
		`"energy_output.bias" has shape [], the official`:   with("energy_output.bias", Tensor{F32: []float32{1}}),
		`"f.bn7.num_batches_tracked" belongs to no`:         with("f.bn7.num_batches_tracked", Tensor{I32: []int32{1}}),
		`"x.num_batches_tracked" belongs to no`:             with("x.num_batches_tracked", Tensor{I32: []int32{1}}),
		`"f.linear.scale" belongs to no`:                    with("f.linear.scale", Tensor{F32: []float32{1}}),
		`"f.bn1.num_batches_tracked" has shape [1]`:         with("f.bn1.num_batches_tracked", Tensor{Shape: []int{1}, I32: []int32{1}}),
		`"class_output.bias" holds NaN at place 2`:          with("class_output.bias", Tensor{Shape: []int{3}, F32: []float32{0, 1, nan}}),
		`"replay_buffer" holds NaN at place 0`:              with(bufferName, Tensor{Shape: []int{1, 1, 16, 16}, F32: slices.Repeat([]float32{nan}, 256)}),
		`"f.bn1.running_var" holds the variance -1`:         with("f.bn1.running_var", Tensor{Shape: []int{64}, F32: slices.Repeat([]float32{-1}, 64)}),
		"for images of 2048×2048 pixels":                    with(bufferName, Tensor{Shape: []int{0, 1, 2048, 2048}, F32: []float32{}}),
		`"class_output.bias" is a negated or`:               {entries: append(inDict(slices.DeleteFunc(slices.Clone(all), func(t Tensor) bool { return t.Name == "class_output.bias" }), "", 1), loose("class_output.bias", "a negated or conjugated view", 1))},
		`tensor "f.conv1.bias" twice, as "f.conv1.bias" an`: {entries: append(inDict(all, "", 1), inDict([]Tensor{{Name: "module.f.conv1.bias", F32: features}}, "", 1)...)},
	} {
		_, err := newWeights("file", s, Options{Size: 0})
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestTypesOfSafetensors: the types that PyTorch writes, counters included, come back as those of .pt do.
func TestTypesOfSafetensors(t *testing.T) {
	w := made(t, "batch")
	for _, kind := range []dtype.Type{dtype.Float64, dtype.Float16, dtype.BFloat16} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		if err := os.WriteFile(path, cast(t, w.StateDict(), kind), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path, Options{Size: 16})
		if err != nil {
			t.Errorf("%s: %v", kind.Name, err)
			continue
		}
		for i, p := range got.Params {
			for j, v := range p.F32 {
				// Eight bits of fraction, or 24 places after the point, cut off.
				if e := w.Params[i].F32[j] - v; e < 0 || e > max(w.Params[i].F32[j]/128, 1.0/(1<<24)) {
					t.Fatalf("%s: %s[%d] is %g, want %g", kind.Name, p.Name, j, v, w.Params[i].F32[j])
				}
			}
		}
	}
}

// cast is a safetensors file of positive floats of the given type, and of integers of 64 bits.
func cast(t *testing.T, tensors []Tensor, kind dtype.Type) []byte {
	t.Helper()
	names := map[string]string{"float64": "F64", "float16": "F16", "bfloat16": "BF16"}
	type head struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, data := map[string]head{}, []byte{}
	for _, x := range tensors {
		h := head{names[kind.Name], append([]int{}, x.Shape...), [2]int{len(data)}}
		for _, v := range x.F32 {
			data = appendAs(data, kind, v)
		}
		for _, v := range x.I32 {
			h.DType, data = "I64", binary.LittleEndian.AppendUint64(data, uint64(v))
		}
		h.Offsets[1] = len(data)
		header[x.Name] = h
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

// appendAs appends v ≥ 0, cut off where the type has fewer places.
func appendAs(b []byte, kind dtype.Type, v float32) []byte {
	bits := math.Float32bits(v)
	switch kind.Name {
	case "float64":
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
	case "bfloat16":
		return binary.LittleEndian.AppendUint16(b, uint16(bits>>16))
	}
	exponent := int(bits>>23) - 127 + 15
	if exponent <= 0 { // below 2⁻¹⁴: so many 2⁻²⁴
		return binary.LittleEndian.AppendUint16(b, uint16(v*(1<<24)))
	}
	return binary.LittleEndian.AppendUint16(b, uint16(exponent<<10)|uint16(bits>>13&1023))
}
