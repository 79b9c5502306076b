package layout

import "fmt"

// Passed adds up what was passed over in the folders of a set.
type Passed struct {
	others map[string]int
	stray  []string
	deeper int
}

// Add counts what isn't a picture.
func (p *Passed) Add(f *Files) {
	if p.others == nil {
		p.others = map[string]int{}
	}
	for ending, n := range f.Others {
		p.others[ending] += n
	}
	p.stray, p.deeper = append(p.stray, f.Stray...), p.deeper+f.Deeper
}

// Notes are sentences on what was passed over, and on pictures that lie deeper than others,
// about the folder named if any.
func (p *Passed) Notes(dir string) (notes []string) {
	if dir != "" {
		dir += ": "
	}
	total := 0
	for _, n := range p.others {
		total += n
	}
	if total > 0 {
		notes = append(notes, fmt.Sprintf("%sfiles passed over that are no pictures by their names: %d (%s)", dir, total, endings(p.others)))
	}
	if len(p.stray) > 0 {
		notes = append(notes, fmt.Sprintf("%spassed over %s, left behind by a system or a program", dir, list(p.stray)))
	}
	if p.deeper > 0 && dir != "" {
		notes = append(notes, fmt.Sprintf("%s%d pictures lie in sub-folders of the class folders: they are of these classes", dir, p.deeper))
	}
	return notes
}

// Instead says in brackets what there is where no picture is.
func (p *Passed) Instead() string {
	if len(p.others) == 0 {
		return ""
	}
	return " (there are " + endings(p.others) + ")"
}
