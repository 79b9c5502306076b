package train

import (
	"fmt"
	"image"

	"jem/internal/picture"
)

// gridColumns is the width of sample grids in images.
const gridColumns = 10

// Draw lays the samples out by class, each class beginning a row with its name, at most
// perClass images of each (0: all), the surest first.
func (s *Samples) Draw(classes []string, perClass int) (*image.NRGBA, error) {
	pixels := s.Channels * s.Size * s.Size
	b := picture.Batch{C: s.Channels, H: s.Size, W: s.Size}
	var labels []string
	for lo := 0; lo < len(s.Class); {
		hi := lo
		for hi < len(s.Class) && s.Class[hi] == s.Class[lo] {
			hi++
		}
		n := hi - lo
		if perClass > 0 {
			n = min(n, perClass)
		}
		b.Pix = append(b.Pix, s.Images[lo*pixels:(lo+n)*pixels]...)
		rows := (n + gridColumns - 1) / gridColumns
		b.Pix = append(b.Pix, make([]float32, (rows*gridColumns-n)*pixels)...)
		labels = append(labels, className(classes, s.Class[lo]))
		labels = append(labels, make([]string, rows-1)...)
		b.N += rows * gridColumns
		lo = hi
	}
	if b.N == 0 {
		return nil, fmt.Errorf("draw samples: there are none")
	}
	return picture.Grid{Columns: gridColumns, Labels: labels}.Draw(b)
}

// className is a class's name, or its number where names are not known.
func className(classes []string, i int) string {
	if i < len(classes) && classes[i] != "" {
		return classes[i]
	}
	return fmt.Sprint(i)
}
