package toy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"jem/backend/philox"
	"jem/internal/fault"
)

// Data are the points of a demonstration.
type Data struct {
	Name           string
	Classes        []string
	Train, HeldOut Points

	density func(x, y float64) float64 // that they were drawn from; nil: not known
}

// Of the sets that are drawn, and bounds of those that are read.
const (
	trainPoints, heldPoints = 1000, 500
	leastPoints, mostPoints = 10, 100000
	mostClasses             = 20
	mostLetters             = 100      // of a class's name
	mostBytes               = 32 << 20 // of a file
)

// Drawn draws one of Sets; false if there is none of the name.
func Drawn(name string, seed uint64) (Data, bool) {
	s, ok := named(name)
	if !ok {
		return Data{}, false
	}
	all := s.points(trainPoints+heldPoints, seed)
	d := Data{Name: name, Classes: s.classes, density: s.density}
	d.Train, d.HeldOut = all.cut(trainPoints)
	return d, true
}

// points draws n points, the classes in turn.
func (s set) points(n int, seed uint64) (p Points) {
	var u [1]float32
	for i := range n {
		key, used := philox.New(seed, uint32(i), philox.Drawing), uint64(0)
		key.FillUniform(u[:], 0, 1)
		normal := func() float64 { used++; return float64(key.At(1, 0).Normal(used)) }
		x, y := s.draw(i%len(s.classes), float64(u[0]), normal)
		p.add(x, y, i%len(s.classes))
	}
	return p
}

func (p *Points) add(x, y float64, class int) {
	p.X, p.Y, p.Class = append(p.X, x), append(p.Y, y), append(p.Class, class)
}

// cut parts the first n points from the others.
func (p Points) cut(n int) (first, rest Points) {
	return Points{p.X[:n], p.Y[:n], p.Class[:n]}, Points{p.X[n:], p.Y[n:], p.Class[n:]}
}

// Read reads points from CSV: two coordinates and a class a line, the class any text; a first line of names is passed
// over. A third of them, chosen by the seed, is held out. The error is a *fault.Error without the file's name, or the disk's.
func Read(name string, from io.Reader, seed uint64) (Data, error) {
	d := Data{Name: name}
	text, err := io.ReadAll(io.LimitReader(from, mostBytes+1))
	if err != nil {
		return d, err
	}
	if len(text) > mostBytes {
		return d, fault.Badf("is larger than %d MiB, which %d points don't need", mostBytes>>20, mostPoints)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment, r.ReuseRecord = -1, true, '#', true
	var all Points
	for row := 0; ; row++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return d, fault.Badf("can't be read as CSV: %v", err)
		}
		line, _ := r.FieldPos(0)
		x, y, class, err := point(cells)
		switch {
		case err != nil && row == 0 && len(cells) == 3 && !numeric(cells[0]) && !numeric(cells[1]):
			continue // names
		case err != nil:
			return d, fault.Badf("line %d %v", line, err)
		case len(all.X) == mostPoints:
			return d, fault.Badf("has more than %d points: leave some out", mostPoints)
		}
		k := slices.Index(d.Classes, class)
		if k < 0 {
			if k = len(d.Classes); k == mostClasses {
				return d, fault.Badf("line %d has class %s: there are more than %d classes by then; the third column is to be a class", line, fault.Quote(class), mostClasses)
			}
			d.Classes = append(d.Classes, class)
		}
		all.add(x, y, k)
	}
	return d, d.part(all, seed)
}

// point reads a line.
func point(cells []string) (x, y float64, class string, err error) {
	if len(cells) != 3 {
		return 0, 0, "", fmt.Errorf("has %d columns: want x, y and class", len(cells))
	}
	for i, v := range []*float64{&x, &y} {
		if *v, err = strconv.ParseFloat(strings.TrimSpace(cells[i]), 64); err != nil || !(math.Abs(*v) < 1e30) {
			return 0, 0, "", fmt.Errorf("has %s for a coordinate: want a number", fault.Quote(cells[i]))
		}
	}
	switch class = strings.TrimSpace(cells[2]); {
	case class == "":
		return 0, 0, "", errors.New("has no class")
	case utf8.RuneCountInString(class) > mostLetters:
		return 0, 0, "", fmt.Errorf("has a class whose name is longer than %d letters", mostLetters)
	}
	return x, y, strings.Clone(class), nil
}

func numeric(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil
}

// part holds out a third of the points, none that are the outermost of all, since the window is that of the training's, and none
// that is the only one of its class as far as there is room.
func (d *Data) part(all Points, seed uint64) error {
	n := len(all.X)
	switch {
	case n < leastPoints:
		return fault.Badf("has %d points: want at least %d", n, leastPoints)
	case len(d.Classes) < 2:
		return fault.Badf("has one class, %s: want two or more", fault.Quote(d.Classes[0]))
	}
	if err := all.apart(); err != nil {
		return err
	}
	order := make([]int, n)
	philox.New(seed, 0, philox.Split).Perm(order)
	rank, seen := make([]int, n), make([]bool, len(d.Classes))
	for _, i := range order {
		if !seen[all.Class[i]] {
			seen[all.Class[i]], rank[i] = true, 1
		}
	}
	for _, v := range [][]float64{all.X, all.Y} {
		rank[slices.Index(v, slices.Min(v))], rank[slices.Index(v, slices.Max(v))] = 2, 2
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank[b] - rank[a] })
	var mixed Points
	for _, i := range order {
		mixed.add(all.X[i], all.Y[i], all.Class[i])
	}
	d.Train, d.HeldOut = mixed.cut(n - n/3)
	return nil
}

// apart refuses points that are as good as in one place: so near each other that numbers don't tell places between them.
func (p Points) apart() error {
	x0, x1, y0, y1 := slices.Min(p.X), slices.Max(p.X), slices.Min(p.Y), slices.Max(p.Y)
	side, size := max(x1-x0, y1-y0), max(-x0, x1, -y0, y1)
	switch {
	case side == 0:
		return fault.Badf("has all its points in one place")
	case side < 1e-30:
		return fault.Badf("has all its points within %.1g: multiply them", side)
	case side < 1e-9*size:
		return fault.Badf("has points that differ by %.1g at the most, but are as large as %.1g: subtract what they have in common", side, size)
	}
	return nil
}
