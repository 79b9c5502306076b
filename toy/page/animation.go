package page

import (
	"fmt"
	"image"

	"jem/internal/picture"
	"jem/toy"
)

// The animation's frames: so many of training, so many of chains; each stands for so many
// hundredths of a second, the last of each part longer.
const (
	trainingFrames = 32
	chainFrames    = 44
	frameTime      = 9
	restFrames     = 9
	lastTime       = 200
)

// animationShades are those of the density: with as many as on paper the file were twice as large.
const animationShades = 40

// Animation draws what the page moves, as GIF: log p(x) while it is learned, with the data, then chains
// that draw from it; the classes beside it.
func Animation(r *toy.Result) ([]byte, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	s, err := newSheet(r, 1, animationShades)
	if err != nil {
		return nil, err
	}
	frames := append(s.learning(), s.drawing()...)
	if len(frames) == 0 {
		img, left := s.card("log p(x)", "")
		s.plot(left, s.density)
		frames = append(frames, img)
	}
	return picture.Animation{Frames: frames, Delay: frameTime, Last: lastTime}.GIF()
}

// learning are the frames of the training.
func (s *sheet) learning() (frames []image.Image) {
	shots := s.result.Snapshots
	if len(shots) == 0 {
		return nil
	}
	var all []field
	for _, shot := range shots {
		all = append(all, fieldOf(shot.Density).normal(s.box))
	}
	n := trainingFrames
	if len(shots) == 1 {
		n = 1
	}
	for i := range n {
		at := float64(i) * float64(len(shots)-1) / float64(max(1, n-1))
		k := min(int(at), max(0, len(shots)-2))
		f, step := all[k], shots[k].Step
		if len(shots) > 1 {
			part := at - float64(k)
			f, step = blend(all[k], all[k+1], part), shots[k].Step+int(part*float64(shots[k+1].Step-shots[k].Step)+0.5)
		}
		img, left := s.card("log p(x)", fmt.Sprintf("training, step %d", step))
		s.plot(left, f)
		s.data(left, 0.9)
		frames = append(frames, img)
	}
	for range restFrames {
		frames = append(frames, frames[len(frames)-1])
	}
	return frames
}

// drawing are the frames of the chains.
func (s *sheet) drawing() (frames []image.Image) {
	c := s.result.Chains
	if !moving(c) {
		return nil
	}
	ground, left := s.card("log p(x)", "")
	s.plot(left, s.density)
	for _, f := range evenly(len(c.At), chainFrames) {
		img := image.NewNRGBA(ground.Rect)
		copy(img.Pix, ground.Pix)
		left.img = img
		s.detail(left, fmt.Sprintf("drawing, SGLD step %d", c.Steps[f]))
		s.chains(left, f)
		frames = append(frames, img)
	}
	return frames
}
