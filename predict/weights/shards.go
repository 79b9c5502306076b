package weights

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
)

// indexEnding is that of the file which says in which shard each tensor of a large safetensors file is.
const indexEnding = ".safetensors.index.json"

// shardName is the name of one of several files that are a network together: model-00001-of-00003.safetensors.
var shardName = regexp.MustCompile(`^(.*)-\d+-of-0*([1-9]\d*)(\.safetensors)$`)

// Bounds on an index.
const (
	maxIndex  = 16 << 20 // bytes
	maxShards = 1000
)

// index is the content of an index file, as far as it is used.
type index struct {
	Shards map[string]string `json:"weight_map"` // tensor → file beside the index
}

// openShards opens all files that an index names. Each tensor must be in the file that is named for it.
func openShards(path string) (s source, files []*os.File, err error) {
	where, err := readIndex(path)
	if err != nil {
		return s, nil, err
	}
	s.texts = map[string]string{}
	for _, name := range shardsOf(where) {
		part, f, err := openFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return s, files, err
		}
		files = append(files, f)
		for _, e := range part.entries {
			if where[e.name] != name {
				return s, files, bad(path, fault.Sprintf("says that tensor %q is in %q, but it is in %q", e.name, where[e.name], name), nil)
			}
			delete(where, e.name)
		}
		s.entries = append(s.entries, part.entries...)
		for key, text := range part.texts {
			s.texts[key] = text
		}
	}
	for name, file := range where {
		return s, files, bad(path, fault.Sprintf("says that tensor %q is in %q, but it isn't there", name, file), nil)
	}
	return s, files, nil
}

func readIndex(path string) (map[string]string, error) {
	text, err := durable.ReadFile(path, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file"}
	} else if err != nil {
		return nil, err
	}
	var i index
	if err := json.Unmarshal(text, &i); err != nil {
		return nil, bad(path, fault.Sprintf("no index of safetensors files: %v", err), nil)
	}
	shards := shardsOf(i.Shards)
	if len(shards) == 0 || len(shards) > maxShards {
		return nil, bad(path, fault.Sprintf("no index of safetensors files: its weight_map names %d of them, want 1 to %d", len(shards), maxShards), nil)
	}
	for _, name := range shards {
		if filepath.Base(name) != name || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) || filepath.Ext(name) != ".safetensors" {
			return nil, bad(path, fault.Sprintf("names the file %q: want names ending in .safetensors, of files beside it", name), nil)
		}
	}
	return i.Shards, nil
}

// shardsOf are the files of an index, each once, in order.
func shardsOf(where map[string]string) (names []string) {
	for _, name := range where {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// wholeOf says what to name instead of one shard of several; "" where a file isn't one.
func wholeOf(path string) string {
	m := shardName.FindStringSubmatch(filepath.Base(path))
	if m == nil || m[2] == "1" {
		return ""
	}
	return fault.Sprintf("is one of %s files that are a network together: name %s, which says what is in each", m[2], fault.Short(m[1]+indexEnding))
}
