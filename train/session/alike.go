package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"jem/comm"
	"jem/config/settings"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/train"
)

// Ranks that differ in program, settings, images or numbers would not compute one run. They tell each other what
// they have before it begins.

// fact is something that must be the same on all ranks.
type fact struct{ name, value, remedy string }

// told is what others hear of it.
type told struct{ Name, Value string }

// same fails where a fact differs between ranks, in the same words on all of them: a *settings.Error that names
// the first rank and the first one unlike it.
func (s *Session) same(facts ...fact) error {
	if s.all.Size() == 1 {
		return nil
	}
	own := make([]told, len(facts))
	for i, f := range facts {
		own[i] = told{f.name, f.value}
	}
	text, err := json.Marshal(own)
	if err = s.all.Check(err); err != nil {
		return err
	}
	texts, err := comm.Everyone(s.all, text)
	if err != nil {
		return err
	}
	all := make([][]told, len(texts))
	for rank, text := range texts {
		_ = json.Unmarshal(text, &all[rank]) // what isn't there differs
	}
	return differing(all, facts)
}

// differing compares what all ranks told with the first one's; facts are this rank's, for the remedies.
func differing(all [][]told, facts []fact) error {
	var faults []settings.Fault
	for i, first := range all[0] {
		for rank, theirs := range all {
			if i < len(theirs) && theirs[i] == first {
				continue
			}
			other, remedy := "nothing of the kind", "start the same program on all machines"
			if i < len(theirs) && theirs[i].Name == first.Name {
				other = quoted(theirs[i].Value)
			}
			if i < len(facts) && facts[i].name == first.Name {
				remedy = facts[i].remedy
			}
			faults = append(faults, settings.Fault{Path: first.Name, Problem: fmt.Sprintf("rank 0 has %s, rank %d has %s: %s", quoted(first.Value), rank, other, remedy)})
			break
		}
	}
	if len(faults) > 0 {
		return &settings.Error{Faults: faults}
	}
	return nil
}

func quoted(value string) string {
	if value == "" {
		return "none"
	}
	return fault.Short(value)
}

// sameProgram compares what is known before anything is opened: program and settings.
func (s *Session) sameProgram() error {
	if s.all.Size() == 1 {
		return nil
	}
	facts := []fact{
		{"program", programme(), "start the same program on all machines"},
		{"ranks' engine", s.all.Name(), "start all ranks by one launcher, with one library"},
		{"folder", s.o.Folder, "name one folder, which all machines see, for all ranks"},
	}
	for _, k := range settings.Keys(s.o.Config) {
		if k.Path != "device.threads" { // which results don't depend on
			facts = append(facts, fact{k.Path, fmt.Sprint(k.Value), "give all ranks the same settings"})
		}
	}
	return s.same(facts...)
}

// seen fails where another rank doesn't see the folder that the first one has made: it would miss the states there as late
// as on the way back from a divergence. A file system between machines may take a while to show what is new.
func (s *Session) seen() error {
	return s.all.During(func(ctx context.Context) error {
		err := appears(ctx, rundir.Path(s.o.Folder).Config(), 30*time.Second)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		return &settings.Error{Faults: []settings.Fault{{Path: "folder", Problem: fmt.Sprintf(
			"rank 0 has begun the run in %s, and rank %d doesn't see it there (%v): name a folder on a file system that all machines share", s.o.Folder, s.all.Rank(), err)}}}
	})
}

// appears waits for a file, and returns what it still is that it isn't there.
func appears(ctx context.Context, path string, within time.Duration) error {
	const pause = 200 * time.Millisecond
	for begun := time.Now(); ; time.Sleep(pause) {
		_, err := os.Stat(path)
		if err == nil || ctx.Err() != nil || time.Since(begun) > within {
			return err
		}
	}
}

// programme names this program by its content; "" where it can't be read.
func programme() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close() // nothing was written
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return ""
	}
	return "SHA-256 " + hex.EncodeToString(sum.Sum(nil))[:12]
}

// sameNumbers compares what decides the numbers besides the settings, once all is open.
func (s *Session) sameNumbers() error {
	f, n := s.sources.Facts, train.NumericsOf(s.device)
	const images = "let all machines see the same images"
	facts := []fact{
		{"data", f.Digest, images},
		{"device", n.Kind, "use the same kind of device on all machines"},
		{"device.cpu_isa", n.ISA, "name instructions that all machines have (--cpu-isa)"},
		{"device.conv_algo", digest(n.Choices), "name one way to compute (--conv-algo) for all machines"},
		{"classes", strings.Join(f.Classes, ","), images},
	}
	for _, split := range []data.Split{data.Valid, data.Test} {
		facts = append(facts, fact{"data, " + string(split), f.Evaluated[split], images})
	}
	if f.Outliers != nil {
		facts = append(facts, fact{"outliers", f.Outliers.Digest, images})
	}
	return s.same(facts...)
}

// digest names what a device has chosen.
func digest(choices map[string]string) string {
	if len(choices) == 0 {
		return ""
	}
	text := fmt.Sprint(choices) // in the order of keys
	return fmt.Sprintf("%d plans, SHA-256 %.12x", len(choices), sha256.Sum256([]byte(text)))
}

// followNumerics makes plans on this rank's device follow the choices of the first rank's.
func (s *Session) followNumerics() error {
	mine, err := json.Marshal(train.NumericsOf(s.device))
	if err = s.all.Check(err); err != nil {
		return err
	}
	first, err := comm.Tell(s.all, mine, 0)
	if err != nil || s.all.Rank() == 0 {
		return err
	}
	var n train.Numerics
	if json.Unmarshal(first, &n) == nil { // else the comparison will tell
		n.Use(s.device)
	}
	return nil
}
