package data

// look replaces each value of a channel by that of a table.
func (v *canvas) look(c int, table *[256]uint8) {
	plane := v.plane(c)
	for i, old := range plane {
		plane[i] = table[old]
	}
}

// each replaces each value of all channels.
func (v *canvas) each(value func(int) int) {
	var table [256]uint8
	for i := range table {
		table[i] = uint8(value(i))
	}
	for c := range v.c {
		v.look(c, &table)
	}
}

func (v *canvas) invert(float64) { v.each(func(i int) int { return 255 - i }) }

// solarize inverts values from a share of 255, counted from above, on.
func (v *canvas) solarize(share float64) {
	from := 255 - float64(share*255)
	v.each(func(i int) int {
		if float64(i) < from {
			return i
		}
		return 255 - i
	})
}

// posterize clears so many low bits, rounded.
func (v *canvas) posterize(bits float64) {
	v.each(func(i int) int { return i >> int(bits+0.5) << int(bits+0.5) })
}

// histogram counts the values of a channel.
func (v *canvas) histogram(c int) (n [256]int) {
	for _, i := range v.plane(c) {
		n[i]++
	}
	return n
}

// autoContrast stretches each channel's values to 0 … 255.
func (v *canvas) autoContrast(float64) {
	for c := range v.c {
		plane := v.plane(c)
		lo, hi := plane[0], plane[0]
		for _, i := range plane {
			lo, hi = min(lo, i), max(hi, i)
		}
		if lo == hi {
			continue
		}
		var table [256]uint8
		scale := 255 / float64(hi-lo)
		offset := -float64(lo) * scale
		for i := range table {
			table[i] = uint8(min(max(float64(float64(i)*scale)+offset, 0), 255))
		}
		v.look(c, &table)
	}
}

// equalize makes each channel's values about equally frequent.
func (v *canvas) equalize(float64) {
	for c := range v.c {
		n, last := v.histogram(c), 255
		for n[last] == 0 {
			last--
		}
		step := (v.h*v.w - n[last]) / 255
		if step == 0 {
			continue // few pixels, or most of them of one value
		}
		var table [256]uint8
		sum := step / 2
		for i := range table {
			table[i] = uint8(min(sum/step, 255))
			sum += n[i]
		}
		v.look(c, &table)
	}
}

// blend moves the image away from, or for a negative strength towards, what is in the spare pixels: by strength times the difference.
func (v *canvas) blend(strength float64) {
	factor := float32(1 + strength)
	for i, from := range v.spare {
		d := float32(int(v.pixels[i]) - int(from))
		v.pixels[i] = uint8(min(max(float32(from)+float32(factor*d), 0), 255))
	}
}

// brightness blends with black.
func (v *canvas) brightness(strength float64) {
	clear(v.spare)
	v.blend(strength)
}

// luma writes the luma of the pixels to each of the spare channels.
func (v *canvas) luma() {
	size := v.h * v.w
	if v.c == 1 {
		copy(v.spare, v.pixels)
		return
	}
	r, g, b := v.plane(0), v.plane(1), v.plane(2)
	for i := range size {
		v.spare[i] = uint8((int(r[i])*19595 + int(g[i])*38470 + int(b[i])*7471 + 1<<15) >> 16)
	}
	copy(v.spare[size:], v.spare[:size])
	copy(v.spare[2*size:], v.spare[:size])
}

// colour blends with the luma; grey images stay.
func (v *canvas) colour(strength float64) {
	v.luma()
	v.blend(strength)
}

// contrast blends with the mean of the luma, rounded.
func (v *canvas) contrast(strength float64) {
	v.luma()
	sum, size := 0, v.h*v.w
	for _, i := range v.spare[:size] {
		sum += int(i)
	}
	mean := uint8(float64(sum)/float64(size) + 0.5)
	for i := range v.spare {
		v.spare[i] = mean
	}
	v.blend(strength)
}

// sharpness blends with means over 3×3 pixels, in which the middle one counts five times; those at the edges stay.
func (v *canvas) sharpness(strength float64) {
	copy(v.spare, v.pixels)
	for c := range v.c {
		in, out := v.plane(c), v.spare[c*v.h*v.w:][:v.h*v.w]
		for y := 1; y < v.h-1; y++ {
			for x := 1; x < v.w-1; x++ {
				sum := 4 * int(in[y*v.w+x])
				for _, row := range [][]uint8{in[(y-1)*v.w+x-1:][:3], in[y*v.w+x-1:][:3], in[(y+1)*v.w+x-1:][:3]} {
					sum += int(row[0]) + int(row[1]) + int(row[2])
				}
				out[y*v.w+x] = uint8((2*sum + 13) / 26)
			}
		}
	}
	v.blend(strength)
}
