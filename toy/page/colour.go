package page

import (
	"image/color"
	"math"
)

// lch is a colour of OKLCH (Ottosson, A perceptual color space for image processing, 2020):
// lightness in [0,1], chroma, hue in degrees. Equal distances look equal.
type lch struct{ l, c, h float64 }

// lab is the colour in OKLab.
func (v lch) lab() [3]float64 {
	sin, cos := math.Sincos(v.h * math.Pi / 180)
	return [3]float64{v.l, v.c * cos, v.c * sin}
}

// linear is a colour of OKLab in linear sRGB, where what a screen can show is in [0,1].
func linear(lab [3]float64) [3]float64 {
	cube := func(v float64) float64 { return v * v * v }
	l := cube(lab[0] + 0.3963377774*lab[1] + 0.2158037573*lab[2])
	m := cube(lab[0] - 0.1055613458*lab[1] - 0.0638541728*lab[2])
	s := cube(lab[0] - 0.0894841775*lab[1] - 1.2914855480*lab[2])
	return [3]float64{
		4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		-1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		-0.0041960863*l - 0.7034186147*m + 1.7076147010*s,
	}
}

// screen is a colour of OKLab as sRGB.
func screen(lab [3]float64) color.NRGBA {
	var b [3]uint8
	for i, v := range linear(lab) {
		v = max(0, min(1, v))
		if v > 0.0031308 {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		} else {
			v *= 12.92
		}
		b[i] = uint8(math.Round(255 * v))
	}
	return color.NRGBA{b[0], b[1], b[2], 0xff}
}

// theme is a set of colours for light or dark surroundings.
type theme struct {
	low, middle, high lch   // the ramp of densities: from the colour of paper to that of the densest place
	ink               lch   // text and contours on the map
	classes           []lch // of points and regions, in turn
}

// The ramps change lightness and hue, chroma follows. The classes differ in lightness as well as
// in hue, and the first two are as far apart for eyes that don't tell red from green.
var light = theme{
	low: lch{0.985, 0.004, 170}, middle: lch{0.75, 0.085, 195}, high: lch{0.43, 0.075, 235}, ink: lch{0.25, 0.02, 250},
	classes: []lch{{0.64, 0.175, 47}, {0.45, 0.19, 285}, {0.62, 0.21, 358}, {0.76, 0.15, 88}, {0.60, 0.13, 240}, {0.48, 0.17, 28}, {0.60, 0.15, 145}, {0.45, 0.09, 330}},
}

var dark = theme{
	low: lch{0.21, 0.012, 245}, middle: lch{0.56, 0.09, 205}, high: lch{0.95, 0.07, 165}, ink: lch{0.95, 0.01, 200},
	classes: []lch{{0.77, 0.155, 58}, {0.66, 0.17, 290}, {0.72, 0.19, 0}, {0.88, 0.15, 98}, {0.75, 0.12, 235}, {0.62, 0.19, 28}, {0.78, 0.17, 145}, {0.60, 0.10, 330}},
}

// class is the colour of a class.
func (t theme) class(k int) lch { return t.classes[k%len(t.classes)] }

const rampSize = 256

// ramp samples the theme's densities, from low to high, at equal steps along its path in OKLab:
// equal differences of log p(x) look equal.
func (t theme) ramp() [rampSize]color.NRGBA {
	const fine = 4096
	var path [fine + 1][3]float64
	var length [fine + 1]float64
	for i := range path {
		path[i] = t.at(float64(i) / fine)
		if i > 0 {
			length[i] = length[i-1] + distance(path[i-1], path[i])
		}
	}
	var ramp [rampSize]color.NRGBA
	at := 0
	for i := range ramp {
		for at < fine && length[at] < length[fine]*float64(i)/(rampSize-1) {
			at++
		}
		ramp[i] = screen(path[at])
	}
	return ramp
}

// at is the place u in [0,1] on the path: a quadratic curve through OKLab, so that it has no kink.
func (t theme) at(u float64) (lab [3]float64) {
	a, b, c := t.low.lab(), t.middle.lab(), t.high.lab()
	for i := range lab {
		lab[i] = a[i]*(1-u)*(1-2*u) + 4*b[i]*u*(1-u) + c[i]*u*(2*u-1)
	}
	return lab
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// regionShades is the number of shades of a class's region.
const regionShades = 64

// regions are the shades of the places of a class, from one that is likely by chance alone, which has paper's
// colour, to one that is sure.
func (t theme) regions(class int) (shades [regionShades]color.NRGBA) {
	paper, full := t.low.lab(), t.class(class).lab()
	for i := range shades {
		var lab [3]float64
		for a := range lab {
			lab[a] = paper[a] + regionStrength*float64(i)/(regionShades-1)*(full[a]-paper[a])
		}
		shades[i] = screen(lab)
	}
	return shades
}

// regionStrength leaves points of a class visible on its own region.
const regionStrength = 0.72
