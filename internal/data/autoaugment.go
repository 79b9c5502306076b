package data

// operation is one of AutoAugment's.
type operation struct {
	do      func(*canvas, float64)
	largest float64 // strength, that of level 9; 0 of those that have none
	signed  bool    // either sign is as likely
}

// Those that the policy for CIFAR-10 has, with the paper's strengths.
var (
	shearY       = operation{(*canvas).shearY, 0.3, true}
	translateX   = operation{(*canvas).translateX, 150.0 / 331, true} // of the width: 150 pixels of the 331 of ImageNet
	translateY   = operation{(*canvas).translateY, 150.0 / 331, true}
	rotate       = operation{(*canvas).rotate, 30, true}
	brightness   = operation{(*canvas).brightness, 0.9, true}
	colour       = operation{(*canvas).colour, 0.9, true}
	contrast     = operation{(*canvas).contrast, 0.9, true}
	sharpness    = operation{(*canvas).sharpness, 0.9, true}
	solarize     = operation{(*canvas).solarize, 1, false}
	posterize    = operation{(*canvas).posterize, 4, false} // bits
	autoContrast = operation{do: (*canvas).autoContrast}
	equalize     = operation{do: (*canvas).equalize}
	invert       = operation{do: (*canvas).invert}
)

// part is an operation that is done with a probability, at a level of 0 to 9.
type part struct {
	operation
	probability float32
	level       int
}

func (p part) apply(v *canvas, negative bool) {
	strength := p.largest * float64(p.level) / 9
	if p.signed && negative {
		strength = -strength
	}
	p.do(v, strength)
}

// autoAugment is the policy that was found for CIFAR-10 (Cubuk et al. 2019): of its sub-policies one is
// drawn for each image, and its two parts are done in order.
var autoAugment = [25][2]part{
	{{invert, 0.1, 0}, {contrast, 0.2, 6}},
	{{rotate, 0.7, 2}, {translateX, 0.3, 9}},
	{{sharpness, 0.8, 1}, {sharpness, 0.9, 3}},
	{{shearY, 0.5, 8}, {translateY, 0.7, 9}},
	{{autoContrast, 0.5, 0}, {equalize, 0.9, 0}},
	{{shearY, 0.2, 7}, {posterize, 0.3, 7}},
	{{colour, 0.4, 3}, {brightness, 0.6, 7}},
	{{sharpness, 0.3, 9}, {brightness, 0.7, 9}},
	{{equalize, 0.6, 0}, {equalize, 0.5, 0}},
	{{contrast, 0.6, 7}, {sharpness, 0.6, 5}},
	{{colour, 0.7, 7}, {translateX, 0.5, 8}},
	{{equalize, 0.3, 0}, {autoContrast, 0.4, 0}},
	{{translateY, 0.4, 3}, {sharpness, 0.2, 6}},
	{{brightness, 0.9, 6}, {colour, 0.2, 8}},
	{{solarize, 0.5, 2}, {invert, 0, 0}},
	{{equalize, 0.2, 0}, {autoContrast, 0.6, 0}},
	{{equalize, 0.2, 0}, {equalize, 0.6, 0}},
	{{colour, 0.9, 9}, {equalize, 0.6, 0}},
	{{autoContrast, 0.8, 0}, {solarize, 0.2, 8}},
	{{brightness, 0.1, 3}, {colour, 0.7, 0}},
	{{solarize, 0.4, 5}, {autoContrast, 0.9, 0}},
	{{translateY, 0.9, 9}, {translateY, 0.7, 9}},
	{{autoContrast, 0.9, 0}, {solarize, 0.8, 3}},
	{{equalize, 0.8, 0}, {invert, 0.1, 0}},
	{{translateY, 0.7, 9}, {autoContrast, 0.9, 0}},
}
