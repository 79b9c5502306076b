package data

import "jem/internal/fault"

// maxMAT bounds what a MATLAB file may unpack to: SVHN's extra part is 1.63 GB.
const maxMAT = 2 << 30

// decodeSVHN appends a file of Street View House Numbers, format 2 (Netzer et al. 2011): MATLAB
// v5 variables X, uint8 (32,32,3,N), and y, (N,1), where 10 stands for the digit 0.
func decodeSVHN(s *Set, file []byte, limit int64) error {
	vars, err := readMAT(file, limit)
	if err != nil {
		return err
	}
	x, y := vars["X"], vars["y"]
	if x == nil || y == nil {
		return fault.Badf("no variables X and y: not a 32×32 file of SVHN")
	}
	if len(x.dims) != 4 || x.dims[0] != 32 || x.dims[1] != 32 || x.dims[2] != 3 || x.kind != matUint8 {
		return fault.Badf("X is %v of MATLAB type %d, want (32,32,3,N) of uint8", x.dims, x.kind)
	}
	if x.dims[3] == 0 {
		return fault.Badf("X holds no images")
	}
	if len(y.dims) != 2 || min(y.dims[0], y.dims[1]) != 1 {
		return fault.Badf("y is %v, want a label an image, (N,1)", y.dims)
	}
	if x.complex || y.complex {
		return fault.Badf("X or y holds complex numbers, want whole ones")
	}
	labels, err := y.integers()
	if err != nil {
		return err
	}
	if n := x.dims[3]; len(labels) != n {
		return fault.Badf("%d labels for %d images", len(labels), n)
	}
	for i, v := range labels {
		if v < 1 || v > 10 {
			return fault.Badf("record %d has label %v, want 1 to 10 (10 stands for the digit 0)", i, v)
		}
		s.Labels = append(s.Labels, int32(v)%10)
	}
	transpose(x.data, 32)
	s.Pixels = append(s.Pixels, x.data...)
	return nil
}

// transpose turns the square planes of a column-major array into row-major ones, in place.
// Image, channel and plane are in our order already: MATLAB's first dimension, the row, runs fastest.
func transpose(planes []byte, side int) {
	for p := 0; p < len(planes); p += side * side {
		plane := planes[p : p+side*side]
		for r := range side {
			for c := range r {
				plane[r*side+c], plane[c*side+r] = plane[c*side+r], plane[r*side+c]
			}
		}
	}
}
