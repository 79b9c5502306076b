package cpu

import (
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// What ConvSize and TensorSize foretell is what the device then takes, for every algorithm.
func TestSizesAreForetold(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, algo := range []string{"direct", "winograd"} {
			for _, spec := range oracleSpecs {
				d := openDevice(t, Options{ISA: isa.String(), Threads: 2, ConvAlgo: algo})
				own, shared := d.ConvSize(spec)
				if len(d.Choices()) > 0 || d.meter.now != 0 {
					t.Fatal("a rehearsal left traces")
				}
				w, b := d.New(backend.Dense, spec.OutC, spec.InC, spec.Kernel, spec.Kernel), d.New(backend.Dense, spec.OutC)
				tensors := d.TensorSize(backend.Dense, spec.OutC, spec.InC, spec.Kernel, spec.Kernel) + d.TensorSize(backend.Dense, spec.OutC)
				if now, _ := d.InUse(); now != tensors {
					t.Errorf("%s: tensors take %d bytes, foretold %d", specName(spec), now, tensors)
				}
				d.NewConv(spec, w, b)
				if now, _ := d.InUse(); now != tensors+own+shared || own == 0 {
					t.Errorf("%s, %s, %s: the plan takes %d bytes, foretold %d and %d shared", isa, algo, specName(spec), now-tensors, own, shared)
				}
			}
		}
	})
}

func TestTensorsAreMetered(t *testing.T) {
	d := testDevice(t, asm.Generic, 1)
	for _, c := range []struct {
		kind  backend.Kind
		shape []int
	}{
		{backend.Dense, []int{3, 5}}, {backend.Index, []int{7}}, {backend.Image, []int{2, 3, 8, 8}}, {backend.Image, []int{2, 17, 5, 7}},
	} {
		x := d.New(c.kind, c.shape...)
		d.Rows(x, 0, 1)
		if now, _ := d.InUse(); now != d.TensorSize(c.kind, c.shape...) {
			t.Errorf("%s takes %d bytes, foretold %d", backend.Describe(x), now, d.TensorSize(c.kind, c.shape...))
		}
		d.Free(d.Rows(x, 0, 1)) // a view has no memory
		d.Free(x)
		if now, peak := d.InUse(); now != 0 || peak == 0 {
			t.Errorf("%s freed: %d bytes in use, peak %d", backend.Describe(x), now, peak)
		}
	}
}

// Measuring takes memory for a while only.
func TestMeasurementsGiveMemoryBack(t *testing.T) {
	d := openDevice(t, Options{ISA: "generic", Threads: 1, Memo: memo{}})
	w, b := d.New(backend.Dense, 32, 32, 3, 3), d.New(backend.Dense, 32)
	before, _ := d.InUse()
	d.NewConv(feature, w, b)
	now, peak := d.InUse()
	own, _ := d.ConvSize(feature) // with what was chosen
	if took := now - before - d.scratch.meter.now; took != own || peak <= now {
		t.Errorf("after measuring the plan takes %d bytes, want %d; at its peak the device took %d", took, own, peak-now)
	}
}
