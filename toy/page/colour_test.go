package page

import (
	"image/color"
	"math"
	"testing"
)

var themes = map[string]theme{"light": light, "dark": dark}

// back is a colour of the screen in OKLab, by the inverse matrices.
func back(c color.NRGBA) [3]float64 {
	var v [3]float64
	for i, b := range []uint8{c.R, c.G, c.B} {
		v[i] = float64(b) / 255
		if v[i] > 0.04045 {
			v[i] = math.Pow((v[i]+0.055)/1.055, 2.4)
		} else {
			v[i] /= 12.92
		}
	}
	l := math.Cbrt(0.4122214708*v[0] + 0.5363325363*v[1] + 0.0514459929*v[2])
	m := math.Cbrt(0.2119034982*v[0] + 0.6806995451*v[1] + 0.1073969566*v[2])
	s := math.Cbrt(0.0883024619*v[0] + 0.2817188376*v[1] + 0.6299787005*v[2])
	return [3]float64{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// Eight bits a channel move a colour by less than 0.004 in OKLab (half a step of each of three
// channels, each worth less than 0.0045), so two neighbours sixteen apart differ by that much on both sides.
func TestRampsAreUniform(t *testing.T) {
	const apart, rounding = 16, 0.008
	for name, th := range themes {
		ramp := th.ramp()
		var total float64
		for i := apart; i < rampSize; i += apart {
			total += distance(back(ramp[i-apart]), back(ramp[i]))
		}
		step := total / float64((rampSize-1)/apart)
		rising := back(ramp[rampSize-1])[0] > back(ramp[0])[0]
		for i := apart; i < rampSize; i += apart {
			a, b := back(ramp[i-apart]), back(ramp[i])
			if d := distance(a, b); math.Abs(d-step) > rounding {
				t.Errorf("%s: from %d to %d %.4f, on average %.4f", name, i-apart, i, d, step)
			}
			if b[0] > a[0] != rising {
				t.Errorf("%s: lightness turns at %d", name, i)
			}
		}
	}
}

// What a screen can't show would be clipped, and the steps no longer equal.
func TestColoursAreInGamut(t *testing.T) {
	shown := func(lab [3]float64) bool {
		for _, v := range linear(lab) {
			if v < -0.002 || v > 1.002 {
				return false
			}
		}
		return true
	}
	for name, th := range themes {
		for i := range 101 {
			if u := float64(i) / 100; !shown(th.at(u)) {
				t.Errorf("%s: ramp at %.2f: %v", name, u, linear(th.at(u)))
			}
		}
		for k, c := range th.classes {
			if !shown(c.lab()) {
				t.Errorf("%s: class %d: %v", name, k, linear(c.lab()))
			}
		}
	}
}

// Two classes that stand beside each other differ by ten steps that one can just see (0.02 in
// OKLab), and from the paper, too.
func TestClassesDiffer(t *testing.T) {
	const apart = 0.2
	for name, th := range themes {
		for i := range th.classes {
			if d := distance(th.class(i).lab(), th.low.lab()); d < apart {
				t.Errorf("%s: class %d and paper: %.3f", name, i, d)
			}
			for j := range min(i, 4) {
				if d := distance(th.class(i).lab(), th.class(j).lab()); i < 4 && d < apart*0.7 {
					t.Errorf("%s: classes %d and %d: %.3f", name, i, j, d)
				}
			}
		}
	}
	if screen(light.class(0).lab()) != screen(light.class(len(light.classes)).lab()) {
		t.Error("colours of classes don't begin again")
	}
}

func TestRegionsFadeIntoPaper(t *testing.T) {
	for name, th := range themes {
		shades := th.regions(1)
		if got, want := shades[0], screen(th.low.lab()); got != want {
			t.Errorf("%s: at chance %v, want paper's %v", name, got, want)
		}
		for i := 8; i < regionShades; i += 8 {
			if distance(back(shades[i]), th.low.lab()) <= distance(back(shades[i-8]), th.low.lab()) {
				t.Errorf("%s: shade %d is surer than %d, but no stronger", name, i, i-8)
			}
		}
	}
}
