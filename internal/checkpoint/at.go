package checkpoint

import "path/filepath"

// At loads the checkpoint of one step, which must be usable. Errors: *CorruptError, or usable's.
func At(dir string, step int, usable Usable) (*Checkpoint, error) {
	c, err := Load(filepath.Join(dir, folder(step)))
	if err == nil {
		err = usable.check(c)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}
