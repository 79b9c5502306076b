package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// release is set by the Makefile: -ldflags "-X main.release=$(git describe …)".
var release string

// build says what this binary is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the source; empty where the build didn't know
	Modified bool   `json:"modified"` // the source differed from the revision
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func version() build {
	b := build{Version: release, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		info = &debug.BuildInfo{}
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "development"
	}
	return b
}

func versionCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "version",
		Usage: "print the version of this binary",
		Flags: []cli.Flag{jsonFlag},
		Action: func(c *cli.Context) error {
			b := version()
			if c.Bool("json") {
				return printJSON(c, b)
			}
			_, err := fmt.Fprintf(c.App.Writer, "jem %s (%s, %s/%s)\n", b.Version, b.Go, b.OS, b.Arch)
			return err
		},
	})
}
