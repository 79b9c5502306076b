package toy

import "math"

// truth compares log p(x) with the data's density on the grid, where that is known. Both are taken as they are within the window.
func (m *maker) truth(density func(x, y float64) float64) {
	if density == nil {
		return
	}
	r := m.result
	t := &Truth{Density: Grid{W: gridSide, H: gridSide}, LogZ: m.logZ}
	area := (r.Window.X1 - r.Window.X0) * (r.Window.Y1 - r.Window.Y0) / gridSide / gridSide
	at := cells(gridSide)
	mass := 0.0
	for i := range gridSide * gridSide {
		p := m.plane.place(at[2*i], at[2*i+1])
		d := density(p[0], p[1])
		t.Density.Values = append(t.Density.Values, math.Log(d))
		t.KL += area * d * (math.Log(d) - r.Density.Values[i])
		mass += area * d
	}
	t.KL = t.KL/mass - math.Log(mass)
	r.Truth = t
}
