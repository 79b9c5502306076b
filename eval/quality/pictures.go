package quality

import "image"

// shownImages is how many samples a picture of a ranking shows.
const shownImages = 100

// Pictures shows the judged samples: ten of each class, samples-by-class.png, and the likeliest and the
// least likely, samples-likeliest.png and samples-least-likely.png; none where they are not at hand.
func (r Result) Pictures() (map[string]image.Image, error) {
	if r.drawn == nil {
		return nil, nil
	}
	byClass, err := r.drawn.Grid(r.classes)
	if err != nil {
		return nil, err
	}
	ranked := r.drawn.Ranked()
	total := len(ranked.Class)
	n := min(shownImages, total)
	likeliest, err := ranked.Part(0, n).Plain()
	if err != nil {
		return nil, err
	}
	least, err := ranked.Part(total-n, total).Plain()
	if err != nil {
		return nil, err
	}
	return map[string]image.Image{"samples-by-class.png": byClass, "samples-likeliest.png": likeliest, "samples-least-likely.png": least}, nil
}
