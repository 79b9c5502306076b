package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/config"
	"jem/eval/inception"
	"jem/eval/quality"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
	"jem/predict/weights"
)

// judges are the networks whose features samples are judged by.
type judges struct {
	networks []quality.Network
	missing  string // why Inception isn't among them
	closers  []func()
}

func (j *judges) close() {
	for _, f := range j.closers {
		f()
	}
}

// openJudges opens Inception, where its weights are, and the classifier that is named.
func openJudges(c *cli.Context, s *screen, m *predict.Predictor) (*judges, error) {
	j := &judges{}
	err := j.inception(c, s, m)
	if err == nil && c.IsSet("classifier") {
		err = j.classifier(c, s, m)
	}
	if err == nil && len(j.networks) == 0 {
		s.log.Warn("no network to judge by: " + j.missing + "; or --classifier RUN for the classifier-feature distance, which is no FID")
	}
	if err != nil {
		j.close()
	}
	return j, err
}

func (j *judges) inception(c *cli.Context, s *screen, m *predict.Predictor) error {
	path := c.String("inception")
	if path == "" {
		found, err := data.Inception("")
		if errors.Is(err, fault.ErrMissing) {
			j.missing = "weights missing (jem data fetch inception, or --inception FILE)"
			return nil
		}
		if err != nil {
			return err
		}
		path = found
	}
	w, err := inception.Read(path)
	if err != nil {
		return err
	}
	if !w.IsPublished() {
		s.log.Warn("these are not the published weights of Inception: figures are not called FID", zap.String("file", path), zap.String("sha256", w.SHA256))
	}
	dev, err := j.windower(c, m.Device())
	if err != nil {
		return err
	}
	ch, size, _ := m.Shape()
	net := inception.New(dev, w, inception.Mode(c.String("fid-mode")))
	j.closers = append([]func(){net.Close}, j.closers...)
	j.networks = append(j.networks, quality.Inception{Network: net, Device: dev.Name(), C: ch, Size: size})
	return nil
}

// windower is the device itself, or the CPU where the device lacks what Inception needs.
func (j *judges) windower(c *cli.Context, dev backend.Device) (inception.Device, error) {
	if w, ok := dev.(inception.Device); ok {
		return w, nil
	}
	other, err := openDevice(config.Device{Name: "cpu", ISA: c.String("cpu-isa"), Threads: c.Int("threads")})
	if err != nil {
		return nil, err
	}
	j.closers = append(j.closers, func() { _ = other.Close() })
	return other.(inception.Device), nil
}

func (j *judges) classifier(c *cli.Context, s *screen, m *predict.Predictor) error {
	path := c.String("classifier")
	var other *predict.Predictor
	var err error
	if isFolder(path) {
		run, folder := predict.RunOrCheckpoint(path)
		other, err = openFolder(s, m.Device(), run, folder)
	} else {
		other, err = openFile(s, m.Device(), path, weights.Options{})
	}
	if err != nil {
		return err
	}
	judge := quality.NewClassifier(other)
	if ch, size, _ := m.Shape(); !judge.Takes(ch, size) {
		return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "the classifier takes images of another shape"}
	}
	if m.Subject(0).Weights == judge.About().Weights {
		s.log.Warn("the classifier is the model itself: its samples were made to please it, so the distance flatters them")
	}
	j.networks = append(j.networks, judge)
	return nil
}

// featureCache is where references are kept; empty where there is no cache folder.
func featureCache() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "jem", "features")
}
