package config

import (
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/data"
	"jem/internal/fault"
)

// Any reports whether there are outliers.
func (o Outliers) Any() bool { return o.Name != "" }

// Made reports whether they are made of the run's own training images, so that nothing is read.
func (o Outliers) Made() bool { return slices.Contains(data.Distortions, data.Distortion(o.Name)) }

// outlierNames are the names that outliers may have.
func outlierNames() []string {
	names := slices.Concat(setNames(), data.PictureSets())
	for _, d := range data.Distortions {
		names = append(names, string(d))
	}
	return names
}

// outliers wants images that are others than the run's.
func (v *validator) outliers(c Config) {
	o := c.Outliers
	v.within("outliers.distorted", o.Distorted, probability)
	if o.Distorted > 0 && (o.Made() || !o.Any()) {
		v.fault("outliers.distorted", "%g is a share of another set's images, which outliers.name=%s has none of: leave it out", o.Distorted, fault.Quote(o.Name))
	}
	switch {
	case !o.Any():
		if o.Dir != "" {
			v.fault("outliers.dir", "%s, but outliers.name is empty: set it to folder for pictures of your own, or to the set whose files lie there", fault.Quote(o.Dir))
		}
		return
	case !slices.Contains(outlierNames(), o.Name):
		v.fault("outliers.name", "unknown name %s: want %s", fault.Quote(o.Name), strings.Join(outlierNames(), ", "))
	case o.Made() && o.Dir != "":
		v.fault("outliers.dir", "%s, but outliers.name=%s is made of the training images: leave it out", fault.Quote(o.Dir), o.Name)
	case o.Name == data.Folder:
		v.outlierFolder(c)
	case o.Name == c.Data.Name:
		v.fault("outliers.name", "%s is the run's own data set: name another, or let outliers be made of its images (distorted)", o.Name)
	}
}

func (v *validator) outlierFolder(c Config) {
	switch dir := c.Outliers.Dir; {
	case dir == "":
		v.fault("outliers.dir", "no folder is named: set it to that of the pictures, or outliers.name to something else than folder")
	case c.Data.Name == data.Folder && c.Data.Dir != "" && filepath.Clean(dir) == filepath.Clean(c.Data.Dir):
		v.fault("outliers.dir", "%s is the folder of the run's own pictures (data.dir): name another", fault.Quote(dir))
	}
}
