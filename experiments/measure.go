package experiments

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"jem/backend"
	"jem/internal/durable"
	"jem/predict"
)

// NotRun says why a figure is missing. It is no failure: the table says so in its place.
type NotRun struct{ Reason string }

func (e *NotRun) Error() string { return "not run: " + e.Reason }

func notRun(format string, args ...any) error { return &NotRun{fmt.Sprintf(format, args...)} }

// opened is a network on a device, kept for the next measurement.
type opened struct {
	folder, checkpoint string // the latter empty for the newest

	dev     backend.Device
	network *predict.Predictor
	own     map[string][]float64 // scores of its own test images, see Lab.ownScores
}

func (o *opened) close() (err error) {
	if o.dev != nil {
		err = o.dev.Close()
	}
	*o = opened{}
	return err
}

// network opens a training's result. A training that has not ended is a *NotRun.
func (l *Lab) network(t Training) (*predict.Predictor, error) {
	if err := l.finished(t); err != nil {
		return nil, err
	}
	folder := t.path(l.Out)
	at, err := t.checkpoint(l.Out)
	if err != nil {
		return nil, err
	}
	if l.open.folder == folder && l.open.checkpoint == at {
		return l.open.network, nil
	}
	if err := l.open.close(); err != nil {
		return nil, err
	}
	dev, err := l.Open(l.Device)
	if err != nil {
		return nil, err
	}
	p, _, err := predict.OpenRun(dev, folder, at)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	p.Config.Data.Dir = l.DataDir
	l.open = opened{folder: folder, checkpoint: at, dev: dev, network: p}
	return p, nil
}

// twin opens another run's network on the device of the one that is open.
func (l *Lab) twin(run string) (*predict.Predictor, error) {
	t, err := firstTraining(l, run)
	if err != nil {
		return nil, err
	}
	if err := l.finished(t); err != nil {
		return nil, err
	}
	p, _, err := predict.OpenRun(l.open.dev, t.path(l.Out), "")
	return p, err
}

// measured is the file of a measurement.
type measured[T any] struct {
	Run      string  `json:"run"`
	Folder   string  `json:"folder"`
	What     string  `json:"what"`
	Protocol any     `json:"protocol"`
	Seconds  float64 `json:"seconds"`
	Value    T       `json:"value"`
}

// measure returns what do finds of a training's network under a protocol, from an earlier
// time if it has been measured before.
func measure[T any](l *Lab, t Training, what string, protocol any, do func(*predict.Predictor) (T, error)) (T, error) {
	var m measured[T]
	path, err := l.measurePath(t, what, protocol)
	if err != nil {
		return m.Value, err
	}
	err = readKept(path, &m, remeasure)
	if err == nil {
		return m.Value, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return m.Value, err
	}
	p, err := l.network(t)
	if err == nil {
		err = l.ctx.Err()
	}
	if err != nil {
		return m.Value, err
	}
	l.Tell(fmt.Sprintf("measuring %s of %s", what, t.measuredAs()))
	start := time.Now()
	value, err := do(p)
	if err != nil {
		return m.Value, asMissing(l, err)
	}
	m = measured[T]{t.Run.Name, t.measuredAs(), what, protocol, time.Since(start).Seconds(), value}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return value, asMissing(l, fmt.Errorf("%s of %s: %w", what, t.measuredAs(), err))
	}
	return value, durable.WriteFile(path, append(text, '\n'))
}

// measurePath is the file of a measurement: one for each configuration and protocol.
func (l *Lab) measurePath(t Training, what string, protocol any) (string, error) {
	text, err := json.Marshal(protocol)
	if err != nil {
		return "", err
	}
	of := t.hash
	if t.step > 0 {
		of += fmt.Sprintf(" at step %d", t.step)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n", of, what, text))
	return filepath.Join(l.Out, "measures", fmt.Sprintf("%s-%s-%s.json", t.measuredAs(), what, hex.EncodeToString(sum[:4]))), nil
}

func isNotRun(err error) bool {
	var absent *NotRun
	return errors.As(err, &absent)
}
