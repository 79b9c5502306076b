package feed

import (
	"jem/config"
	"jem/internal/data"
)

// PictureFolders lists the folders of the user's own pictures that a configuration reads, outliers
// included; none of published sets, whose files have names of their own.
func PictureFolders(c config.Config) (folders []string) {
	if c.Data.Name == data.Folder && c.Data.Dir != "" {
		folders = data.PictureFolders(c.Data.Dir)
	}
	if o := c.Outliers; o.Name == data.Folder && o.Dir != "" {
		folders = append(folders, o.Dir)
	}
	return folders
}
