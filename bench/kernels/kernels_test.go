package kernels

import (
	"context"
	"testing"
)

// TestKernelsCountTheirBytes holds the traffic that rates are computed from against the
// operands of some operations: 12 bytes an element of a chain, 28 of Adam's four tensors.
func TestKernelsCountTheirBytes(t *testing.T) {
	const n = 163840 // one image of 160 channels, 53 pictures
	rs, err := Kernels(context.Background(), open(t), n, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"Copy": 8 * n, "SGLDStep": 12 * 53 * 3072, "LeakyReLU": 8 * n, "AdamStep": 28 * n, "Normal": 4 * n}
	for _, r := range rs {
		if b, ok := want[r.Kernel]; ok && r.Bytes != b {
			t.Errorf("%s moves %g bytes, want %g", r.Kernel, r.Bytes, b)
		}
		delete(want, r.Kernel)
		if r.Seconds <= 0 || r.GBs <= 0 || r.CopyShare <= 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(want) > 0 || rs[0].Kernel != "Copy" || rs[0].CopyShare != 1 {
		t.Errorf("missing %v, first %+v", want, rs[0])
	}
}
