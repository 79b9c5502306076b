package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/png"
)

const (
	signature = "\x89PNG\r\n\x1a\n"
	chunkHead = 8 // length and type
	chunkSum  = 4
)

// Whole looks whether a file is a PNG from its signature to its end, every part of it with the
// right checksum: one that was cut or overwritten is not. No pixel is decoded.
func Whole(file []byte) error {
	rest, ok := bytes.CutPrefix(file, []byte(signature))
	if !ok {
		return errors.New("is no PNG picture")
	}
	if _, err := png.DecodeConfig(bytes.NewReader(file)); err != nil {
		return errors.New("is a PNG picture that was cut or damaged")
	}
	for {
		if len(rest) < chunkHead+chunkSum {
			return errors.New("is a PNG picture that was cut")
		}
		size := int64(binary.BigEndian.Uint32(rest))
		if size > int64(len(rest)-chunkHead-chunkSum) {
			return errors.New("is a PNG picture that was cut")
		}
		sum := rest[chunkHead+size:]
		if crc32.ChecksumIEEE(rest[4:chunkHead+size]) != binary.BigEndian.Uint32(sum) {
			return errors.New("is a damaged PNG picture")
		}
		if string(rest[4:chunkHead]) == "IEND" {
			return nil
		}
		rest = sum[chunkSum:]
	}
}
