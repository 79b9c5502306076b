package cpu

import (
	"fmt"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
)

// TestProgramsPanic with what a call has to say, and the device works on.
func TestProgramsPanic(t *testing.T) {
	for _, threads := range []int{1, 3} {
		d := directDevice(t, asm.Best(), threads)
		net := newPictureNet(d, 40, 6, 10, true)
		chain := d.NewChain(2, net.step)
		chain.Run(testKey)
		want := newPictureNet(directDevice(t, asm.Best(), 1), 40, 6, 10, false)
		backend.PlainChain{Steps: 2, Step: want.step}.Run(testKey)
		labels := make([]int32, 40)
		for name, call := range map[string]func(){
			"a chain":     func() { chain.Run(testKey.At(1, 0)) },
			"a new chain": func() { d.NewChain(2, net.step).Run(testKey) },
			"a pass":      func() { d.Pass(func() { net.gradient(testKey, true) }) },
			"recording":   func() { d.Pass(func() { net.gradient(testKey, true); d.Upload(net.labels, nil) }) },
			"a step": func() {
				d.NewChain(2, func(int, philox.Key) { net.gradient(testKey, false); panic("backend: label") }).Run(testKey)
			},
		} {
			labels[33] = 7
			d.UploadIndex(net.labels, labels)
			said := func() (said string) {
				defer func() { said = fmt.Sprint(recover()) }()
				call()
				return ""
			}()
			if said == "<nil>" {
				t.Errorf("%s, %d threads: no panic", name, threads)
			}
			if d.recording != nil || d.chaining || d.replay != (replay{}) {
				t.Errorf("%s, %d threads: recording %v, chaining %v, replaying %v", name, threads, d.recording != nil, d.chaining, d.replay)
			}
			labels[33] = 0
			d.UploadIndex(net.labels, labels)
			net.start(0)
			chain.Run(testKey)
			if !slices.Equal(net.results(t), want.results(t)) {
				t.Errorf("%s, %d threads: other bits after a panic", name, threads)
			}
		}
	}
}
