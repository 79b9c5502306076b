package train

import (
	"testing"

	"jem/backend/cpu"
	"jem/backend/cpu/asm"
	"jem/internal/golden"
)

// The three recorded steps of the official code, on every instruction set of this machine.
// The tolerances are golden's own.
func TestGoldenSteps(t *testing.T) {
	for _, name := range []string{"jem_wrn10_1", "jem_joint_wrn10_2", "jem_sgd_wrn16_1"} {
		step, err := golden.Read("../internal/golden/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range asm.Available() {
			t.Run(name+" "+isa.String(), func(t *testing.T) {
				d, err := cpu.Open(cpu.Options{ISA: isa.String()})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				got, err := Replay(d, step)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range step.Compare(got) {
					t.Log(c)
					if !c.OK {
						t.Errorf("%s differs from the official arithmetic", c.Group)
					}
				}
			})
		}
	}
}
