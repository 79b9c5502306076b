package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"jem/internal/failpoint"
)

// scenario is something done to a folder that already holds steps 1 and 2.
type scenario struct {
	name string
	do   func(*Store) error
	left []int // steps of which one must be the newest usable one, whatever happened
}

var scenarios = []scenario{
	{"a new step", func(s *Store) error { return saveError(s, 3) }, []int{2, 3}},
	{"the same step again", func(s *Store) error { return saveError(s, 2) }, []int{2}},
	{"discarding", func(s *Store) error { _, err := s.Discard(1); return err }, []int{1, 2}},
	{"pruning", func(s *Store) error { _, err := s.Prune(Policy{KeepLast: 1}); return err }, []int{2}},
}

func saveError(s *Store, step int) error {
	files, state := content(step)
	_, err := s.Save(step, files, state)
	return err
}

// The n-th operation fails, for every n until none does; SQLite is tested like this.
func TestFailureOfAnyOperationLeavesAUsableCheckpoint(t *testing.T) {
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			n := 1
			for c.failAt(t, n) {
				n++
			}
			t.Logf("%d points", n-1)
		})
	}
}

// failAt lets the n-th operation fail and reports whether there is one.
func (c scenario) failAt(t *testing.T, n int) bool {
	t.Helper()
	dir := t.TempDir()
	save(t, open(t, dir), 1, 2)
	point, err := failpoint.Parse(fmt.Sprintf("ckpt:%d:error", n))
	if err != nil {
		t.Fatal(err)
	}
	err = c.do(&Store{dir: dir, disk: withFailpoint(osDisk{}, point)})
	fired := point.Fired()
	if errors.Is(err, failpoint.Err) != fired {
		t.Fatalf("point %d: fired %v, got %v", n, fired, err)
	}
	wantRecovered(t, dir, c.left)
	return fired
}

// wantRecovered checks a folder as the next run finds it.
func wantRecovered(t *testing.T, dir string, left []int) {
	t.Helper()
	open(t, dir)
	wantLatest(t, dir, left...)
	for _, name := range names(t, dir) {
		if _, ok := stepOf(name); !ok {
			t.Errorf("left behind: %s", name)
		}
	}
	if _, damaged, _ := Latest(dir); len(damaged) > 0 {
		t.Errorf("damaged: %v", damaged)
	}
}

// The same with a process that dies: this test binary, started again for one scenario.
func TestDeathAtAnyOperationLeavesAUsableCheckpoint(t *testing.T) {
	if dir := os.Getenv("JEM_TEST_DIR"); dir != "" {
		die(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("starts a process for each point")
	}
	for i, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			for n := 1; ; n++ {
				dir := t.TempDir()
				save(t, open(t, dir), 1, 2)
				cmd := exec.Command(os.Args[0], "-test.run=^TestDeathAtAnyOperationLeavesAUsableCheckpoint$")
				cmd.Env = append(os.Environ(), "JEM_TEST_DIR="+dir, fmt.Sprintf("JEM_TEST_SCENARIO=%d", i),
					fmt.Sprintf("%s=ckpt:%d:exit", failpoint.Env, n))
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if err == nil {
					t.Logf("%d points", n-1)
					return
				}
				if !errors.As(err, &exit) || exit.ExitCode() != 137 {
					t.Fatalf("point %d: %v\n%s", n, err, out)
				}
				wantRecovered(t, dir, c.left)
			}
		})
	}
}

// die is the child process.
func die(t *testing.T, dir string) {
	for i, c := range scenarios {
		if os.Getenv("JEM_TEST_SCENARIO") != fmt.Sprint(i) {
			continue
		}
		if err := c.do(open(t, dir)); err != nil {
			t.Fatal(err)
		}
	}
}
