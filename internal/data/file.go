package data

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"jem/internal/durable"
	"jem/internal/fault"
)

// locate returns the path of a file in dir, packed (.gz) or not; fs.ErrNotExist if neither is
// there. Anything else of that name, such as a folder or a pipe, is bad data.
func locate(dir, name string) (string, error) {
	for _, p := range []string{filepath.Join(dir, name), filepath.Join(dir, name+".gz")} {
		info, err := os.Stat(p)
		if err == nil {
			return p, durable.CheckRegular(p, info.Mode())
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: %w", filepath.Join(dir, name), fs.ErrNotExist)
}

// unpackFactor bounds what a file may unpack to, in published sizes: room for larger sets in
// the same format, none for a bomb.
const unpackFactor = 4

// readContent returns the content of a file, unpacked if it is gzip, of at most
// limit bytes. It holds no more memory than a few times what is really there.
func readContent(path string, limit int64) ([]byte, error) {
	f, err := durable.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b, err := unpacked(f, info.Size(), limit)
	return b, fault.At(path, err)
}

// unpacked returns the content of size bytes, unpacked if they are gzip.
func unpacked(f io.ReaderAt, size, limit int64) ([]byte, error) {
	var magic [2]byte
	n, err := f.ReadAt(magic[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var r io.Reader = io.NewSectionReader(f, 0, size)
	if packed := n == 2 && magic == [2]byte{0x1f, 0x8b}; packed {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, unreadable(err, "gzip header")
		}
		limit = inflated(size, limit)
	}
	return readCapped(r, limit)
}

// maxRatio bounds how far compressed images may grow: photographs do so by less than 2, MNIST by 5.
const maxRatio = 16

// freeBytes may be unpacked whatever the ratio, so that small files may hold what they like.
const freeBytes = 16 << 20

// inflated is what packed bytes may unpack to, limit at most.
func inflated(packed, limit int64) int64 { return min(limit, freeBytes+maxRatio*packed) }

// readCapped reads all of r, refusing more than limit bytes.
func readCapped(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return nil, err // the disk's trouble, not the data's
	case err != nil:
		return nil, unreadable(err, "compressed content")
	case n > limit:
		return nil, fault.Badf("more than %d bytes unpacked: not the file that the name says", limit)
	}
	return b.Bytes(), nil
}

// matches reports whether content is what was published.
func (f File) matches(content []byte) bool {
	if f.SHA256 != "" {
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:]) == f.SHA256
	}
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:]) == f.MD5
}

// limit is the largest content that is read under this file's name.
func (f File) limit() int64 {
	if f.Size == 0 {
		return maxMAT
	}
	return unpackFactor * f.Size
}

// unreadable marks a decoder's failure to read as bad data.
func unreadable(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Badf("the file ends within its %s: cut; get it again", what)
	}
	return &fault.Error{Kind: fault.ErrBad, Reason: what + " can't be read", Err: err}
}
