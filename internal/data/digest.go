package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Digest is the SHA-256, in hexadecimal, of what the set holds: number and shape of its images,
// their pixels and their labels, in order. Where the files lie and what they are called is not part
// of it, but pictures are read in the order of their names.
func (s *Set) Digest() string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%d×%d×%d×%d|", s.Len(), s.C, s.H, s.W)
	hash.Write(s.Pixels)
	labels := make([]byte, 0, 4*s.Len())
	for _, y := range s.Labels {
		labels = binary.LittleEndian.AppendUint32(labels, uint32(y))
	}
	hash.Write(labels)
	return hex.EncodeToString(hash.Sum(nil))
}
