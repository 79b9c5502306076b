package data

import (
	"bytes"
	"slices"

	"jem/internal/fault"
)

// The names that a pickle of NumPy arrays uses. None is looked for anywhere.
var pickledNames = []pickledName{"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}

// name reads the name of a function or type: two lines.
func (p *pickled) name() error {
	module, rest, _ := bytes.Cut(p.rest[:min(len(p.rest), 200)], []byte{'\n'})
	name, _, ended := bytes.Cut(rest, []byte{'\n'})
	n := pickledName(string(module) + " " + string(name))
	if !ended || !slices.Contains(pickledNames, n) {
		return fault.Badf("the pickle names %s, which the published file does not", fault.Quote(string(n)))
	}
	p.push(n)
	_, err := p.take(len(module) + len(name) + 2)
	return err
}

// reduce stands for a call: of an array's maker, or of its type of elements.
func (p *pickled) reduce() error {
	call, err := p.pop(2)
	if err != nil {
		return err
	}
	name, _ := call[0].(pickledName)
	args, _ := call[1].(pickledTuple)
	switch {
	case name == pickledNames[0] || name == pickledNames[1]:
		p.push(&pickledArray{})
		return nil
	case name == "numpy dtype" && len(args) > 0:
		if kind, ok := args[0].([]byte); ok {
			p.push(pickledName(kind))
			return nil
		}
	}
	return fault.Badf("the pickle makes what the published file does not")
}

// build gives an array its state: version, shape, type, whether by columns, bytes. That of a
// type says nothing about bytes.
func (p *pickled) build() error {
	pair, err := p.pop(2)
	if err != nil {
		return err
	}
	p.push(pair[0])
	a, ok := pair[0].(*pickledArray)
	if !ok {
		return nil
	}
	state, _ := pair[1].(pickledTuple)
	if len(state) != 5 {
		return fault.Badf("the pickle's array has a state of %d parts, want 5", len(state))
	}
	shape, _ := state[1].(pickledTuple)
	dtype, _ := state[2].(pickledName)
	columns, _ := state[3].(bool)
	if columns {
		return fault.Badf("the pickle's array lies by columns, that of the published file by rows")
	}
	a.dtype = string(dtype)
	a.data, _ = state[4].([]byte)
	for _, n := range shape {
		side, _ := n.(int)
		a.shape = append(a.shape, side)
	}
	return nil
}

// fromPython turns a batch of CIFAR's Python version into the bytes of the binary version,
// whose hashes are known: each image's labels, as many as it has there, then its planes.
func fromPython(file []byte, labelBytes int) ([]byte, error) {
	batch, err := readPickle(file)
	if err != nil {
		return nil, err
	}
	images, _ := batch["data"].(*pickledArray)
	if images == nil || images.dtype != "u1" || len(images.shape) != 2 || images.shape[1] != cifarPixels || len(images.data) != images.shape[0]*cifarPixels {
		return nil, fault.Badf("the pickle has no array \"data\" of (N,%d) uint8: not the published file", cifarPixels)
	}
	n := images.shape[0]
	records := make([]byte, n*(labelBytes+cifarPixels))
	for j, name := range [][]string{{"labels"}, {"coarse_labels", "fine_labels"}}[labelBytes-1] {
		labels, _ := batch[name].(*pickledList)
		if labels == nil || len(labels.items) != n {
			return nil, fault.Badf("the pickle has no %d %s: not the published file", n, name)
		}
		for i, v := range labels.items {
			label, ok := v.(int)
			if !ok || label < 0 || label > 255 {
				return nil, fault.Badf("record %d has label %s: not the published file", i, fault.Quote(v))
			}
			records[i*(labelBytes+cifarPixels)+j] = byte(label)
		}
	}
	for i := range n {
		copy(records[i*(labelBytes+cifarPixels)+labelBytes:], images.data[i*cifarPixels:(i+1)*cifarPixels])
	}
	return records, nil
}
