package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"jem/backend"
)

// choiceMemo is a backend.ChoiceMemo in a file of the user's cache folder, one for each kind
// of device. It holds for the program that wrote it and no other: kernels change. A file that
// is missing, foreign or damaged counts as empty, one that can't be written is no trouble:
// then the next process measures again.
type choiceMemo struct {
	device backend.Info
	path   string // "": not looked for yet, or no place
	kept   keptChoices
	looked bool
}

// keptChoices is the file, JSON.
type keptChoices struct {
	Program string            `json:"program"` // SHA-256 of the executable
	Device  backend.Info      `json:"device"`
	Choices map[string]string `json:"choices"` // by what was planned
}

// Recall implements backend.ChoiceMemo.
func (m *choiceMemo) Recall(plan string) string {
	m.look()
	return m.kept.Choices[plan]
}

// Keep implements backend.ChoiceMemo.
func (m *choiceMemo) Keep(plan, algorithm string) {
	m.look()
	m.kept.Choices[plan] = algorithm
	if m.path != "" {
		_ = m.write() // it is a cache
	}
}

// look reads the file, once and only when something is measured.
func (m *choiceMemo) look() {
	if m.looked {
		return
	}
	m.looked = true
	m.kept = keptChoices{Device: m.device, Choices: map[string]string{}}
	program, err := programSum()
	if err != nil {
		return
	}
	m.kept.Program = program
	dir, err := os.UserCacheDir()
	if err != nil {
		return
	}
	m.path = filepath.Join(dir, "jem", "choices", choiceFile(m.device))
	text, err := os.ReadFile(m.path)
	if err != nil {
		return
	}
	var k keptChoices
	if json.Unmarshal(text, &k) == nil && k.Program == program && k.Device == m.device && k.Choices != nil {
		m.kept = k
	}
}

// choiceFile is the name of a device's file.
func choiceFile(d backend.Info) string {
	model := sha256.Sum256([]byte(d.Model))
	return fmt.Sprintf("%s-%s-%d-%x.json", d.Kind, d.ISA, d.Threads, model[:4])
}

// write replaces the file as a whole, so that processes at the same time don't mix theirs.
func (m *choiceMemo) write() error {
	text, err := json.MarshalIndent(m.kept, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(m.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(m.path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), m.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
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
