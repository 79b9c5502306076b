package torchfile

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// tensorPickle is a call that makes a tensor of storage 0, all four numbers of it.
func tensorPickle(function, storage string, more ...string) string {
	return "ctorch._utils\n" + function + "\n((U\x07storagec" + storage + "\nU\x010U\x03cpuK\x04NtQK\x00K\x04\x85K\x01\x85" + strings.Join(more, "") + "tR"
}

// TestWhatIsNoWeight: what PyTorch's restricted loader takes is read; what can't be a weight is told apart from what can.
func TestWhatIsNoWeight(t *testing.T) {
	const hooks = "\x89ccollections\nOrderedDict\n)R"
	floats := tensorPickle("_rebuild_tensor_v2", "torch\nFloatStorage", hooks)
	for _, c := range []struct{ name, pickle, what string }{
		{"tensor", floats, "a tensor of float32"},
		{"old tensor", tensorPickle("_rebuild_tensor", "torch\nFloatStorage"), "a tensor of float32"},
		{"old tensor from a GPU", tensorPickle("_rebuild_tensor", "torch.cuda\nFloatStorage"), "a tensor of float32"},
		{"tensor with metadata", tensorPickle("_rebuild_tensor_v2", "torch\nFloatStorage", hooks, "}"), "a tensor of float32"},
		{"negated", tensorPickle("_rebuild_tensor_v2", "torch\nFloatStorage", hooks, "}U\x03neg\x88s"), "a negated or conjugated view"},
		{"parameter", "ctorch._utils\n_rebuild_parameter\n(" + floats + "\x88ccollections\nOrderedDict\n)RtR", "a tensor of float32"},
		{"parameter with attributes", "ctorch._utils\n_rebuild_parameter_with_state\n(" + floats + "\x88ccollections\nOrderedDict\n)R}U\x01aK\x01stR", "a tensor of float32"},
		{"parameter with its own", "ctorch._tensor\n_rebuild_from_type_v2\n(" + "ctorch._utils\n_rebuild_parameter\nctorch.nn.parameter\nParameter\n(" + floats + "\x88Nt}tR", "a tensor of float32"},
		{"random state", tensorPickle("_rebuild_tensor_v2", "torch\nByteStorage", hooks), "a tensor of uint8"},
		{"truth values", tensorPickle("_rebuild_tensor_v2", "torch\nBoolStorage", hooks), "a tensor of bool"},
		{"float8", tensorPickle("_rebuild_tensor_v3", "torch.storage\nUntypedStorage", hooks, "ctorch\nfloat8_e4m3fn\n"), "a tensor of float8_e4m3fn"},
		{"unsigned", tensorPickle("_rebuild_tensor_v3", "torch.storage\nUntypedStorage", hooks, "ctorch\nuint16\nN"), "a tensor of uint16"},
		{"without numbers", "ctorch._utils\n_rebuild_meta_tensor_no_storage\n(ctorch\nfloat32\nK\x02\x85K\x01\x85\x89tR", "a tensor without numbers"},
		{"sparse", "ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n_get_layout\nU\x10torch.sparse_coo\x85R)tR", "a sparse tensor"},
		{"size", "ctorch\nSize\n(K\x02K\x03t\x85R", "a torch.Size"},
		{"device", "ctorch\ndevice\nU\x03cpu\x85R", "a torch.device"},
		{"type", "ctorch\nbfloat16\n", "a torch.bfloat16"},
		{"counter", "ccollections\nCounter\n}\x85R", "an empty dict"},
		{"pairs", "ccollections\nOrderedDict\n]\x85R", "an empty dict"},
		{"set", "c__builtin__\nset\n](K\x01K\x02e\x85R", "a set"},
		{"set of protocol 4", "\x8f(K\x01K\x02\x90", "a set"},
		{"frozen set", "(K\x01K\x02\x91", "a set"},
		{"bytes of protocol 2", "c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbfU\x06latin1\x86R", "bytes"},
		{"bytes", "C\x02\xff\xfeq\x00", "bytes"},
		{"bytes of a length of eight", "\x8e\x01\x00\x00\x00\x00\x00\x00\x00\xff", "bytes"},
		{"bytes of Python 2", "U\x02\xff\xfe", "bytes"},
		{"complex", "c__builtin__\ncomplex\nG" + strings.Repeat("\x00", 8) + "G" + strings.Repeat("\x00", 8) + "\x86R", "a complex number"},
		{"long", "\x8a\x09" + strings.Repeat("\x01", 9), "a number"},
		{"negative", "\x8a\x01\xff", "a number"},
		{"text", "X\x02\x00\x00\x00\xc3\xa4", "a text"},
		{"text of a length of eight", "\x8d\x02\x00\x00\x00\x00\x00\x00\x00\xc3\xa4", "a text"},
		{"long text", "X\x01\x00\x01\x00" + strings.Repeat("x", 64<<10+1), "a long text"},
		{"none", "N", "None"}, {"truth", "\x88", "a truth value"}, {"float", "G" + strings.Repeat("\x00", 8), "a number"},
		{"list", "](K\x01e", "a list"}, {"tuple", "K\x01\x85", "a tuple"},
	} {
		var sizes []int
		var storages [][]byte
		if strings.Contains(c.pickle, "Storage\n") {
			size := map[bool]int{true: 4, false: 1}[strings.Contains(c.pickle, "FloatStorage")]
			data := binary.LittleEndian.AppendUint32(nil, math.Float32bits(2))
			sizes, storages = []int{4}, [][]byte{append(data, make([]byte, 4*size-len(data))...)}
		}
		f, err := opened(inLegacy([]byte("\x80\x02}U\x01v"+c.pickle+"s."), sizes, storages...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		e := f.Entries[0]
		if len(f.Entries) != 1 || e.Name != "v" || e.What != c.what || e.Type.Float() != (c.what == "a tensor of float32") {
			t.Errorf("%s: got %+v, want %s", c.name, e, c.what)
		}
		if e.Type.Float() {
			if x, err := f.Tensor(e); err != nil || x.F32[0] != 2 {
				t.Errorf("%s: numbers %v, %v", c.name, x.F32, err)
			}
		}
	}
}

// TestProtocol4: frames, short strings, memoised values, names taken from the stack.
func TestProtocol4(t *testing.T) {
	frame := "\x95" + strings.Repeat("\x00", 8)
	pickle := "\x80\x04" + frame + "}\x94(\x8c\x01a\x94\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01bK\x05\x8c\x01ch\x01u\x8c\x01dh\x05u."
	f, err := opened(inLegacy([]byte(pickle), nil))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range f.Entries {
		names = append(names, e.Name+":"+e.What+e.Text)
	}
	if got := strings.Join(names, " "); got != "a.b:a number a.c:a texta d.b:a number d.c:a texta" {
		t.Errorf("got %s", got)
	}
	magic := "\x80\x04" + frame + "\x8a\x0a" + string(magic) + "."
	file := strings.Replace(string(inLegacy([]byte(pickle), nil)), magicPickle, magic, 1)
	if _, err := opened([]byte(file)); err != nil {
		t.Errorf("with a magic number of protocol 4: %v", err)
	}
}

// Names of several keys: dicts in dicts are told from dots in a key by Depth.
func TestNamesAndDepths(t *testing.T) {
	f, err := opened(inLegacy([]byte("\x80\x02}(U\x03a.bK\x01U\x01a}(U\x01cK\x01K\x07}U\x01dNsu\x88N\x4eNu."), nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{{Name: "a.b", Depth: 1}, {Name: "a.c", Depth: 2}, {Name: "a.7.d", Depth: 3}, {Name: "true", Depth: 1}, {Name: "nothing", Depth: 1}}
	for i, e := range f.Entries {
		if e.Name != want[i].Name || e.Depth != want[i].Depth {
			t.Errorf("entry %d is %s of depth %d, want %+v", i, e.Name, e.Depth, want[i])
		}
	}
}

// Tensors that share their numbers are read; the same numbers again and again are not.
func TestTiedTensors(t *testing.T) {
	one := tensorPickle("_rebuild_tensor", "torch\nFloatStorage")
	f, err := opened(inLegacy([]byte("\x80\x02}(U\x01a"+one+"U\x01b"+one+"u."), []int{4}, make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Entries {
		if x, err := f.Tensor(e); err != nil || len(x.F32) != 4 || x.Name != e.Name {
			t.Errorf("%s: %v, %v", e.Name, x, err)
		}
	}
	for range 1000 {
		if _, err = f.Tensor(f.Entries[0]); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "4 times larger than the file") {
		t.Errorf("a thousand times: %v", err)
	}
}
