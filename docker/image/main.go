// Command image writes the CPU program's container image without a container engine: an OCI
// layout of every platform, and a file for docker load of each.
//
//	image -out build/image -version v1 -revision HASH -created 1790000000 -license LICENSE linux/amd64=jem …
//
// The same arguments and files give the same bytes. It is a module of its own, so that the
// trainer's does not require what only this needs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	out := flags.String("out", "", "folder of the results, which replace those that are there")
	about := about{}
	flags.StringVar(&about.version, "version", "unknown", "version, a label and the image's tag")
	flags.StringVar(&about.revision, "revision", "", "commit of the source, a label")
	flags.StringVar(&about.license, "license", "LICENSE", "file with the licence")
	created := flags.String("created", "0", "time of the image in seconds since 1970")
	if err := flags.Parse(args); err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(*created, 10, 64)
	if err != nil {
		return fmt.Errorf("-created %s: want seconds since 1970", *created)
	}
	about.created = time.Unix(seconds, 0).UTC()
	programs, err := parsePrograms(flags.Args())
	if err != nil {
		return err
	}
	if *out == "" {
		return errors.New("-out is missing: name a folder for the image")
	}
	return write(*out, about, programs)
}

// program is the binary of one platform.
type program struct{ os, arch, path string }

// parsePrograms reads arguments of the form OS/ARCH=FILE.
func parsePrograms(args []string) (all []program, err error) {
	for _, arg := range args {
		platform, path, ok := strings.Cut(arg, "=")
		system, arch, two := strings.Cut(platform, "/")
		if !ok || !two || system == "" || arch == "" || path == "" {
			return nil, fmt.Errorf("%s: want OS/ARCH=FILE, for example linux/amd64=bin/jem", arg)
		}
		all = append(all, program{system, arch, path})
	}
	if len(all) == 0 {
		return nil, errors.New("no program is named: add linux/amd64=bin/jem")
	}
	return all, nil
}
