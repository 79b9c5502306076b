package imagefile

import (
	"image"
	"io"

	"golang.org/x/image/webp"
)

// decodeWebP decodes a WebP. A lossy one has colours of limited range, 16 to 235 (RFC 9649, section 2.5), which
// the decoder hands out as if they were a JPEG's: too pale.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	switch i := img.(type) {
	case *image.YCbCr:
		return limited(i, nil), err
	case *image.NYCbCrA:
		return limited(&i.YCbCr, i), err
	}
	return img, err
}

// limited makes RGB of luma and chroma of limited range (ITU-R BT.601), with the transparency of an
// image that has some.
func limited(img *image.YCbCr, alpha *image.NYCbCrA) *image.NRGBA {
	out := image.NewNRGBA(img.Rect)
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			c, at := img.COffset(x, y), out.PixOffset(x, y)
			luma, cb, cr := int(img.Y[img.YOffset(x, y)])-16, int(img.Cb[c])-128, int(img.Cr[c])-128
			// In units of 2⁻¹⁶: 255/219, and 255/224 times 1.402, 0.344, 0.714 and 1.772.
			r := 76309*luma + 104597*cr
			g := 76309*luma - 25675*cb - 53279*cr
			b := 76309*luma + 132201*cb
			a := uint8(255)
			if alpha != nil {
				a = alpha.A[alpha.AOffset(x, y)]
			}
			copy(out.Pix[at:], []uint8{clip(r), clip(g), clip(b), a})
		}
	}
	return out
}

// clip rounds a number of 2⁻¹⁶ to one of 0 to 255.
func clip(v int) uint8 { return uint8(max(0, min(255, (v+1<<15)>>16))) }
