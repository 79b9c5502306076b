package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"jem/internal/durable"
	"jem/internal/fault"
)

// Env is what a run was started on: all that may explain a difference between two runs
// of one configuration. Host and user names are left out on purpose, so that a run
// folder can be published.
type Env struct {
	Start   time.Time `json:"start"`
	Command []string  `json:"command"`
	Go      string    `json:"go"`
	OS      string    `json:"os"`
	Arch    string    `json:"arch"`
	CPU     string    `json:"cpu,omitempty"` // model name, if the system tells it
	Cores   int       `json:"cores"`         // logical ones that the process may use
	Device  string    `json:"device"`        // in the device's own words
	// Of a run with several ranks: how many, on how many machines, and what they spoke through; this is about the first.
	Ranks    int    `json:"ranks,omitempty"`
	Machines int    `json:"machines,omitempty"` // 0: not known
	Engine   string `json:"engine,omitempty"`
	// Algorithms are the device's choices, by what it planned.
	Algorithms map[string]string `json:"algorithms,omitempty"`
	Module     string            `json:"module,omitempty"`
	Revision   string            `json:"revision,omitempty"` // of the source, if built from a repository
	Modified   bool              `json:"modified"`           // the source differed from it
}

// Environment describes this process and machine; device is the device's name for
// itself.
func Environment(device string) Env {
	e := Env{
		Start:   time.Now().UTC().Truncate(time.Second),
		Command: os.Args,
		Go:      runtime.Version(),
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
		CPU:     cpuModel(),
		Cores:   runtime.GOMAXPROCS(0),
		Device:  device,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		e.Module = info.Main.Path + " " + info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				e.Revision = s.Value
			case "vcs.modified":
				e.Modified = s.Value == "true"
			}
		}
	}
	return e
}

// maxEnv bounds an env.json that is read: tens of thousands of starts.
const maxEnv = 64 << 20

// ReadEnv returns the environments of a run's starts, the first one first. Errors: a
// *fault.Error for a file that holds anything else, or of the file system.
func ReadEnv(path string) ([]Env, error) {
	b, err := durable.ReadFile(path, maxEnv)
	if err != nil {
		return nil, err
	}
	return decodeEnv(path, b)
}

func decodeEnv(path string, b []byte) ([]Env, error) {
	var all []Env
	err := json.Unmarshal(b, &all)
	foreign := func(e Env) bool { return e.Start.IsZero() || e.Go == "" }
	if err != nil || slices.ContainsFunc(all, foreign) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "is no list of a run's starts"}
	}
	return all, nil
}

// appendEnv adds one start. A file that can't be read, or is none of a run's, is set aside; note
// then says so, in a sentence. That doesn't keep the run from going on: the list is for people.
func appendEnv(path string, e Env) (note string, err error) {
	all, err := readOwnEnv(path)
	if err != nil {
		aside := path + damagedSuffix
		note = fmt.Sprintf("%v: it is now called %s", err, filepath.Base(aside))
		if err := os.Rename(path, aside); err != nil {
			return fmt.Sprintf("%s: this start is not noted there: %v", path, err), nil
		}
	}
	b, err := json.MarshalIndent(append(all, e), "", "  ")
	if err != nil {
		return note, err
	}
	return note, durable.WriteFile(path, append(b, '\n'))
}

// damagedSuffix is what is added to the name of a file that is set aside.
const damagedSuffix = ".damaged"

// readOwnEnv is ReadEnv for the folder's own file; a missing one has no starts.
func readOwnEnv(path string) ([]Env, error) {
	b, err := durable.ReadOwn(path, maxEnv)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeEnv(path, b)
}
