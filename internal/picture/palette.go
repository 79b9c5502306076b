package picture

import (
	"image"
	"image/color"
	"slices"
)

// maxColors is what a GIF can show beside what is transparent.
const maxColors = 255

// palette finds colours for pictures by median cut: the box of colours with the longest side
// is halved by number of pixels, until there are enough boxes. At most some 100,000 pixels are
// looked at.
func palette(frames []*image.RGBA) color.Palette {
	const looked = 100_000
	var all [][3]uint8
	total := len(frames) * len(frames[0].Pix) / 4
	step := max(1, total/looked) | 1 // odd, so that it doesn't stay in a column
	for i := 0; i < total; i += step {
		p := frames[i/(len(frames[0].Pix)/4)].Pix[i%(len(frames[0].Pix)/4)*4:]
		all = append(all, [3]uint8{p[0], p[1], p[2]})
	}
	boxes := []box{boxOf(all)}
	for len(boxes) < maxColors {
		at := 0
		for i, b := range boxes {
			if b.length > boxes[at].length {
				at = i
			}
		}
		if boxes[at].length == 0 {
			break
		}
		low, high := halves(boxes[at].colors, boxes[at].axis)
		boxes[at], boxes = boxOf(low), append(boxes, boxOf(high))
	}
	var p color.Palette
	for _, b := range boxes {
		p = append(p, mean(b.colors))
	}
	return p
}

// box is colours with their longest side.
type box struct {
	colors       [][3]uint8
	axis, length int
}

func boxOf(colors [][3]uint8) box {
	axis, length := side(colors)
	return box{colors, axis, length}
}

// side is the longest side of a box and its axis.
func side(box [][3]uint8) (axis, length int) {
	for a := range 3 {
		lo, hi := 255, 0
		for _, c := range box {
			lo, hi = min(lo, int(c[a])), max(hi, int(c[a]))
		}
		if hi-lo > length {
			axis, length = a, hi-lo
		}
	}
	return axis, length
}

// halves splits a box that has a side along an axis. Equal colours stay together.
func halves(box [][3]uint8, axis int) (low, high [][3]uint8) {
	slices.SortFunc(box, func(a, b [3]uint8) int { return int(a[axis]) - int(b[axis]) })
	at := len(box) / 2
	for at > 0 && box[at-1][axis] == box[at][axis] {
		at--
	}
	if at == 0 {
		for at = len(box) / 2; box[at][axis] == box[0][axis]; at++ {
		}
	}
	return box[:at:at], box[at:]
}

func mean(box [][3]uint8) color.Color {
	var sum [3]int
	for _, c := range box {
		for a, v := range c {
			sum[a] += int(v)
		}
	}
	n := len(box)
	return color.RGBA{uint8((sum[0] + n/2) / n), uint8((sum[1] + n/2) / n), uint8((sum[2] + n/2) / n), 0xff}
}

// nearest remembers which of a palette's colours is nearest, to 5, 6 and 5 bits.
type nearest struct {
	p     color.Palette
	index [1 << 16]uint16 // plus 1; 0: not asked for yet
}

func (n *nearest) of(r, g, b uint8) uint8 {
	key := uint16(r>>3)<<11 | uint16(g>>2)<<5 | uint16(b>>3)
	if n.index[key] == 0 {
		n.index[key] = uint16(n.p.Index(color.RGBA{r, g, b, 0xff})) + 1
	}
	return uint8(n.index[key] - 1)
}
