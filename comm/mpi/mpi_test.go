//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// long is how long a job may take on a busy machine.
const long = 3 * time.Minute

func TestContract(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		for _, ranks := range []int{2, 3, 4} {
			t.Run(fmt.Sprint(ranks), func(t *testing.T) {
				j := begin(t, engine, ranks, "questions")
				if code := j.end(long); code != 0 || strings.Count(j.out.String(), "closed: ") != ranks {
					t.Errorf("exit code %d:\n%s", code, j.out.String())
				}
				t.Log(strings.SplitN(j.out.String(), "\n", 2)[0])
			})
		}
	})
}

// TestExitCode: what all ranks agree on comes through the launcher, though they leave one after the other.
func TestExitCode(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		for _, want := range []int{0, 75, 76} {
			j := begin(t, engine, 3, "leave", fmt.Sprintf("JEM_TEST_CODE=%d", want))
			if code := j.end(long); code != want {
				t.Errorf("exit code %d, want %d:\n%s", code, want, j.out.String())
			}
		}
	})
}

func TestAbort(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		j := begin(t, engine, 3, "abort")
		if code := j.end(long); code != 76 {
			t.Errorf("exit code %d, want 76:\n%s", code, j.out.String())
		}
	})
}
