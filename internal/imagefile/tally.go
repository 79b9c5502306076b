package imagefile

import "fmt"

// Tally counts the pictures of which something had to be decided.
type Tally struct{ pictures, transparent, turned, dim, several int }

// Add counts a picture.
func (t *Tally) Add(p *Picture) {
	t.pictures++
	for _, c := range []struct {
		holds bool
		count *int
	}{{p.Transparent, &t.transparent}, {p.Turned, &t.turned}, {p.Dim, &t.dim}, {p.Several, &t.several}} {
		if c.holds {
			*c.count++
		}
	}
}

// Notes are sentences for the user: how many pictures were concerned, and what was decided.
func (t *Tally) Notes(ground Ground) (notes []string) {
	add := func(n int, text string, args ...any) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf("%d of %d pictures ", n, t.pictures)+fmt.Sprintf(text, args...))
		}
	}
	switch ground {
	case Stored:
		add(t.transparent, "are transparent in places: the colours stored there were taken (data.ground)")
	case "":
		ground = White
		fallthrough
	default:
		add(t.transparent, "are transparent in places: they were laid on %s (data.ground)", ground)
	}
	add(t.turned, "are stored lying or mirrored: they were turned as their EXIF orientation says")
	add(t.dim, "have 16-bit values of which none is above %d, and are nearly black: if they hold 12 bits, multiply them by 16 first", twelve-1)
	add(t.several, "have more than one frame or page: the first was taken")
	return notes
}
