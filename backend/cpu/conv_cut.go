package cpu

// span is a half-open range.
type span struct{ lo, hi int }

// cut divides a sweep over n images into parts. Every output is computed in one part, so
// the division changes speed only, never results.
type cut struct {
	groups   int // of output channels, in all
	perPart  int // groups of a part
	rows     int // of the largest phase
	rowsPart int // rows of a part
}

const (
	// partWork is the least number of multiply-adds worth a part (some 20 µs).
	partWork = 1 << 20
	// weightsFit is how many bytes of packed weights may be read again for every image:
	// half of the level 2 cache of the processors in mind.
	weightsFit = 512 << 10
)

func newCut(s *sweep) cut {
	c := cut{groups: s.groups, perPart: s.groups}
	weights := 0
	work := 0
	for _, p := range s.phases {
		c.rows = max(c.rows, p.rows)
		weights += 4 * len(p.packed)
		work += len(p.packed) * p.rows * p.cols
	}
	c.rowsPart = c.rows
	if s.src.copied() || s.fold != nil {
		return c
	}
	if weights > weightsFit {
		c.perPart = 1
		work /= s.groups
	}
	pieces := max(1, min(c.rows, work/partWork))
	c.rowsPart = (c.rows + pieces - 1) / pieces
	return c
}

// parts is the number of parts for n images.
func (c *cut) parts(n int) int { return n * c.groupParts() * c.rowParts() }

func (c *cut) groupParts() int { return (c.groups + c.perPart - 1) / c.perPart }
func (c *cut) rowParts() int   { return (c.rows + c.rowsPart - 1) / c.rowsPart }

// at decodes part i: neighbouring parts share weights first, then the image.
func (c *cut) at(i, n int) (image int, groups, rows span) {
	r := i % c.rowParts()
	i /= c.rowParts()
	image, g := i%n, i/n
	return image, c.span(g, c.perPart, c.groups), c.span(r, c.rowsPart, c.rows)
}

func (c *cut) span(i, per, all int) span { return span{i * per, min((i+1)*per, all)} }
