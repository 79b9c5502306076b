package imagefile

import (
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"jem/internal/fault"
)

// kind is a kind of file that can be read.
type kind struct {
	name   string
	magic  string // how such a file begins; ? stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	look   func(*header) error // reads what decoders don't tell
}

// kinds lists those that can be read.
var kinds = []kind{
	{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, lookPNG},
	{"JPEG", "\xff\xd8", jpeg.DecodeConfig, jpeg.Decode, lookJPEG},
	{"GIF", "GIF8?a", gif.DecodeConfig, decodeGIF, lookGIF},
	{"WebP", "RIFF????WEBP", webp.DecodeConfig, decodeWebP, lookWebP},
	{"BMP", "BM", bmp.DecodeConfig, bmp.Decode, lookBMP},
	{"TIFF", "II*\x00", tiff.DecodeConfig, tiff.Decode, lookTIFF},
	{"TIFF", "MM\x00*", tiff.DecodeConfig, tiff.Decode, lookTIFF},
}

// Kinds names the kinds of pictures that can be read, for messages.
const Kinds = "PNG, JPEG, GIF, WebP, BMP or TIFF"

const webPage = "a web page"

// strangers are kinds that can't be read, as a sentence calls them.
var strangers = []struct{ name, magic string }{
	{"an AVIF picture", "????ftypavi"},
	{"an HEIC picture", "????ftyphei"},
	{"an HEIC picture", "????ftyphev"},
	{"an HEIC picture", "????ftypmif"},
	{"an HEIC picture", "????ftypmsf"},
	{"a film", "????ftyp"},
	{"a JPEG XL picture", "\x00\x00\x00\x0cJXL "},
	{"a JPEG XL picture", "\xff\x0a"},
	{"a JPEG 2000 picture", "\x00\x00\x00\x0cjP  "},
	{"an icon file", "\x00\x00\x01\x00"},
	{"a Photoshop file", "8BPS"},
	{"an SVG drawing", "<svg"},
	{"an XML file, such as an SVG drawing,", "<?xml"},
	{webPage, "<!DOCTYPE"},
	{webPage, "<!doctype"},
	{webPage, "<html"},
	{"a PDF document", "%PDF"},
	{"a NumPy array", "\x93NUMPY"},
	{"a zip archive", "PK\x03\x04"},
	{"a gzip file", "\x1f\x8b"},
	{"a DICOM file", strings.Repeat("?", 128) + "DICM"},
}

// headBytes are enough for every magic.
const headBytes = 132

// begins reports whether a file begins with magic.
func begins(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != head[i] {
			return false
		}
	}
	return true
}

// kindOf is the kind of a file that begins with head, of at most headBytes.
func kindOf(head []byte) (kind, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return begins(head, k.magic) })
	if i >= 0 {
		return kinds[i], nil
	}
	if len(head) == 0 {
		return kind{}, fault.Badf("the file is empty: get it again")
	}
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	for _, s := range strangers {
		if begins(head, s.magic) || s.magic[0] == '<' && begins(text, s.magic) {
			if s.name == webPage {
				return kind{}, fault.Badf("is %s, as servers send in place of a picture: get it again", webPage)
			}
			return kind{}, fault.Badf("is %s, which can't be read here: make it %s", s.name, Kinds)
		}
	}
	return kind{}, fault.Badf("is no picture that can be read: want %s", Kinds)
}

// endings are those of pictures' names, of the kinds above and of some that a photo's owner
// should hear of rather than miss.
var endings = []string{".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2"}

// Named reports whether a file has a picture's name. What it is its content says.
func Named(path string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(path)))
}
