package quality

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"jem/predict"
)

// Protocols are the two ways in which published figures of samples come about, which
// can't be compared:
//
//	followers  the replay buffer, per predicted class the 90 % of highest p(y|x) for FID and the
//	           10 % for the Inception Score (JEM++ and SADA-JEM), against training and test
//	           images; and all of it, unfiltered
//	dat        class-balanced samples, 50,000 unless said otherwise, against the training images
//	           (DAT)
var Protocols = []string{"followers", "dat"}

// DATCount is the number of samples of protocol dat.
const DATCount = 50_000

// Options say how samples are judged.
type Options struct {
	Protocol string                // of Protocols; empty: followers
	Samples  predict.SampleOptions // N 0: the replay buffer's, or DATCount of protocol dat
	Limit    int                   // real images of each split; 0: all
	Cache    string                // folder of references; empty: none are kept
	Tell     func(string)          // hears that the cache is of no use; nil: nobody does
	Networks []Network             // by whose features they are judged

	// NoInception says why FID and Inception Score aren't computed, where they aren't.
	NoInception string
}

// Settled replaces zeros by what they stand for. Where chains climb in protocol dat, or are guided,
// each class is given in turn in the place of none.
func (o Options) Settled(p *predict.Predictor) Options {
	o.Protocol = cmp.Or(o.Protocol, Protocols[0])
	s, dat := &o.Samples, o.Protocol == "dat"
	if s.N == 0 {
		if s.N = p.BufferSize(); dat {
			s.N = DATCount
		}
	}
	if s.Class == predict.AnyClass && (dat && s.Steps > 0 || s.Guidance > 0) {
		s.Class = predict.EachClass
	}
	return o
}

func (o Options) check() error {
	if !slices.Contains(Protocols, o.Protocol) {
		return fmt.Errorf("no protocol %q; there are %s", o.Protocol, strings.Join(Protocols, ", "))
	}
	return nil
}
