package toy

import (
	"math"
)

// Sets are the names of the data that can be drawn.
var Sets = []string{"rings", "moons", "gaussians", "spiral"}

// set draws points of classes, and knows their density where it has a formula.
type set struct {
	classes []string
	draw    func(class int, u float64, normal func() float64) (x, y float64) // u is uniform in [0,1)
	density func(x, y float64) float64                                       // nil: not known
}

// Centres and widths of the Gaussians: three classes, the first of two clouds.
var clouds = []struct {
	class       int
	x, y, sigma float64
}{{0, -1.5, -0.9, 0.35}, {0, 1.5, -0.9, 0.35}, {1, 0, 1.5, 0.45}, {2, 0, -0.2, 0.3}}

// named is the set of a name.
func named(name string) (set, bool) {
	switch name {
	case "rings":
		return set{classes: []string{"inner", "outer"}, draw: func(k int, u float64, n func() float64) (float64, float64) {
			r := 1 + float64(k) + 0.16*n()
			return r * math.Cos(2*math.Pi*u), r * math.Sin(2*math.Pi*u)
		}}, true
	case "moons":
		return set{classes: []string{"upper", "lower"}, draw: func(k int, u float64, n func() float64) (float64, float64) {
			sin, cos := math.Sincos(math.Pi * u)
			if k == 1 {
				sin, cos = 0.5-sin, 1-cos
			}
			return 2*cos - 1 + 0.16*n(), 2*sin - 0.5 + 0.16*n()
		}}, true
	case "gaussians":
		return set{classes: []string{"a", "b", "c"}, draw: drawCloud, density: cloudDensity}, true
	case "spiral":
		return set{classes: []string{"first", "second", "third"}, draw: func(k int, u float64, n func() float64) (float64, float64) {
			r := 0.35 + 2.1*math.Sqrt(u)
			sin, cos := math.Sincos(2*math.Pi*float64(k)/3 + 1.9*r)
			return r*cos + 0.09*n(), r*sin + 0.09*n()
		}}, true
	}
	return set{}, false
}

// drawCloud draws from the clouds of a class.
func drawCloud(class int, u float64, normal func() float64) (x, y float64) {
	c := clouds[class+1]
	if class == 0 {
		c = clouds[int(2*u)]
	}
	return c.x + c.sigma*normal(), c.y + c.sigma*normal()
}

// cloudDensity is the density of the mixture, the classes as likely as each other.
func cloudDensity(x, y float64) float64 {
	sum := 0.0
	for _, c := range clouds {
		weight := 1.0 / 3
		if c.class == 0 {
			weight /= 2
		}
		d := (x-c.x)*(x-c.x) + (y-c.y)*(y-c.y)
		sum += weight * math.Exp(-d/(2*c.sigma*c.sigma)) / (2 * math.Pi * c.sigma * c.sigma)
	}
	return sum
}
