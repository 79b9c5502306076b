package page

import (
	"image"
	"image/color"
	"math"
)

// panel is a square part of a picture that shows the window.
type panel struct {
	img  *image.NRGBA
	at   image.Rectangle
	box  window
	look theme
}

// regions paints the likeliest class of each place, from p(y|x) by class, fading into paper where
// log p(x) falls from one height to another.
func (p panel) regions(classes []field, density field, from, to float64) {
	w := p.at.Dx()
	var all [][]float64
	for _, f := range classes {
		all = append(all, f.enlarged(w, p.at.Dy()))
	}
	shades := make([][regionShades]color.NRGBA, len(all))
	for k := range shades {
		shades[k] = p.look.regions(k)
	}
	likely := density.enlarged(w, p.at.Dy())
	chance := 1 / float64(len(all))
	for i := range all[0] {
		best := 0
		for k := range all {
			if all[k][i] > all[best][i] {
				best = k
			}
		}
		sure := max(0, min(1, (all[best][i]-chance)/(1-chance))) * max(0, min(1, (likely[i]-to)/(from-to)))
		p.img.SetNRGBA(p.at.Min.X+i%w, p.at.Min.Y+i/w, shades[best][int(math.Round(sure*(regionShades-1)))])
	}
}

// density paints a log-density in the theme's ramp from lo to hi, in so many shades.
func (p panel) density(f field, lo, hi float64, shades int) {
	ramp, n := p.look.ramp(), float64(shades-1)
	for i, v := range f.enlarged(p.at.Dx(), p.at.Dy()) {
		t := math.Round(max(0, min(1, (v-lo)/(hi-lo)))*n) / n
		p.img.SetNRGBA(p.at.Min.X+i%p.at.Dx(), p.at.Min.Y+i/p.at.Dx(), ramp[int(math.Round(t*(rampSize-1)))])
	}
}

// contours draws the lines on which a field has given heights: a pixel is covered as far as the
// line is near, by the field's height over its slope. Where there is next to no slope there is no line.
func (p panel) contours(f field, levels []float64, width float64, c color.NRGBA) {
	w, h := p.at.Dx(), p.at.Dy()
	v := f.enlarged(w, h)
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			i := y*w + x
			slope := math.Hypot(v[i+1]-v[i-1], v[i+w]-v[i-w]) / 2
			for _, level := range levels {
				if far := math.Abs(v[i]-level) / slope; far < width/2+0.5 {
					p.blend(p.at.Min.X+x, p.at.Min.Y+y, c, min(1, width/2+0.5-far))
				}
			}
		}
	}
}

// blend covers a part of a pixel, in [0,1], with a colour.
func (p panel) blend(x, y int, c color.NRGBA, part float64) {
	part = max(0, min(1, part)) * float64(c.A) / 255
	if part == 0 || !image.Pt(x, y).In(p.at) {
		return
	}
	old := p.img.NRGBAAt(x, y)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + part*(float64(b)-float64(a)))) }
	p.img.SetNRGBA(x, y, color.NRGBA{mix(old.R, c.R), mix(old.G, c.G), mix(old.B, c.B), 0xff})
}

// pixel is where a point of the plane lies in the picture.
func (p panel) pixel(x, y float64) (float64, float64) {
	u, v := (x-p.box.x0)/(p.box.x1-p.box.x0), (y-p.box.y0)/(p.box.y1-p.box.y0)
	return float64(p.at.Min.X) + u*float64(p.at.Dx()), float64(p.at.Max.Y) - v*float64(p.at.Dy())
}

// within calls for the pixels of the panel around a box, with their middles.
func (p panel) within(x0, y0, x1, y1 float64, do func(x, y int, mx, my float64)) {
	r := image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1))).Intersect(p.at)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			do(x, y, float64(x)+0.5, float64(y)+0.5)
		}
	}
}

// mark draws the mark of a class around a point of the plane: a disc, square, triangle or diamond.
func (p panel) mark(class int, x, y, radius float64, fill, edge color.NRGBA) {
	cx, cy := p.pixel(x, y)
	if math.IsNaN(cx+cy) || math.IsInf(cx+cy, 0) {
		return
	}
	const reach = 3
	p.within(cx-radius-reach, cy-radius-reach, cx+radius+reach, cy+radius+reach, func(x, y int, mx, my float64) {
		d := shape(class, mx-cx, my-cy, radius)
		p.blend(x, y, edge, 0.5+1-d)
		p.blend(x, y, fill, 0.5-d)
	})
}

// shape is the distance of a place from the mark of a class around the origin, negative inside.
func shape(class int, x, y, r float64) float64 {
	switch class % 4 {
	case 1:
		return max(math.Abs(x), math.Abs(y)) - 0.86*r
	case 2:
		return max(y-0.7*r, 0.866*math.Abs(x)-0.5*y-0.62*r)
	case 3:
		return (math.Abs(x)+math.Abs(y))/math.Sqrt2 - 0.86*r
	}
	return math.Hypot(x, y) - r
}

// line draws a line between two points of the plane.
func (p panel) line(x0, y0, x1, y1, width float64, c color.NRGBA) {
	ax, ay := p.pixel(x0, y0)
	bx, by := p.pixel(x1, y1)
	if sum := ax + ay + bx + by; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return
	}
	dx, dy := bx-ax, by-ay
	square := dx*dx + dy*dy
	p.within(min(ax, bx)-width, min(ay, by)-width, max(ax, bx)+width, max(ay, by)+width, func(x, y int, mx, my float64) {
		t := 0.0
		if square > 0 {
			t = max(0, min(1, ((mx-ax)*dx+(my-ay)*dy)/square))
		}
		p.blend(x, y, c, width/2+0.5-math.Hypot(mx-ax-t*dx, my-ay-t*dy))
	})
}
