package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"jem/internal/mutation"
)

// formats are small files of both formats.
func formats(t testing.TB) map[string][]byte {
	return map[string][]byte{"zip": written(t, small()), "legacy": legacyOf(t, small())}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for name, file := range formats(t) {
		for n := range file {
			if _, err := decoded(file[:n]); err == nil {
				t.Errorf("%s cut to %d of %d bytes was accepted", name, n, len(file))
			}
		}
	}
	for _, name := range []string{"zip", "legacy"} {
		file := official(t, name)
		for n := len(file) - 1; n > 0; n -= 1 + (len(file)-n)/8 {
			if _, err := decoded(file[:n]); err == nil {
				t.Errorf("official %s cut to %d of %d bytes was accepted", name, n, len(file))
			}
		}
	}
}

// sound fails the test unless an outcome is a *FormatError of one line or a state that can
// be written and read again.
func sound(t *testing.T, file []byte) {
	t.Helper()
	s, err := decoded(file)
	if err != nil {
		if format := (*FormatError)(nil); !errors.As(err, &format) || format.Offset < 0 || strings.Contains(err.Error(), "\n") {
			t.Errorf("refused with %T %v", err, err)
		}
		return
	}
	again, err := decoded(written(t, s))
	if err != nil || len(again.Model) != len(s.Model) {
		t.Errorf("accepted, but written and read again: %v", err)
	}
}

// TestMutations damages small files, whose pickle is most of them, and the official ones. A
// damaged copy is refused in words or read soundly, without panic or hang and in bounded memory.
func TestMutations(t *testing.T) {
	files := formats(t)
	files["official zip"], files["official legacy"] = official(t, "zip"), official(t, "legacy")
	for name, file := range files {
		n := mutation.Count(2000)
		if strings.HasPrefix(name, "official") {
			n = max(1, n/20) // 300 kB each
		}
		got := mutation.Run(file, n, func(file []byte) bool {
			sound(t, file)
			_, err := decoded(file)
			return err == nil
		})
		for _, f := range got.Failures {
			t.Errorf("%s: %s", name, f)
		}
		if got.Refused < n/4 {
			t.Errorf("%s: %d of %d refused: the mutations don't bite", name, got.Refused, n)
		}
	}
}

// TestZipDamageIsNoticed flips every bit of the stored numbers: the checksums see it.
func TestZipDamageIsNoticed(t *testing.T) {
	file := written(t, small())
	a, err := openArchive(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	at, n, err := a.verified("data/0")
	if err != nil {
		t.Fatal(err)
	}
	for i := at; i < at+n; i++ {
		b := bytes.Clone(file)
		b[i] ^= 1
		if _, err := decoded(b); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("bit flipped in byte %d: got %v", i, err)
		}
	}
}

// packed makes a zip of the given entries.
func packed(t *testing.T, method uint16, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(entries[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZipRefuses(t *testing.T) {
	tensor := string(view("FloatStorage", 1, 0, []int{1}, []int{1}))
	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"no pickle", `without "data.pkl"`, packed(t, zip.Store, "a/b", "")},
		{"two folders", "outside the folder", packed(t, zip.Store, "a/data.pkl", "", "b/data.pkl", "")},
		{"an entry twice", "appears twice", packed(t, zip.Store, "a/data.pkl", "", "a/data.pkl", "")},
		{"a bomb", "is compressed", packed(t, zip.Deflate, "a/data.pkl", strings.Repeat("}", 1<<20))},
		{"big-endian", `byte order "big"`, packed(t, zip.Store, "a/data.pkl", "}.", "a/byteorder", "big")},
		{"bytes after the pickle", "follow the pickle", packed(t, zip.Store, "a/data.pkl", "}.}")},
		{"no storage", `without "data/0"`, packed(t, zip.Store, "a/data.pkl", tensor)},
		{"a short storage", "has 3 bytes", packed(t, zip.Store, "a/data.pkl", tensor, "a/data/0", "abc")},
	} {
		if _, err := decoded(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// FuzzRead: nothing panics, and what is accepted can be written and read again. Seeds are good
// files of both formats and each hostile file, all small: a fuzzer is fast on them.
func FuzzRead(f *testing.F) {
	for _, file := range formats(f) {
		f.Add(file)
	}
	for _, c := range hostile() {
		f.Add(c.file)
	}
	f.Fuzz(sound)
}
