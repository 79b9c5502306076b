package main

import (
	"path/filepath"

	"jem/eval/robust"
	"jem/internal/claim"
	"jem/predict"
)

// attacked is the folder of an attack's results. What else the user has put into one stays.
var attacked = claim.Kind{Of: "an attack", Marker: ".jem-attack", Own: func(_, _ string, marked bool) bool { return marked }}

// takeAttacked makes a folder, if there is one, an attack's.
func takeAttacked(folder string, m *predict.Predictor) error {
	if folder == "" {
		return nil
	}
	if err := apart(folder, m.Config); err != nil {
		return err
	}
	return claim.Take(folder, attacked)
}

// writeAttacks writes what jem attack found into a folder, if there is one: attack.json, the
// curves, and of each attack the images as tensors and as a picture. What was kept for an
// interruption is removed at the end.
func writeAttacks(folder string, report robust.Report) error {
	if folder == "" {
		return nil
	}
	for _, r := range report.Attacks {
		tensors, err := r.Found.Tensors()
		if err != nil {
			return err
		}
		if err := writeInto(filepath.Join(folder, r.Name()+".safetensors"), tensors); err != nil {
			return err
		}
	}
	if err := writePictures(folder, report.Pictures); err != nil {
		return err
	}
	if err := writeCharts(folder, report.Charts()); err != nil {
		return err
	}
	b, err := marshal(report)
	if err != nil {
		return err
	}
	if err := writeInto(filepath.Join(folder, "attack.json"), b); err != nil {
		return err
	}
	for _, r := range report.Attacks {
		if err := r.Forget(); err != nil {
			return err
		}
	}
	return nil
}
