package main

import (
	"strings"

	"jem/config"
	"jem/feed"
	"jem/internal/claim"
)

// apart refuses a file or folder to write among the pictures that a configuration, or a list
// of sets to compare with, reads: they would be a class, or images, the next time. Published
// sets lie in files of their own names, beside which anything may be.
func apart(written string, c config.Config, sets ...string) error {
	if written == "" {
		return nil
	}
	for _, dir := range pictureFolders(c, sets) {
		if err := claim.Apart(written, dir); err != nil {
			return err
		}
	}
	return nil
}

// pictureFolders lists the folders of the user's own pictures.
func pictureFolders(c config.Config, sets []string) []string {
	all := feed.PictureFolders(c)
	for _, s := range sets {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(s), "folder:"); ok {
			all = append(all, dir)
		}
	}
	return all
}
