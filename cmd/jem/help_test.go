package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// leaves are the commands that work themselves, by name.
func leaves(prefix string, commands []*cli.Command) map[string]*cli.Command {
	all := map[string]*cli.Command{}
	for _, c := range commands {
		name := prefix + " " + c.Name
		if len(c.Subcommands) == 0 {
			all[name] = c
		}
		for n, sub := range leaves(name, c.Subcommands) {
			all[n] = sub
		}
	}
	return all
}

// parses reads a command line as the program would and does nothing.
func parses(line string) error {
	program := app(io.Discard, io.Discard)
	for _, c := range leaves("jem", program.Commands) {
		c.Action = func(*cli.Context) error { return nil }
	}
	args, err := flagsFirst(program, strings.Fields(line))
	if err == nil {
		err = program.Run(args)
	}
	return err
}

func TestHelpHasExamplesThatParse(t *testing.T) {
	plain := regexp.MustCompile(`^jem (version|devices|man|completion .*)$`)
	for name, c := range leaves("jem", app(io.Discard, io.Discard).Commands) {
		_, lines, there := strings.Cut(c.Description, "Examples:\n")
		if !there && !plain.MatchString(name) {
			t.Errorf("%s --help has no example", name)
			continue
		}
		for line := range strings.Lines(lines) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, name+" ") && line != name {
				t.Errorf("%s --help has the example %q", name, line)
			}
			if err := parses(strings.ReplaceAll(line, ">", "")); err != nil && !strings.Contains(line, ">") {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}

// What the documents tell people to type must be understood.
func TestCommandLinesOfDocumentsParse(t *testing.T) {
	command := regexp.MustCompile("(?m)(?:^ {4,}|`)(?:bin/)?jem ([a-z][^#`|>;&…\n]*)")
	count := 0
	walk := func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		joined := strings.ReplaceAll(string(text), "\\\n", " ")
		for _, m := range command.FindAllStringSubmatch(joined, -1) {
			line := "jem " + strings.NewReplacer("[", "", "]", "").Replace(m[1])
			count++
			if err := parses(line); err != nil && !strings.Contains(err.Error(), "wants a value") { // a text that speaks of a flag
				t.Errorf("%s: %s: %v", path, line, err)
			}
		}
		return nil
	}
	for _, root := range []string{"../../README.md", "../../docs", "../../docker"} {
		if err := filepath.WalkDir(root, walk); err != nil {
			t.Fatal(err)
		}
	}
	if count < 50 {
		t.Errorf("found %d command lines", count)
	}
}
