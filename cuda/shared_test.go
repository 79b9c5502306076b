//go:build cuda && linux && amd64

package cuda_test

import (
	"testing"

	"jem/backend"
	"jem/cuda"
)

// A device that shares its card tells where its tensors lie: views at their offsets, all on one stream; one that does
// not says so, and an image, which lies in another order, is a caller's mistake.
func TestAddresses(t *testing.T) {
	own := open(t, cuda.Options{}).(backend.Addresser)
	if own.Addressable() {
		t.Error("a card that isn't shared has addresses")
	}
	d := open(t, cuda.Options{Shared: true})
	a := d.(backend.Addresser)
	x := d.New(backend.Dense, 10, 3)
	stream, first, err := a.Address(x)
	if err != nil || !a.Addressable() || stream == 0 || first == 0 {
		t.Fatalf("stream %x, address %x, %v", stream, first, err)
	}
	if s, at, err := a.Address(d.View(x, 7, 1, 5)); err != nil || s != stream || at != first+7*4 {
		t.Errorf("a view from element 7 on lies at %x, of a tensor at %x: %v", at, first, err)
	}
	for what, mistake := range map[string]func(){
		"an image":              func() { a.Address(d.New(backend.Image, 1, 1, 2, 2)) },
		"a card of another one": func() { own.Address(x) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s has an address", what)
				}
			}()
			mistake()
		}()
	}
}

// Two devices on a shared card leave nothing behind, whichever is closed first.
func TestSharedCardIsGivenBack(t *testing.T) {
	for _, second := range []bool{false, true} {
		var all [2]backend.Device
		for i := range all {
			d, err := cuda.Open(cuda.Options{Shared: true})
			if err != nil {
				t.Fatal(err)
			}
			all[i] = d
		}
		if second {
			all[0], all[1] = all[1], all[0]
		}
		if err := all[0].Close(); err != nil {
			t.Error(err)
		}
		x := all[1].New(backend.Dense, 2)
		all[1].Fill(x, 3)
		var got [2]float32
		if err := all[1].Download(got[:], x); err != nil || got != [2]float32{3, 3} {
			t.Errorf("the other one holds %v: %v", got, err)
		}
		if err := all[1].Close(); err != nil {
			t.Error(err)
		}
	}
}
