// Command mutate checks the checks: it breaks the kernels in one place after the other and expects the
// tests to notice each. All broken places are compiled into one stand-in, and the environment
// variable JEM_MUTANT chooses which is in effect, so that a mutant costs a run and no build.
//
//	mutate -write DIR                     write the kernels, broken places included, to DIR
//	mutate -run DIR -- TEST [FLAG…]       run a test program for each, in DIR; several separated by --
//
// scripts/kernels-mutate.sh does the whole.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	write := flag.String("write", "", "folder to write the broken kernels to")
	dir := flag.String("run", "", "folder to run the tests in")
	flag.Parse()
	var err error
	switch {
	case *write != "":
		err = writeAll("kernels", *write)
	case *dir != "" && flag.NArg() > 0:
		err = runAll(*dir, split(flag.Args()))
	default:
		err = errors.New("give -write or -run, see the source")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// writeAll copies the sources with every mutant built in.
func writeAll(from, to string) error {
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	names, err := filepath.Glob(from + "/*.cu*")
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text, err := broken(filepath.Base(name), string(data))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// broken builds a file's mutants into its text.
func broken(file, text string) (string, error) {
	var old, built []string
	for i, m := range mutants() {
		if m.file != file {
			continue
		}
		if n := strings.Count(text, m.old); n != 1 {
			return "", fmt.Errorf("mutant %d: %q occurs %d times in %s, want once", i+1, m.old, n, file)
		}
		old, built = append(old, m.old), append(built, m.build(i+1))
	}
	if file == "device.cuh" {
		const shim = "#include \"simt.h\"\n"
		old, built = append(old, shim), append(built, shim+chosen)
	}
	var pairs []string
	for i := range old {
		pairs = append(pairs, old[i], built[i])
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

const chosen = `#include <stdlib.h>
static const int mutant = getenv("JEM_MUTANT") ? atoi(getenv("JEM_MUTANT")) : 0;
`

// condition is what an expression may begin with that only the mutated text replaces as a whole.
var condition = regexp.MustCompile(`^(?:if|for) \(`)

// build returns source text that is one or the other.
func (m mutant) build(n int) string {
	chosen := fmt.Sprintf("mutant == %d", n)
	switch {
	case strings.Contains(m.old, "\n"): // a statement before the shared rest
		first, rest, _ := strings.Cut(m.old, "\n")
		return fmt.Sprintf("if (!(%s)) %s\n%s", chosen, first, rest)
	case strings.HasPrefix(m.old, "float v[4] = "):
		return fmt.Sprintf("%s if (%s) v[3] = 0;", m.old, chosen)
	case strings.HasSuffix(m.new, ";") || strings.HasSuffix(m.old, ";"):
		return fmt.Sprintf("{ if (%s) { %s } else { %s } }", chosen, m.new, strings.Split(m.old, " //")[0])
	case condition.MatchString(m.old):
		return fmt.Sprintf("if (%s ? %s : %s)", chosen, m.new[3:], m.old[3:])
	}
	return fmt.Sprintf("(%s ? (%s) : (%s))", chosen, m.new, m.old)
}

// split cuts the arguments into commands.
func split(args []string) (commands [][]string) {
	for len(args) > 0 {
		end := slices.Index(args, "--")
		if end < 0 {
			end = len(args)
		}
		commands = append(commands, args[:end])
		args = args[min(end+1, len(args)):]
	}
	return commands
}

// runAll expects the tests to pass without a mutant and to fail with each.
func runAll(dir string, tests [][]string) error {
	if by, out := notices(dir, tests, 0); by != "" {
		return fmt.Errorf("without a mutant %s fails:\n%s", by, out)
	}
	survivors := 0
	for i, m := range mutants() {
		start := time.Now()
		by, _ := notices(dir, tests, i+1)
		if by == "" {
			survivors++
			by = "NOT NOTICED"
		}
		fmt.Printf("%2d %-12s %-50q %5.1f s  %s\n", i+1, m.file, m.new, time.Since(start).Seconds(), by)
	}
	if survivors > 0 {
		return fmt.Errorf("%d of %d mutants were not noticed", survivors, len(mutants()))
	}
	return nil
}

// notices returns the first test that fails with a mutant, and the end of its output. A test that
// hangs has noticed, too.
func notices(dir string, tests [][]string, n int) (by, out string) {
	for _, test := range tests {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		cmd := exec.CommandContext(ctx, test[0], test[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), fmt.Sprintf("JEM_MUTANT=%d", n))
		data, err := cmd.CombinedOutput()
		cancel()
		if err == nil {
			continue
		}
		by = filepath.Base(test[0])
		if names := regexp.MustCompile(`--- FAIL: (\S+)`).FindAllStringSubmatch(string(data), -1); names != nil {
			by = names[len(names)-1][1]
		}
		return by, string(data[max(0, len(data)-2000):])
	}
	return "", ""
}
