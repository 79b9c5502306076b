package data

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Fit returns a set with the given channels and side. Grey becomes colour by repetition,
// colour grey by luma; images are cut to their central square and resized bilinearly.
func Fit(set *Set, channels, side int) *Set {
	if set.C == channels && set.H == side && set.W == side {
		return set
	}
	out := *set
	out.C, out.H, out.W, out.Pixels = channels, side, side, make([]uint8, 0, set.Len()*channels*side*side)
	for i := range set.Len() {
		img := asImage(set, i)
		scaled := image.NewRGBA(image.Rect(0, 0, side, side))
		edge := min(set.H, set.W)
		corner := image.Pt((set.W-edge)/2, (set.H-edge)/2)
		draw.BiLinear.Scale(scaled, scaled.Bounds(), img, image.Rectangle{Min: corner, Max: corner.Add(image.Pt(edge, edge))}, draw.Src, nil)
		for c := range channels {
			for j := 0; j < len(scaled.Pix); j += 4 {
				v := scaled.Pix[j+c]
				if channels == 1 {
					v = color.GrayModel.Convert(color.RGBA{scaled.Pix[j], scaled.Pix[j+1], scaled.Pix[j+2], 255}).(color.Gray).Y
				}
				out.Pixels = append(out.Pixels, v)
			}
		}
	}
	return &out
}

// asImage is image i of a set.
func asImage(set *Set, i int) image.Image {
	img, pixels, plane := image.NewRGBA(image.Rect(0, 0, set.W, set.H)), set.Image(i), set.H*set.W
	for j := range plane {
		for c := range 3 {
			img.Pix[4*j+c] = pixels[c%set.C*plane+j]
		}
		img.Pix[4*j+3] = 255
	}
	return img
}
