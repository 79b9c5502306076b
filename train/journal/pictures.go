package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/picture"
	"jem/internal/report"
	"jem/internal/rundir"
)

// maxPicture bounds a sample grid's file that is read.
const maxPicture = 64 << 20

// readPicture reads a sample grid. Errors: a *fault.Error where it is none, or not whole.
func readPicture(path string) ([]byte, error) {
	b, err := durable.ReadFile(path, maxPicture)
	if err != nil {
		return nil, err
	}
	if err := picture.Whole(b); err != nil {
		return nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: err.Error()}
	}
	return b, nil
}

// samplePictures are the latest samples and the first, usually the initial draws, of those that
// can be shown. Notes say which can't.
func samplePictures(p rundir.Path) (show []report.Picture, notes []string) {
	steps, err := sampleSteps(p)
	if err != nil {
		return nil, []string{err.Error()}
	}
	find := func(steps []int) (at int) {
		for i, step := range steps {
			b, err := readPicture(p.Sample(step))
			if err == nil {
				show = append(show, describe(step, b))
				return i
			}
			if !errors.Is(err, os.ErrNotExist) { // a run in progress may remove one
				notes = append(notes, err.Error())
			}
		}
		return len(steps)
	}
	slices.Reverse(steps)
	rest := steps[min(len(steps), 1+find(steps)):]
	slices.Reverse(rest)
	find(rest)
	return show, notes
}

// sampleSteps are the steps of a run's sample grids, ascending. The folder is listed, not matched:
// a run's name may hold what is a pattern elsewhere.
func sampleSteps(p rundir.Path) ([]int, error) {
	entries, err := os.ReadDir(p.Samples())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var steps []int
	for _, e := range entries {
		if step, ours := sampleStep(p, e.Name()); ours {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, err
}

// sampleStep is the step whose sample grid has the name. What a stranger called similarly is none.
func sampleStep(p rundir.Path, name string) (step int, ours bool) {
	step, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, "step-"), ".png"))
	return step, err == nil && filepath.Base(p.Sample(step)) == name
}

func describe(step int, png []byte) report.Picture {
	if step == 0 {
		return report.Picture{Title: "Initial draws", Caption: "What samples start from, one class a row.", PNG: png}
	}
	return report.Picture{
		Title:   fmt.Sprintf("Samples at step %d", step),
		Caption: "Chains of the replay buffer, or dreams where there is none: one row for each class that the model sees in them, ten at random.",
		PNG:     png,
	}
}
