package data

import (
	"fmt"

	"jem/backend/philox"
)

// Strong says what is done to a training image besides crop and flip, before noise.
type Strong string

// What there is.
const (
	NotStrong   Strong = "none"
	Cutout      Strong = "cutout"      // a grey square hole of half the side, somewhere (DeVries and Taylor 2017)
	AutoAugment Strong = "autoaugment" // one of AutoAugment's 25 sub-policies for CIFAR-10 (Cubuk et al. 2019), then a hole
)

// Strongs are their names.
var Strongs = []string{string(NotStrong), string(Cutout), string(AutoAugment)}

// strengthen changes an image in place: a pure function of image and key. Word 0 of the stream chooses the sub-policy,
// words 1 and 2 whether its parts are done, the top bits of word 3 their signs; words 4 and 5 place the hole.
func (o Strong) strengthen(v *canvas, key philox.Key) {
	if o == AutoAugment {
		words := key.Words(0)
		for i, p := range autoAugment[key.IntN(0, len(autoAugment))] {
			if philox.Float(words[1+i]) < p.probability {
				p.apply(v, words[3]<<i>>31 == 1)
			}
		}
	}
	v.cutout(key.IntN(4, v.h), key.IntN(5, v.w))
}

func (o Strong) check() error {
	switch o {
	case "", NotStrong, Cutout, AutoAugment:
		return nil
	}
	return fmt.Errorf("unknown augmentation %q: want %v", o, Strongs)
}

// Any reports whether anything is done.
func (o Strong) Any() bool { return o != "" && o != NotStrong }
