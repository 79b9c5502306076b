package data

import "math"

// canvas is an image whose pixels operations change in place. They are those of AutoAugment (Cubuk et al. 2019), whose
// meaning is that of the Python library Pillow, with which results agree to the byte (testdata/pillow.py).
type canvas struct {
	c, h, w int
	pixels  []uint8 // (C,H,W)
	spare   []uint8 // of the same length
}

// neutral is the grey of pixels that have no image.
const neutral = 128

// swap makes what was written to the spare pixels the image.
func (v *canvas) swap() { copy(v.pixels, v.spare) }

// plane is a channel.
func (v *canvas) plane(c int) []uint8 { return v.pixels[c*v.h*v.w:][:v.h*v.w] }

// affine gives the pixel at (x,y) the value nearest to (a·x+b·y+c, d·x+e·y+f), the centres of pixels being at halves;
// beyond the edges all is grey. Coordinates are in units of 2⁻¹⁶, as in Pillow.
func (v *canvas) affine(a, b, c, d, e, f float64) {
	fix := func(v float64) int { return int(math.Floor(v*65536 + 0.5)) }
	dx, dy := [2]int{fix(a), fix(d)}, [2]int{fix(b), fix(e)}
	row := [2]int{fix(c + float64(a*0.5) + float64(b*0.5)), fix(f + float64(d*0.5) + float64(e*0.5))}
	size := v.h * v.w
	for y := range v.h {
		at := row
		for x := range v.w {
			to, from := y*v.w+x, -1
			if fx, fy := at[0]>>16, at[1]>>16; fx >= 0 && fx < v.w && fy >= 0 && fy < v.h {
				from = fy*v.w + fx
			}
			for c := 0; c < len(v.pixels); c += size {
				v.spare[c+to] = neutral
				if from >= 0 {
					v.spare[c+to] = v.pixels[c+from]
				}
			}
			at[0], at[1] = at[0]+dx[0], at[1]+dx[1]
		}
		row[0], row[1] = row[0]+dy[0], row[1]+dy[1]
	}
	v.swap()
}

// shearY moves columns by a share of their distance from the left.
func (v *canvas) shearY(share float64) { v.affine(1, 0, 0, share, 1, 0) }

// translateX moves the image by a share of its width, cut off to whole pixels.
func (v *canvas) translateX(share float64) { v.affine(1, 0, math.Trunc(share*float64(v.w)), 0, 1, 0) }

// translateY is translateX in height.
func (v *canvas) translateY(share float64) { v.affine(1, 0, 0, 0, 1, math.Trunc(share*float64(v.h))) }

// rotate turns about the centre, anticlockwise by so many degrees.
func (v *canvas) rotate(degrees float64) {
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	x, y := float64(v.w)/2, float64(v.h)/2
	v.affine(cos, sin, x-float64(cos*x)-float64(sin*y), -sin, cos, y+float64(sin*x)-float64(cos*y))
}

// cutout makes a square hole of half the side (DeVries and Taylor 2017) about a pixel, of which the part in the image
// is grey.
func (v *canvas) cutout(y, x int) {
	half := min(v.h, v.w) / 4
	top, bottom, left, right := max(y-half, 0), min(y+half, v.h), max(x-half, 0), min(x+half, v.w)
	for c := range v.c {
		for y := top; y < bottom; y++ {
			for x := left; x < right; x++ {
				v.plane(c)[y*v.w+x] = neutral
			}
		}
	}
}
