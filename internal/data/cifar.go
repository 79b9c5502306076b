package data

import "jem/internal/fault"

// The binary records of CIFAR (Krizhevsky 2009): label bytes, then the red, green and blue
// planes of a 32×32 image, row by row. CIFAR-10 has one label byte, CIFAR-100 two: coarse, fine.
const cifarPixels = 3 * 32 * 32

// decodeCIFAR appends the records of one file to the set. The last label byte of a record
// is the label. A file of no whole number of records, or with a label ≥ K, is refused.
func decodeCIFAR(s *Set, file []byte, labelBytes int) error {
	size := labelBytes + cifarPixels
	n := len(file) / size
	if n == 0 || len(file)%size != 0 {
		return fault.Badf("%d bytes are not a whole number of records of %d bytes: the file is cut or of another kind; get it again", len(file), size)
	}
	s.C, s.H, s.W = 3, 32, 32
	for i := range n {
		record := file[i*size : (i+1)*size]
		label := record[labelBytes-1]
		if int(label) >= s.K() {
			return fault.Badf("record %d has label %d, labels are 0 to %d: the file is damaged or of another set", i, label, s.K()-1)
		}
		s.Labels = append(s.Labels, int32(label))
		s.Pixels = append(s.Pixels, record[labelBytes:]...)
	}
	return nil
}
