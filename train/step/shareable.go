package step

import (
	"fmt"

	"jem/config"
	"jem/config/settings"
)

// Shareable refuses, as a *settings.Error, batches that so many ranks can't share evenly.
//
// Nothing else limits the shares: a rank's chains draw their noise from where those of the ranks before it
// end, which random streams allow at multiples of 4 pixels, and images have a multiple of 64.
func Shareable(c *config.Config, ranks int) error {
	var faults []settings.Fault
	for _, b := range []struct {
		path string
		n    int
	}{{"train.batch", c.Train.Batch}, {"train.labeled_batch", c.Train.LabeledBatch}} {
		if b.n%ranks == 0 {
			continue
		}
		work := fmt.Sprint(b.n/ranks*ranks + ranks)
		if below := b.n / ranks * ranks; below > 0 {
			work = fmt.Sprintf("%d or %s", below, work)
		}
		faults = append(faults, settings.Fault{Path: b.path, Problem: fmt.Sprintf(
			"%d, which %d ranks can't share evenly: set it to %s, or start as many ranks as divide it", b.n, ranks, work)})
	}
	if len(faults) > 0 {
		return &settings.Error{Faults: faults}
	}
	return nil
}
