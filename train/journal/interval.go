package journal

import (
	"maps"
	"slices"

	"jem/train/step"
)

// interval adds up what steps showed, for their mean.
type interval struct {
	steps  int
	values map[string]float64
}

// add counts a step.
func (s *interval) add(r *step.Record) {
	if s.values == nil {
		s.values = map[string]float64{}
	}
	s.steps++
	for name, v := range map[string]float64{
		"loss": r.L, "p_x": r.PX, "p_y_given_x": r.PYX, "p_x_y": r.PXY, "l2": r.L2,
		"log_px_data": r.LogPxPos, "log_px_samples": r.LogPxNeg, "gap": r.Gap(),
		"accuracy": r.Accuracy, "lr": float64(r.LR), "grad_norm": r.GradNorm,
		"step_seconds": r.Seconds(), "data_seconds": r.DataSeconds, "sample_seconds": r.SampleSeconds,
		"gradient_seconds": r.GradientSeconds, "update_seconds": r.UpdateSeconds, "epoch": float64(r.Epoch),
	} {
		s.values[name] += v
	}
	for name, v := range ofRecipes(r) {
		if v != 0 {
			s.values[name] += v
		}
	}
}

// ofRecipes are the numbers that only some recipes have; 0 where they are none.
func ofRecipes(r *step.Record) map[string]float64 {
	values := map[string]float64{
		"attacked": r.Attacked, "attacked_p_x": r.AttackedPX, "bce": r.BCE, "sharpness": r.Sharpness, "moves": float64(r.Moves),
	}
	for _, role := range slices.Sorted(maps.Keys(r.AUC)) { // the last one's moves are r.Moves
		values["auc"] = r.AUC[role]
	}
	return values
}

// take returns the means and starts anew.
func (s *interval) take() map[string]float64 {
	means := s.values
	for name := range means {
		means[name] /= float64(s.steps)
	}
	*s = interval{}
	return means
}
