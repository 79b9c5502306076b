package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"jem/internal/fault"
)

const (
	manifestName = "MANIFEST.json"
	stateName    = "state.json"
	extension    = ".safetensors"

	// format is the version of the folder's layout; a reader refuses any other.
	format = 1

	// maxSmall bounds manifest and state, which are read whole.
	maxSmall = 64 << 20
)

// manifest is MANIFEST.json. It is written in one way only, so that any change of its
// bytes shows.
type manifest struct {
	Format int         `json:"format"`
	Step   int         `json:"step"`
	Files  []fileEntry `json:"files"` // in the order written
}

type fileEntry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func (m manifest) encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	return append(b, '\n'), err
}

// readManifest returns the manifest of a folder, after checking that it belongs there.
func readManifest(dir string) (manifest, error) {
	path := filepath.Join(dir, manifestName)
	b, err := readSmall(path)
	if err != nil {
		return manifest{}, &CorruptError{path, "cannot be read", err}
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return m, &CorruptError{path, fault.Sprintf("no manifest: %v", err), nil}
	}
	if m.Format != format {
		return m, &CorruptError{path, fmt.Sprintf("format %d, this program knows %d", m.Format, format), nil}
	}
	if same, err := m.encode(); err != nil || !bytes.Equal(same, b) {
		return m, &CorruptError{path, "not as written", err}
	}
	if name := filepath.Base(dir); name != folder(m.Step) {
		return m, &CorruptError{path, fmt.Sprintf("is of step %d, the folder is %s", m.Step, name), nil}
	}
	if err := m.checkNames(); err != nil {
		return m, &CorruptError{path, "file names", err}
	}
	return m, nil
}

// checkNames refuses names that lead elsewhere and kinds of files that no Save writes:
// what Load would pass over in silence.
func (m manifest) checkNames() error {
	states := 0
	for _, f := range m.Files {
		switch {
		case f.Name == stateName:
			states++
		case !isPlain(f.Name) || !strings.HasSuffix(f.Name, extension):
			return fmt.Errorf("%s is not one of a checkpoint's", fault.Quote(f.Name))
		}
	}
	if states != 1 {
		return fmt.Errorf("%s is listed %d times", stateName, states)
	}
	return nil
}

// isPlain reports whether a name stays within its folder on every system: up to 255 letters,
// digits, '.', '-' and '_', and no dot in front.
func isPlain(name string) bool {
	odd := strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
	return name != "" && len(name) <= 255 && name[0] != '.' && odd < 0
}

// readSmall reads a file of bounded size. To open a pipe would wait for its writer.
func readSmall(path string) ([]byte, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("is no regular file (%v)", info.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(b) > maxSmall {
		err = fmt.Errorf("%s: more than %d bytes", path, maxSmall)
	}
	return b, err
}

// summer counts and hashes what passes through it.
type summer struct {
	hash.Hash
	size int64
}

func newSummer() *summer { return &summer{Hash: sha256.New()} }

// Write adds p; it never fails.
func (s *summer) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return s.Hash.Write(p)
}

func (s *summer) entry(name string) fileEntry {
	return fileEntry{name, s.size, hex.EncodeToString(s.Sum(nil))}
}
