package picture

import (
	"fmt"
	"image"
	"image/color"
	drawing "image/draw"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

const (
	rasterScale  = 2.5 // pixels of a PNG for one of the chart's
	rasterBorder = 12  // of the chart's pixels
	bandAlpha    = 56  // of 255
)

// The light colours of ChartStyle.
var (
	lineColors = [colors]color.NRGBA{{0x1f, 0x6f, 0xb4, 255}, {0xc6, 0x5d, 0x00, 255}, {0x16, 0x84, 0x5b, 255}, {0x8b, 0x4b, 0xb5, 255}, {0xb8, 0x32, 0x3c, 255}, {0x5f, 0x6b, 0x76, 255}}
	inkColor   = color.NRGBA{0x24, 0x29, 0x2f, 255}
	softColor  = color.NRGBA{0x5c, 0x66, 0x70, 255}
	gridColor  = color.NRGBA{0xe3, 0xe6, 0xea, 255}
)

// PNG returns the chart as a PNG file on white.
func (c Chart) PNG() ([]byte, error) {
	r, err := newRaster(chartW+2*rasterBorder, chartH+2*rasterBorder)
	if err != nil {
		return nil, err
	}
	c.draw(r)
	return PNG(r.img)
}

// raster is a canvas of pixels.
type raster struct {
	img         *image.NRGBA
	small, bold font.Face
}

func newRaster(w, h float64) (*raster, error) {
	r := &raster{img: image.NewNRGBA(image.Rect(0, 0, int(w*rasterScale), int(h*rasterScale)))}
	drawing.Draw(r.img, r.img.Bounds(), image.White, image.Point{}, drawing.Src)
	var err error
	if r.small, err = face(goregular.TTF, 11); err == nil {
		r.bold, err = face(gobold.TTF, 13)
	}
	return r, err
}

func face(ttf []byte, size float64) (font.Face, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size * rasterScale, DPI: 72, Hinting: font.HintingNone})
}

// at turns the chart's pixels into the image's.
func at(v float64) float32 { return float32((v + rasterBorder) * rasterScale) }

func (r *raster) text(class string, x, y float64, s string) {
	d := font.Drawer{Dst: r.img, Src: image.NewUniform(softColor), Face: r.small}
	if class == "title" {
		d.Src, d.Face = image.NewUniform(inkColor), r.bold
	}
	s = strings.ReplaceAll(s, "‖", "||") // the font lacks it
	left := at(x)
	width := float32(d.MeasureString(s)) / 64
	switch class {
	case "end":
		left -= width
	case "mid":
		left -= width / 2
	}
	d.Dot = fixed.Point26_6{X: fixed.Int26_6(left * 64), Y: fixed.Int26_6(at(y) * 64)}
	d.DrawString(s)
}

func (r *raster) rule(x, y, dx, dy float64) {
	r.stroke([]trace{{x: x, y: y}, {x: x + dx, y: y + dy}}, 1, gridColor)
}

func (r *raster) swatch(c int, x, y float64) {
	r.fill([]trace{{x: x, y: y}, {x: x + 9, y: y}, {x: x + 9, y: y + 3}, {x: x, y: y + 3}}, lineColors[c])
}

func (r *raster) area(c int, outline []trace) {
	band := lineColors[c]
	band.A = bandAlpha
	r.fill(outline, band)
}

func (r *raster) dot(c int, x, y float64) { r.paint(shape{circle(x, y, 2.2)}, lineColors[c]) }

func (r *raster) line(c int, dashed bool, points []trace) {
	if !dashed {
		r.stroke(points, 1.5, lineColors[c])
		return
	}
	for _, dash := range dashes(points, 5, 3) {
		r.stroke(dash, 1.5, lineColors[c])
	}
}

// shape is polygons in the image's pixels. Where several overlap they have to turn the same
// way.
type shape [][][2]float32

// paint fills a shape. Only the part of the image around it is touched.
func (r *raster) paint(s shape, c color.NRGBA) {
	box := image.Rectangle{}
	for _, polygon := range s {
		for _, p := range polygon {
			x, y := int(p[0]), int(p[1])
			box = box.Union(image.Rect(x-1, y-1, x+2, y+2))
		}
	}
	box = box.Intersect(r.img.Bounds())
	if box.Empty() {
		return
	}
	v := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, polygon := range s {
		for i, p := range polygon {
			x, y := p[0]-float32(box.Min.X), p[1]-float32(box.Min.Y)
			if i == 0 {
				v.MoveTo(x, y)
			} else {
				v.LineTo(x, y)
			}
		}
		v.ClosePath()
	}
	v.Draw(r.img, box, image.NewUniform(c), image.Point{})
}

// fill paints the inside of an outline.
func (r *raster) fill(outline []trace, c color.NRGBA) {
	var polygon [][2]float32
	for _, p := range outline {
		polygon = append(polygon, [2]float32{at(p.x), at(p.y)})
	}
	r.paint(shape{polygon}, c)
}

// stroke paints a line with round joins: a rectangle for each part and a circle for each
// point.
func (r *raster) stroke(points []trace, width float64, c color.NRGBA) {
	var s shape
	for i, p := range points {
		if width > 1 {
			s = append(s, circle(p.x, p.y, width/2))
		}
		if i == 0 {
			continue
		}
		q := points[i-1]
		length := math.Hypot(p.x-q.x, p.y-q.y)
		if length == 0 {
			continue
		}
		nx, ny := -(p.y-q.y)/length*width/2, (p.x-q.x)/length*width/2
		s = append(s, [][2]float32{{at(q.x - nx), at(q.y - ny)}, {at(p.x - nx), at(p.y - ny)}, {at(p.x + nx), at(p.y + ny)}, {at(q.x + nx), at(q.y + ny)}})
	}
	r.paint(s, c)
}

// circle is a polygon of 16 corners.
func circle(x, y, radius float64) (polygon [][2]float32) {
	const corners = 16
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		polygon = append(polygon, [2]float32{at(x + radius*cos), at(y + radius*sin)})
	}
	return polygon
}

// dashes cuts a line into pieces of length on, with gaps of length off.
func dashes(points []trace, on, off float64) (pieces [][]trace) {
	var piece []trace
	drawn, left := true, on
	for i, p := range points {
		if i == 0 {
			piece = []trace{p}
			continue
		}
		from := points[i-1]
		for {
			length := math.Hypot(p.x-from.x, p.y-from.y)
			if length <= left {
				left -= length
				break
			}
			from.x, from.y = from.x+(p.x-from.x)*left/length, from.y+(p.y-from.y)*left/length
			if drawn {
				pieces = append(pieces, append(piece, from))
			}
			piece, drawn = []trace{from}, !drawn
			if left = off; drawn {
				left = on
			}
		}
		if drawn {
			piece = append(piece, p)
		}
	}
	if drawn && len(piece) > 1 {
		pieces = append(pieces, piece)
	}
	return pieces
}
