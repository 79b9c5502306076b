package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// Digest is a set of images that hashes what it hands out, in order: pixels as little-endian
// float32, with noise and all, and labels as int32. So two results are of the same images if
// and only if their digests agree, whatever folder or limit they came from.
type Digest struct {
	Images
	hash  hash.Hash
	bytes []byte
}

// NewDigest hashes what a set hands out; nil: only what is added.
func NewDigest(images Images) *Digest { return &Digest{Images: images, hash: sha256.New()} }

// Batch implements Images.
func (d *Digest) Batch(i int, images []float32, labels []int32) int {
	n := d.Images.Batch(i, images, labels)
	d.Add(images[:n*len(images)/EvalBatch], labels[:n])
	return n
}

// Add hashes images and labels.
func (d *Digest) Add(images []float32, labels []int32) {
	d.bytes = d.bytes[:0]
	for _, v := range images {
		d.bytes = binary.LittleEndian.AppendUint32(d.bytes, math.Float32bits(v))
	}
	for _, y := range labels {
		d.bytes = binary.LittleEndian.AppendUint32(d.bytes, uint32(y))
	}
	d.hash.Write(d.bytes)
}

// Sum is the hash of what was handed out so far.
func (d *Digest) Sum() string { return hex.EncodeToString(d.hash.Sum(nil)) }
