package predict

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/internal/checkpoint"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/predict/weights"
)

// stored is what a run folder has of its network.
type stored struct {
	config config.Config // with the folder where its images are, if they are where they were
	facts  feed.Facts    // of these images; what isn't known is empty, but for the classes
	state  *checkpoint.Checkpoint
	sizes  sizes
}

// readRun reads configuration, facts and checkpoint as OpenRun says; an empty run is the one that
// the checkpoint lies in.
func readRun(run, checkpointDir string) (s *stored, notes []string, err error) {
	path, alone := rundir.Path(run), run == ""
	if alone {
		path = rundir.Path(filepath.Dir(filepath.Dir(checkpointDir))) // run/checkpoints/step-…
	}
	s = &stored{}
	switch s.config, err = readConfig(path); {
	case alone && errors.Is(err, fault.ErrMissing):
		return nil, nil, &fault.Error{Path: checkpointDir, Kind: fault.ErrMissing, Reason: fmt.Sprintf("is no checkpoint of a run: they are RUN/checkpoints/step-…, and %s has no config.yaml", path)}
	case err != nil:
		return nil, nil, err
	}
	if s.state, notes, err = load(path, checkpointDir); err != nil {
		return nil, notes, err
	}
	if err := Fits(s.state, s.config); err != nil {
		return nil, notes, err
	}
	if s.sizes, err = shapes(s.state); err != nil {
		return nil, notes, err
	}
	more, err := s.know(path)
	return s, append(notes, more...), err
}

// know reads the facts, or gathers what can be known without them.
func (s *stored) know(run rundir.Path) (notes []string, err error) {
	known, err := feed.ReadFacts(run.Data())
	if err != nil {
		return nil, err
	}
	if known == nil {
		return s.gather(run), nil
	}
	if n := s.sizes; len(known.Classes) != n.classes || !n.fits(known.Channels, known.Size) {
		return nil, &fault.Error{Path: run.Data(), Kind: fault.ErrBad, Reason: fmt.Sprintf("%d classes and images of %d channels and %d pixels a side are not those of the weights in %s",
			len(known.Classes), known.Channels, known.Size, s.state.Path)}
	}
	s.facts, s.sizes.side, s.sizes.channels = *known, known.Size, known.Channels
	s.config.Data.Dir, notes = s.facts.Locate(s.config.Data.Dir)
	return notes, nil
}

// gather makes the facts of a run that kept none.
func (s *stored) gather(run rundir.Path) (notes []string) {
	if side := s.config.Data.Size; side > 0 && s.sizes.inputs == 0 {
		s.sizes.side = side
	}
	if s.config.Data.Name == data.Folder {
		notes = []string{fmt.Sprintf("%s is from before runs kept the names of their classes (data.json): they are those of the folder today, and can't be compared", run)}
	}
	s.facts = feed.Facts{Data: s.config.Data.Name, Classes: classNames(s.config.Data, s.sizes.classes), Outputs: s.sizes.classes, Channels: s.sizes.channels, Size: s.sizes.side}
	return notes
}

// classNames are those of a published data set, or of a folder of pictures that is still there; nil:
// nothing tells them.
func classNames(d config.Data, n int) []string {
	if l, err := data.Lookup(d.Name); err == nil && len(l.Classes) == n {
		return l.Classes
	}
	if names, err := data.FolderClasses(d.Dir); d.Name == data.Folder && err == nil && len(names) == n {
		return names
	}
	return nil
}

// RunConfig reads the configuration of a run folder. Errors: *fault.Error if it holds no run,
// *settings.Error.
func RunConfig(run string) (config.Config, error) { return readConfig(rundir.Path(run)) }

func readConfig(run rundir.Path) (config.Config, error) {
	if _, err := os.Stat(run.Config()); errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, &fault.Error{Path: string(run), Kind: fault.ErrMissing, Reason: "is no run folder: it has no config.yaml"}
	}
	layer, err := settings.File(run.Config())
	if err != nil {
		return config.Config{}, err
	}
	return config.LoadRun(layer)
}

func load(run rundir.Path, folder string) (*checkpoint.Checkpoint, []string, error) {
	if folder != "" {
		c, err := checkpoint.Load(folder)
		return c, nil, err
	}
	c, damaged, err := checkpoint.Latest(run.Checkpoints())
	var notes []string
	for _, d := range damaged {
		notes = append(notes, "skipped a damaged checkpoint: "+d.Error())
	}
	return c, notes, err
}

// weights are those of the run that are asked for, and what is known of the images. Errors: a
// *fault.Error where the run has none of them.
func (s *stored) weights(which Which) (*weights.Weights, error) {
	averaged, err := s.uses(which)
	if err != nil {
		return nil, err
	}
	o := weights.Options{Norm: s.config.Model.Norm, Slope: s.config.Model.Slope, Size: s.sizes.side}
	w, err := weights.New(s.state.Path, s.tensors(averaged), s.sizes.images(), o)
	if err != nil {
		return nil, err
	}
	w.About = weights.About{
		Classes: s.facts.Classes, Data: s.facts.Data, Ground: s.config.Data.Ground, Step: s.state.Step, Averaged: averaged,
		Source: filepath.Base(filepath.Dir(filepath.Dir(s.state.Path))) + "/" + filepath.Base(s.state.Path),
	}
	return w, nil
}

// tensors are those of model, its parameters replaced by their moving average if that is asked for.
func (s *stored) tensors(averaged bool) []checkpoint.Tensor {
	all := slices.Clone(s.state.Files["model"])
	if !averaged {
		return all
	}
	for i, t := range all {
		for _, e := range s.state.Files["ema"] {
			if e.Name == t.Name {
				all[i] = e
			}
		}
	}
	return all
}
