package weights

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"jem/internal/safetensors"
)

// shards writes weights as files of so many tensors each, and their index, into a folder.
func shards(t *testing.T, w *Weights, each int) (folder string) {
	t.Helper()
	folder = t.TempDir()
	all := w.StateDict()
	n := (len(all) + each - 1) / each
	var where []string
	for i := range n {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, n)
		part := all[i*each : min(len(all), (i+1)*each)]
		var b bytes.Buffer
		if err := safetensors.Write(&b, part); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, name), b.String())
		for _, x := range part {
			where = append(where, fmt.Sprintf("%q:%q", x.Name, name))
		}
	}
	write(t, filepath.Join(folder, "model.safetensors.index.json"), `{"metadata":{"total_size":1},"weight_map":{`+strings.Join(where, ",")+"}}")
	return folder
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestShardsAreReadByTheirIndex(t *testing.T) {
	w := made(t, "batch")
	folder := shards(t, w, 1+len(w.StateDict())/5)
	index := filepath.Join(folder, "model.safetensors.index.json")
	got, err := Read(index, Options{Size: 16})
	if err != nil || !reflect.DeepEqual(got.Params, w.Params) || !reflect.DeepEqual(got.Stats, w.Stats) {
		t.Errorf("other weights: %v", err)
	}
	shard := filepath.Join(folder, "model-00002-of-00005.safetensors")
	if _, err := Read(shard, Options{}); err == nil || !strings.Contains(err.Error(), "one of 5 files that are a network together: name model.safetensors.index.json") {
		t.Errorf("a shard alone: %v", err)
	}
	for want, text := range map[string]string{
		`names the file "../a.safetensors"`:   `{"weight_map":{"a":"../a.safetensors"}}`,
		`names the file "/a.safetensors"`:     `{"weight_map":{"a":"/a.safetensors"}}`,
		`names the file "a.pt"`:               `{"weight_map":{"a":"a.pt"}}`,
		"no such file":                        `{"weight_map":{"a":"a.safetensors"}}`,
		"names 0 of them":                     `{}`,
		"no index of safetensors files: inv":  `no JSON`,
		"in \"\", but it is in \"model-00002": `{"weight_map":{"x":"model-00002-of-00005.safetensors"}}`,
	} {
		write(t, index, text)
		if _, err := Read(index, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
