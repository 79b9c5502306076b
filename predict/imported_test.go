package predict

import (
	"testing"

	"jem/model"
	"jem/predict/weights"
)

func TestImportedRunsHaveAPublishedDataSet(t *testing.T) {
	for want, c := range map[string]model.Config{
		"cifar10":  {Classes: 10, InC: 3, Size: 32},
		"cifar100": {Classes: 100, InC: 3, Size: 32},
		"":         {Classes: 7, InC: 3, Size: 32},
	} {
		cfg, err := imported(&weights.Weights{Config: c})
		if (want == "") != (err != nil) || err == nil && cfg.Data.Name != want {
			t.Errorf("%d classes: got %q, %v", c.Classes, cfg.Data.Name, err)
		}
	}
}
