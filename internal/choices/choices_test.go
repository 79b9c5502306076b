package choices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/backend"
)

var (
	_ backend.ChoiceMemo = (*Memo)(nil)
	_                    = Device(backend.Info{})
)

func newMemo(t *testing.T) *Memo {
	t.Helper()
	return &Memo{Device: Device{Kind: "cpu", Model: "Some CPU @ 3/4 GHz", ISA: "avx2", Threads: 2}}
}

func TestChoicesOutliveTheProcess(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // where other systems have their caches
	t.Setenv("LocalAppData", t.TempDir())
	first := newMemo(t)
	if got := first.Recall("a"); got != "" {
		t.Errorf("an empty memo recalls %q", got)
	}
	first.Keep("a", "direct")
	first.Keep("b", "winograd")
	second := newMemo(t)
	if a, b := second.Recall("a"), second.Recall("b"); a != "direct" || b != "winograd" {
		t.Errorf("recalled %q and %q", a, b)
	}
	for name, change := range map[string]func(m *Memo){
		"threads": func(m *Memo) { m.Device.Threads = 3 },
		"model":   func(m *Memo) { m.Device.Model = "Another" },
		"set":     func(m *Memo) { m.Device.ISA = "avx512" },
	} {
		other := newMemo(t)
		change(other)
		if got := other.Recall("a"); got != "" {
			t.Errorf("another machine's %s: recalled %q", name, got)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(second.path), ".*")); len(left) > 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestAForeignOrDamagedMemoCountsAsEmpty(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("LocalAppData", t.TempDir())
	first := newMemo(t)
	first.Keep("a", "direct")
	whole, err := os.ReadFile(first.path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"cut":                string(whole[:len(whole)/2]),
		"empty":              "",
		"no object":          "[]",
		"no choices":         strings.Replace(string(whole), `"choices"`, `"chances"`, 1),
		"of another program": strings.Replace(string(whole), first.kept.Program, strings.Repeat("0", 64), 1),
		"of another model":   strings.Replace(string(whole), "Some CPU", "Your CPU", 1),
	} {
		if err := os.WriteFile(first.path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		m := newMemo(t)
		if got := m.Recall("a"); got != "" {
			t.Errorf("%s: recalled %q", name, got)
		}
		m.Keep("c", "direct")
		if again := newMemo(t); again.Recall("c") != "direct" || again.Recall("a") != "" {
			t.Errorf("%s: it wasn't replaced", name)
		}
	}
}

func TestAMemoWithoutAPlaceIsNoTrouble(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, cache := range []string{file, "relative"} { // no folder; no absolute path, which UserCacheDir refuses
		t.Setenv("XDG_CACHE_HOME", cache)
		t.Setenv("HOME", cache)
		t.Setenv("LocalAppData", cache)
		m := newMemo(t)
		m.Keep("a", "direct")
		if got := m.Recall("a"); got != "direct" {
			t.Errorf("%s: recalled %q", cache, got)
		}
	}
	if _, err := os.Stat("relative"); err == nil {
		t.Error("a relative folder was made")
	}
}
