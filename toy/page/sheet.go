package page

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"jem/internal/picture"
	"jem/toy"
)

// The pictures' measures in pixels at scale 1: two panels beside each other on a dark card, which shows as
// well among light as among dark text, each under a line of text.
const (
	panelSide = 400
	cardEdge  = 14
	textLine  = 30
	textSize  = 15
)

// sheet draws pictures of one result.
type sheet struct {
	scale    int
	shades   int // of the density
	look     theme
	text     letters
	box      window
	result   *toy.Result
	density  field
	lo, hi   float64
	regions  *image.NRGBA // the right panel, which is the same on all
	quiet    color.NRGBA
	ink      color.NRGBA
	backdrop color.NRGBA
}

func newSheet(r *toy.Result, scale, shades int) (*sheet, error) {
	text, err := newLetters(float64(textSize * scale))
	if err != nil {
		return nil, err
	}
	s := &sheet{scale: scale, shades: shades, look: dark, text: text, box: windowOf(r), result: r, density: fieldOf(r.Density)}
	s.lo, s.hi = scaleOf(s.density)
	s.ink, s.quiet, s.backdrop = screen(dark.ink.lab()), screen(lch{0.74, 0.015, 220}.lab()), screen(lch{0.16, 0.012, 245}.lab())
	s.drawRegions()
	return s, nil
}

// bounds are those of the card.
func (s *sheet) bounds() image.Rectangle {
	return image.Rect(0, 0, (2*panelSide+3*cardEdge)*s.scale, (panelSide+textLine+2*cardEdge)*s.scale)
}

// panel is the left or the right one of a card.
func (s *sheet) panel(on *image.NRGBA, right bool) panel {
	x := cardEdge
	if right {
		x += panelSide + cardEdge
	}
	at := image.Rect(x, cardEdge+textLine, x+panelSide, cardEdge+textLine+panelSide)
	return panel{on, image.Rectangle{at.Min.Mul(s.scale), at.Max.Mul(s.scale)}, s.box, s.look}
}

// card is a card with its right panel done and a headline over the left.
func (s *sheet) card(headline, detail string) (*image.NRGBA, panel) {
	img := image.NewNRGBA(s.bounds())
	draw.Draw(img, img.Rect, s.regions, image.Point{}, draw.Src)
	left := s.panel(img, false)
	s.title(left, headline, detail)
	return img, left
}

// title writes a headline over a panel, and a detail at its right end.
func (s *sheet) title(p panel, headline, detail string) {
	write(p.img, s.text.bold, s.ink, p.at.Min.X, p.at.Min.Y-10*s.scale, headline)
	s.detail(p, detail)
}

// detail writes at the right end over a panel.
func (s *sheet) detail(p panel, text string) {
	writeBefore(p.img, s.text.plain, s.quiet, p.at.Max.X, p.at.Min.Y-10*s.scale, text)
}

// drawRegions makes the card's ground and its right panel: the classes where p(x) takes places for data, the
// line around 95 % of the held-out points, and the data.
func (s *sheet) drawRegions() {
	s.regions = image.NewNRGBA(s.bounds())
	draw.Draw(s.regions, s.regions.Rect, image.NewUniform(s.backdrop), image.Point{}, draw.Src)
	p := s.panel(s.regions, true)
	var all []field
	for k := range s.result.Classes {
		all = append(all, fieldOf(s.result.JEM.P[k]))
	}
	level := outline(s.result)
	if level == nil {
		level = &s.hi
	}
	p.regions(all, s.density, *level, min(s.lo, *level-1))
	if len(s.result.HeldOutLogP) > 0 {
		p.contours(s.density, []float64{*level}, 1.7*float64(s.scale), s.ink)
	}
	s.data(p, 0.9)
	s.title(p, "p(y|x), dim where p(x) is low", "")
}

// data draws the points, so many of them that the picture stays one of points.
func (s *sheet) data(p panel, opacity float64) {
	points := s.result.Train
	radius := max(1.5, min(2.6, 2.6*math.Sqrt(400/float64(max(1, len(points.X)))))) * float64(s.scale)
	for i := range points.X {
		p.mark(points.Class[i], points.X[i], points.Y[i], radius, alpha(s.look.class(points.Class[i]), opacity), alpha(s.look.low, opacity))
	}
}

func alpha(v lch, opacity float64) color.NRGBA {
	c := screen(v.lab())
	c.A = uint8(math.Round(255 * opacity))
	return c
}

// plot draws a log-density with contours at the shares of its mass.
func (s *sheet) plot(p panel, f field) {
	p.density(f, s.lo, s.hi, s.shades)
	p.contours(f, f.enclosing(shares...), 1.1*float64(s.scale), alpha(s.look.ink, 0.45))
}

// Still draws log p(x) with the data beside the classes, as PNG, for pages that stand still.
func Still(r *toy.Result) ([]byte, error) { return still(r, 2, rampSize) }

func still(r *toy.Result, scale, shades int) ([]byte, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	s, err := newSheet(r, scale, shades)
	if err != nil {
		return nil, err
	}
	img, left := s.card("log p(x)", "contours: 50, 90, 99 % of the mass")
	s.plot(left, s.density)
	s.data(left, 0.9)
	return picture.PNG(img)
}

// tail is the number of frames that a chain's tail is long.
const tail = 8

// chains draws frame f: where chains are, with their tails.
func (s *sheet) chains(p panel, f int) {
	c, width := s.result.Chains, float64(s.scale)
	for k, class := range c.Class {
		for i := max(1, f-tail+1); i <= f; i++ {
			a, b := c.At[i-1][k], c.At[i][k]
			p.line(a[0], a[1], b[0], b[1], width, alpha(s.look.class(class), 0.75*(1-float64(f-i)/tail)))
		}
	}
	for k, class := range c.Class {
		at := c.At[f][k]
		p.mark(class, at[0], at[1], 3.2*width, alpha(s.look.class(class), 1), alpha(s.look.low, 1))
	}
}

// moving reports whether chains can be shown.
func moving(c toy.Chains) bool {
	return len(c.Class) > 0 && len(c.At) > 1 && len(c.Steps) == len(c.At) && !slices.ContainsFunc(c.At, func(f [][2]float64) bool { return len(f) != len(c.Class) })
}
