package imagefile

import (
	"errors"
	"image"
	"image/color"
	"io"
	"io/fs"

	"jem/internal/fault"
)

// header is what is known of a picture before it is decoded.
type header struct {
	file io.ReaderAt
	size int64 // of the file in bytes

	config      image.Config
	orientation int     // as in EXIF, 1 to 8; 0: not said
	several     bool    // frames or pages
	perPixel    float64 // bytes that decoding takes, an upper bound
}

// maxDecode bounds the memory that decoding one picture takes, in bytes: room for a photo of 100
// megapixels as cameras write it.
const maxDecode = 384 << 20

// maxFile bounds a picture's file in bytes.
const maxFile = 512 << 20

// read returns the first bytes of the file from an offset on, n at most; fewer at its end.
func (h *header) read(offset int64, n int) ([]byte, error) {
	if offset < 0 || offset >= h.size {
		return nil, nil
	}
	b := make([]byte, min(int64(n), h.size-offset))
	got, err := h.file.ReadAt(b, offset)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// reader reads the file from its beginning.
func (h *header) reader() *io.SectionReader { return io.NewSectionReader(h.file, 0, h.size) }

// inspect reads a picture's header and refuses one that would take too much memory.
func inspect(file io.ReaderAt, size, most int64) (*header, kind, error) {
	h := &header{file: file, size: size}
	head, err := h.read(0, headBytes)
	if err != nil {
		return nil, kind{}, err
	}
	k, err := kindOf(head)
	if err != nil {
		return nil, k, err
	}
	if size > maxFile {
		return nil, k, fault.Badf("%s picture of %d MiB: at most %d", k.name, size>>20, maxFile>>20)
	}
	if h.config, err = k.config(h.reader()); err != nil {
		return nil, k, unreadable(err, k.name)
	}
	h.perPixel = bytesOf(h.config.ColorModel)
	if err := k.look(h); err != nil {
		return nil, k, err
	}
	return h, k, h.bounded(k.name, float64(most))
}

// bounded refuses a picture without pixels or with too many to decode in so many bytes.
func (h *header) bounded(name string, most float64) error {
	w, ht := h.config.Width, h.config.Height
	if w < 1 || ht < 1 {
		return fault.Badf("%s picture of %d×%d pixels: it shows nothing", name, w, ht)
	}
	if need := h.need(); need > most {
		return fault.Badf("%s picture of %d×%d pixels takes %.0f MiB to decode, more than %.0f: save it smaller", name, w, ht, need/(1<<20), most/(1<<20))
	}
	return nil
}

// need is how many bytes decoding takes.
func (h *header) need() float64 {
	return float64(h.config.Width) * float64(h.config.Height) * h.perPixel
}

// bytesOf is the size of a decoded pixel.
func bytesOf(m color.Model) float64 {
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, paletted := m.(color.Palette); paletted {
		return 1
	}
	return 4
}

// unreadable is a decoder's failure: bad data, or the disk's trouble as it is.
func unreadable(err error, name string) error {
	var disk *fs.PathError
	switch {
	case errors.As(err, &disk):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Badf("the file ends within its picture: cut; get it again")
	}
	return &fault.Error{Kind: fault.ErrBad, Reason: name + " picture can't be read: cut or damaged; or if another program reads it, save it from there as PNG", Err: err}
}
