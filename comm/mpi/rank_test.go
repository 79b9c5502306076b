//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"jem/comm"
	"jem/comm/commtest"
	"jem/comm/launch"
)

// A launcher starts this test program anew as each rank of a job; the variables say what the rank is to do.
const (
	sceneVariable  = "JEM_TEST_SCENE"
	folderVariable = "JEM_TEST_FOLDER" // for files named after ranks, with their process numbers
)

// scenePatience is the ranks' in scenes where somebody doesn't come.
const scenePatience = 2 * time.Second

func TestMain(m *testing.M) {
	if scene := os.Getenv(sceneVariable); scene != "" {
		os.Exit(play(scene)) // not reached by ranks that leave through their engine
	}
	os.Exit(m.Run())
}

// play is the life of a rank. It returns an exit code where there is no engine to leave through.
func play(scene string) int {
	place, err := launch.Read(os.Getenv)
	if err != nil {
		fmt.Println(err)
		return 78
	}
	os.WriteFile(filepath.Join(os.Getenv(folderVariable), fmt.Sprint(place.Rank)), []byte(strconv.Itoa(os.Getpid())), 0o644)
	if scene == "watch" { // without MPI, some of which notice by themselves
		e := &engine{host: "here", notes: func(text string) { fmt.Println("note:", text) }}
		launch.Watch(os.Getppid(), 50*time.Millisecond, e.orphaned)
	}
	patience := 2 * time.Minute
	if scene == "absent" || scene == "stopped" || scene == "killed" {
		patience = scenePatience
	}
	c, err := Open(Options{Place: place, Patience: patience, Notes: func(text string) { fmt.Println("note:", text) }})
	var setup *comm.SetupError
	if err != nil {
		fmt.Println("open:", err)
		if errors.As(err, &setup) {
			return 78
		}
		return 69
	}
	c.At(3)
	if err := scenes[scene](c); err != nil {
		fmt.Printf("rank %d: %v\n", c.Rank(), err)
		var peer *comm.PeerError
		if errors.As(err, &peer) {
			c.Abort(69, "")
		}
		c.Abort(1, "")
	}
	if err := c.Close(); err != nil {
		fmt.Printf("rank %d: close: %v\n", c.Rank(), err)
		c.Abort(1, "")
	}
	fmt.Printf("rank %d of %d closed: %s\n", c.Rank(), c.Size(), c.Name())
	code, _ := strconv.Atoi(os.Getenv("JEM_TEST_CODE"))
	c.Exit(code)
	return 1
}

// scenes are what ranks do between opening and closing.
var scenes = map[string]func(c comm.Comm) error{
	"questions": func(c comm.Comm) error {
		for _, q := range commtest.Questions() {
			if err := q.Ask(c); err != nil {
				return fmt.Errorf("%s: %w", q.Name, err)
			}
		}
		return nilChecks()
	},
	"leave": func(c comm.Comm) error {
		time.Sleep(time.Duration(c.Rank()) * 300 * time.Millisecond) // not together
		return nil
	},
	"absent": func(c comm.Comm) error { // the last rank computes too long
		if _, err := c.Max(1); err != nil || c.Rank() != c.Size()-1 {
			return errors.Join(err, c.Sum(make([]float32, 100)).Wait())
		}
		c.At(4)
		time.Sleep(time.Minute)
		return nil
	},
	"stopped": func(c comm.Comm) error { // the last rank is stopped
		if _, err := c.Max(1); err != nil || c.Rank() != c.Size()-1 {
			return errors.Join(err, c.Sum(make([]float32, 100)).Wait())
		}
		return commtest.Halt(syscall.SIGSTOP)
	},
	"killed": func(c comm.Comm) error { // the last rank is killed
		if _, err := c.Max(1); err != nil || c.Rank() != c.Size()-1 {
			return errors.Join(err, c.Sum(make([]float32, 100)).Wait())
		}
		return commtest.Halt(syscall.SIGKILL)
	},
	"compute": func(c comm.Comm) error { // all do, and say nothing to others
		if _, err := c.Max(1); err != nil {
			return err
		}
		os.WriteFile(filepath.Join(os.Getenv(folderVariable), "computing"+fmt.Sprint(c.Rank())), nil, 0o644)
		for begin, x := time.Now(), 0; time.Since(begin) < time.Minute; {
			x++
		}
		return nil
	},
	"wait": func(c comm.Comm) error { // rank 0 does, for two seconds of another's
		if _, err := c.Max(1); err != nil {
			return err
		}
		if c.Rank() == 1 {
			time.Sleep(2 * time.Second)
		}
		begin, used := time.Now(), processorTime()
		_, err := c.Max(1)
		if c.Rank() == 0 {
			fmt.Printf("waited at a cost of %.2f cores\n", (processorTime()-used).Seconds()/time.Since(begin).Seconds())
		}
		return err
	},
	"strangers": func(c comm.Comm) error { // come to different rounds
		if c.Rank() == 1 {
			return c.Gather(make([]float32, 100)).Wait()
		}
		return c.Gather(make([]float32, 200)).Wait()
	},
	"abort": func(c comm.Comm) error {
		if c.Rank() == 1 {
			c.Abort(76, "as agreed")
		}
		_, err := c.Max(1)
		return err
	},
}

func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// nilChecks: Go's own handler of SIGSEGV is still there.
func nilChecks() (err error) {
	defer func() {
		if recover() == nil {
			err = errors.New("nil could be read from")
		}
	}()
	var nowhere *launch.Place
	fmt.Println(nowhere.Rank)
	return nil
}
