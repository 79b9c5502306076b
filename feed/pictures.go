package feed

import (
	"jem/config"
	"jem/internal/data"
)

// PictureFolders lists the folders of the user's own pictures that a configuration reads; none
// where it names a published set, whose files have names of their own.
func PictureFolders(c config.Config) []string {
	if c.Data.Name != data.Folder || c.Data.Dir == "" {
		return nil
	}
	return data.PictureFolders(c.Data.Dir)
}
