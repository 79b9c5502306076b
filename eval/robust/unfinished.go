package robust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"jem/eval/attack"
	"jem/internal/durable"
	"jem/internal/safetensors"
	"jem/predict"
)

// units keeps the finished batches of one attack in a folder, a file each, written whole or
// not at all. The folder's name holds a hash of all that the numbers depend on, so another
// attack, network or set of images never meets them.
type units struct{ dir string }

// openUnits makes the folder of an attack's batches below another.
func openUnits(folder string, r *Result) (*units, error) {
	about, err := json.Marshal(struct {
		Weights, Device, Data string
		Options               Options
		Source                *predict.Subject
	}{r.Weights, r.Device, r.DataHash, r.Options, r.Source})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(about)
	u := &units{filepath.Join(folder, "unfinished-"+r.Kind+"-"+hex.EncodeToString(sum[:6]))}
	r.units = u.dir
	return u, os.MkdirAll(u.dir, 0o777)
}

// Forget removes the finished batches that Options.Folder kept, when the result has been
// written elsewhere.
func (r *Result) Forget() error {
	if r.units == "" {
		return nil
	}
	return os.RemoveAll(r.units)
}

func (u *units) path(name string) string { return filepath.Join(u.dir, name+".safetensors") }

// Load implements attack.Store. A file that can't be understood counts as none: its batch is
// computed again.
func (u *units) Load(name string) (*attack.Unit, error) {
	b, err := os.ReadFile(u.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tensors, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, nil
	}
	unit := &attack.Unit{}
	for _, t := range tensors {
		switch t.Name {
		case "broken":
			unit.Broken = truths(t.I32)
		case "confirmed":
			unit.Confirmed = truths(t.I32)
		case "images":
			unit.Images = t.F32
		}
	}
	return unit, nil
}

// Save implements attack.Store.
func (u *units) Save(name string, unit *attack.Unit) error {
	n := len(unit.Broken)
	var b bytes.Buffer
	if err := safetensors.Write(&b, []safetensors.Tensor{
		{Name: "broken", Shape: []int{n}, I32: numbers(unit.Broken)},
		{Name: "confirmed", Shape: []int{n}, I32: numbers(unit.Confirmed)},
		{Name: "images", Shape: []int{n, len(unit.Images) / n}, F32: unit.Images},
	}); err != nil {
		return err
	}
	return durable.WriteFile(u.path(name), b.Bytes())
}

func truths(all []int32) []bool {
	out := make([]bool, len(all))
	for i, v := range all {
		out[i] = v != 0
	}
	return out
}

func numbers(all []bool) []int32 {
	out := make([]int32, len(all))
	for i, v := range all {
		if v {
			out[i] = 1
		}
	}
	return out
}
