package torchfile

import (
	"errors"

	"jem/internal/fault"
)

// storages are those that a file's pickle has named, in order.
type storages struct {
	list  []*storage
	byKey map[string]*storage
	size  int64 // bytes of the file, which holds them all
}

func newStorages(size int64) *storages { return &storages{byKey: map[string]*storage{}, size: size} }

// get returns the storage of a key, the same for every mention.
func (all *storages) get(key string, want storage) (*storage, error) {
	if s, ok := all.byKey[key]; ok {
		if s.kind.Name != want.kind.Name || s.count != want.count {
			return nil, errors.New(fault.Sprintf("storage %q is %d×%s here and %d×%s before", key, want.count, want.kind.Name, s.count, s.kind.Name))
		}
		return s, nil
	}
	if len(all.list) == maxEntries || want.count > all.size/want.kind.Size {
		return nil, errors.New(fault.Sprintf("storage %q of %d×%s: more than the file can hold", key, want.count, want.kind.Name))
	}
	all.list, all.byKey[key] = append(all.list, &want), &want
	return &want, nil
}
