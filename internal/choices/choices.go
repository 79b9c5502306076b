// Package choices keeps on disk what a device has measured for its plans, so that the next
// process on this machine need not measure again.
//
// It knows nothing of plans and algorithms, which are texts to it, nor whether a device can
// still do what it once chose: that is for the device to judge. It opens none and prints nothing.
package choices

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"jem/internal/durable"
)

// Memo is a backend.ChoiceMemo in a file of the user's cache folder, one for each kind of
// device. It holds for the program that wrote it and no other: kernels change. A file that is
// missing, foreign or damaged counts as empty, one that can't be written is no trouble: then
// the next process measures again.
//
// The zero Memo may be handed to a device that is being opened.
type Memo struct {
	Device Device // whose choices they are: to be set before its first plan

	path   string // "": not looked for yet, or no place
	kept   file
	looked bool
}

// Device is what a backend.Info says of a device: its values convert into each other.
type Device struct {
	Kind    string `json:"kind"`
	Model   string `json:"model"`
	ISA     string `json:"isa"`
	Threads int    `json:"threads"`
}

// maxFile bounds the file, some kilobytes as a rule.
const maxFile = 1 << 24

// file is what the file holds, JSON.
type file struct {
	Program string            `json:"program"` // SHA-256 of the executable
	Device  Device            `json:"device"`
	Choices map[string]string `json:"choices"` // by what was planned
}

// Recall implements backend.ChoiceMemo.
func (m *Memo) Recall(plan string) string {
	m.look()
	return m.kept.Choices[plan]
}

// Keep implements backend.ChoiceMemo.
func (m *Memo) Keep(plan, algorithm string) {
	m.look()
	m.kept.Choices[plan] = algorithm
	if m.path != "" {
		_ = m.write() // it is a cache
	}
}

// look reads the file, once and only when something is measured.
func (m *Memo) look() {
	if m.looked {
		return
	}
	m.looked = true
	m.kept = file{Device: m.Device, Choices: map[string]string{}}
	program, err := programSum()
	if err != nil {
		return
	}
	m.kept.Program = program
	dir, err := os.UserCacheDir()
	if err != nil {
		return
	}
	m.path = filepath.Join(dir, "jem", "choices", fileName(m.Device))
	text, err := durable.ReadFile(m.path, maxFile)
	if err != nil {
		return
	}
	var k file
	if json.Unmarshal(text, &k) == nil && k.Program == program && k.Device == m.Device && k.Choices != nil {
		m.kept = k
	}
}

// fileName is that of a device's file.
func fileName(d Device) string {
	model := sha256.Sum256([]byte(d.Model))
	return fmt.Sprintf("%s-%s-%d-%x.json", d.Kind, d.ISA, d.Threads, model[:4])
}

// write replaces the file as a whole, so that processes at the same time don't mix theirs.
func (m *Memo) write() error {
	text, err := json.MarshalIndent(m.kept, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o755); err != nil {
		return err
	}
	return durable.WriteFile(m.path, append(text, '\n'))
}

// programSum is the SHA-256 of this executable: about 10 ms.
func programSum() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
