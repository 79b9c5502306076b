package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"jem/internal/durable"
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

// ReadEnv returns the environments of a run's starts, the first one first.
func ReadEnv(path string) ([]Env, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []Env
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// appendEnv adds one start.
func appendEnv(path string, e Env) error {
	all, err := ReadEnv(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	b, err := json.MarshalIndent(append(all, e), "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(path, append(b, '\n'))
}
