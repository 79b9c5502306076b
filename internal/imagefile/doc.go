// Package imagefile says what a stored picture shows.
//
// A file's first bytes say what it is, whatever its name. Its size is known, and what it takes to
// decode it bounded, before anything is decoded. What pixels mean is decided here, once, for whoever
// reads pictures: they are turned as EXIF says, and where they are transparent a ground is
// seen. A Tally counts the pictures concerned, so that no such decision is a silent one.
package imagefile
