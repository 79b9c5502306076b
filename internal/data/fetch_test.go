package data

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// plainListing is a set of one file, offered as it is.
func plainListing(content []byte, urls ...string) Listing {
	return Listing{
		Name: "tiny", Folder: "tiny",
		Downloads: []Download{{Name: "tiny.bin", Size: int64(len(content)), MD5: md5Hex(content), URLs: urls}},
		Files:     []File{{Name: "tiny.bin", Size: int64(len(content)), SHA256: sha256Hex(content)}},
	}
}

// body is content that no two offsets of which look alike.
func body(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// serve answers with a handler and returns its URL.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// honest serves content with ranges and counts what it sends.
func honest(content []byte, ranges *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		*ranges = append(*ranges, r.Header.Get("Range"))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// fetched checks that the file is there, whole, and nothing else is.
func fetched(t *testing.T, dir string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "tiny", "tiny.bin"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v; want the %d published", len(got), err, len(want))
	}
	if parts, _ := filepath.Glob(filepath.Join(dir, "tiny", "*.part")); len(parts) > 0 {
		t.Errorf("%v are left behind", parts)
	}
}

func TestFetchPutsTheFileInPlaceOnce(t *testing.T) {
	content, dir := body(300_000), t.TempDir()
	var ranges []string
	l := plainListing(content, serve(t, honest(content, &ranges)))
	var last, steps int64
	progress := func(done, total int64) {
		if done < last || total != int64(len(content)) {
			t.Errorf("progress goes from %d to %d of %d", last, done, total)
		}
		last = done
		steps++
	}
	for range 2 {
		if err := l.fetch(t.Context(), dir, progress, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
		fetched(t, dir, content)
	}
	if len(ranges) != 1 || last != int64(len(content)) || steps < 2 {
		t.Errorf("%d requests, progress to %d in %d steps; want 1 request, all bytes", len(ranges), last, steps)
	}
}

func TestFetchResumes(t *testing.T) {
	content := body(300_000)
	for name, c := range map[string]struct {
		part   []byte
		ranges []string
	}{
		"a good part":         {content[:100_000], []string{"bytes=100000-"}},
		"a complete part":     {content, nil},
		"a wrong part":        {make([]byte, 100_000), []string{"bytes=100000-", ""}},
		"a part that is long": {make([]byte, 300_001), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "tiny/tiny.bin.part", c.part)
			var ranges []string
			l := plainListing(content, serve(t, honest(content, &ranges)))
			if err := l.fetch(t.Context(), dir, nil, FetchOptions{}); err != nil {
				t.Fatal(err)
			}
			fetched(t, dir, content)
			if strings.Join(ranges, "|") != strings.Join(c.ranges, "|") {
				t.Errorf("ranges asked for: %q, want %q", ranges, c.ranges)
			}
		})
	}
}

func TestFetchSurvivesBadServers(t *testing.T) {
	content := body(300_000)
	wrong := bytes.Clone(content)
	wrong[200_000]++
	for name, bad := range map[string]http.HandlerFunc{
		"stalls at once": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"stalls half-way": func(w http.ResponseWriter, r *http.Request) {
			w.Write(content[:150_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"truncates": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "300000")
			w.Write(content[:150_000])
		},
		"ends early":     func(w http.ResponseWriter, r *http.Request) { w.Write(content[:150_000]); w.(http.Flusher).Flush() },
		"sends too much": func(w http.ResponseWriter, r *http.Request) { w.Write(append(content[:len(content):len(content)], 1)) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write(content)
			}
		},
		"wrong bytes": func(w http.ResponseWriter, r *http.Request) { w.Write(wrong) },
		"has no such": http.NotFound,
		"lies on ranges": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/10")
			w.WriteHeader(206)
		},
	} {
		t.Run(name, func(t *testing.T) {
			// Only a server that stalls is waited for; the honest one needs time on a busy machine.
			stall := 30 * time.Second
			if strings.HasPrefix(name, "stalls") {
				stall = 2 * time.Second
			}
			var ranges []string
			l := plainListing(content, serve(t, bad), serve(t, honest(content, &ranges)))
			dir := t.TempDir()
			if err := l.fetch(t.Context(), dir, nil, FetchOptions{Stall: stall}); err != nil {
				t.Fatal(err)
			}
			fetched(t, dir, content)

			l.Downloads[0].URLs = l.Downloads[0].URLs[:1]
			dir = t.TempDir()
			err := l.fetch(t.Context(), dir, nil, FetchOptions{Stall: stall})
			if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), l.Downloads[0].URLs[0]) {
				t.Errorf("from it alone: %v, want a failed download naming the server", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "tiny", "tiny.bin")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("from it alone: a file appeared (%v)", err)
			}
		})
	}
}

func TestMirrorsComeFirst(t *testing.T) {
	content, dir := body(1000), t.TempDir()
	var path string
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) { path = r.URL.Path; w.Write(content) })
	l := plainListing(content, "http://127.0.0.1:1/refuses")
	if err := l.fetch(t.Context(), dir, nil, FetchOptions{Mirrors: []string{mirror + "/a/"}}); err != nil {
		t.Fatal(err)
	}
	if fetched(t, dir, content); path != "/a/tiny.bin" {
		t.Errorf("the mirror was asked for %q", path)
	}
}

func TestACancelledFetchCanGoOn(t *testing.T) {
	content, dir := body(300_000), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(content[:150_000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	l := plainListing(content, slow)
	err := l.fetch(ctx, dir, func(done, _ int64) {
		if done >= 150_000 {
			cancel()
		}
	}, FetchOptions{})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrFetch) {
		t.Fatalf("error %v, want the cancellation", err)
	}
	var ranges []string
	l.Downloads[0].URLs = []string{serve(t, honest(content, &ranges))}
	if err := l.fetch(t.Context(), dir, nil, FetchOptions{}); err != nil || len(ranges) != 1 || ranges[0] != "bytes=150000-" {
		t.Errorf("%v after asking for %q, want to go on at 150,000", err, ranges)
	}
	fetched(t, dir, content)
}

// entry is a file of an archive.
type entry struct {
	header tar.Header
	body   string
}

func archiveOf(entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		e.header.Size, e.header.Mode = int64(len(e.body)), 0o644
		w.WriteHeader(&e.header)
		w.Write([]byte(e.body))
	}
	w.Close()
	return gzipped(b.Bytes())
}

// archiveListing is a set of one file, offered in an archive.
func archiveListing(archive []byte, file string, url string) Listing {
	l := plainListing([]byte(file), url)
	l.Downloads = []Download{{Name: "tiny.tar.gz", Size: int64(len(archive)), SHA256: sha256Hex(archive), URLs: []string{url}, Archive: true}}
	return l
}

func TestFetchUnpacksArchives(t *testing.T) {
	archive := archiveOf(
		entry{tar.Header{Name: "tiny/", Typeflag: tar.TypeDir}, ""},
		entry{tar.Header{Name: "./tiny/tiny.bin", Typeflag: tar.TypeReg}, "content"},
		entry{tar.Header{Name: "tiny/readme.html", Typeflag: tar.TypeReg}, "words"})
	var ranges []string
	l, dir := archiveListing(archive, "content", serve(t, honest(archive, &ranges))), t.TempDir()
	for range 2 {
		if err := l.fetch(t.Context(), dir, nil, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	fetched(t, dir, []byte("content"))
	if readme, err := os.ReadFile(filepath.Join(dir, "tiny", "readme.html")); string(readme) != "words" || len(ranges) != 1 {
		t.Errorf("readme %q, %v, after %d requests", readme, err, len(ranges))
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	good := entry{tar.Header{Name: "tiny/tiny.bin", Typeflag: tar.TypeReg}, "content"}
	many := make([]entry, maxArchiveFiles+1)
	for i := range many {
		many[i] = good
	}
	for name, entries := range map[string][]entry{
		"climbs":         {{tar.Header{Name: "tiny/../../out", Typeflag: tar.TypeReg}, "x"}},
		"absolute":       {{tar.Header{Name: "/tiny/out", Typeflag: tar.TypeReg}, "x"}},
		"elsewhere":      {{tar.Header{Name: "other/out", Typeflag: tar.TypeReg}, "x"}},
		"deep":           {{tar.Header{Name: "tiny/a/out", Typeflag: tar.TypeReg}, "x"}},
		"symbolic link":  {{tar.Header{Name: "tiny/out", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""}},
		"hard link":      {{tar.Header{Name: "tiny/out", Typeflag: tar.TypeLink, Linkname: "../out"}, ""}},
		"many files":     many,
		"other content":  {{good.header, "other"}},
		"lacks the file": {{tar.Header{Name: "tiny/readme", Typeflag: tar.TypeReg}, "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			archive, outer := archiveOf(entries...), t.TempDir()
			var ranges []string
			l, dir := archiveListing(archive, "content", serve(t, honest(archive, &ranges))), filepath.Join(outer, "data")
			refused(t, l.fetch(t.Context(), dir, nil, FetchOptions{}), "tiny.tar.gz.part")
			if found, _ := os.ReadDir(outer); len(found) != 1 {
				t.Errorf("%v were written beside the data folder", found)
			}
		})
	}
}

func TestVerifyTellsTheStates(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cifar-10-batches-bin/data_batch_1.bin", record(0, 1))
	write(t, dir, "cifar-10-batches-bin/data_batch_2.bin", []byte{0x1f, 0x8b, 0})
	found, err := Verify("cifar10", dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []State{Differs, Damaged, Absent, Absent, Absent, Absent} {
		if found[i].State != want {
			t.Errorf("%s is %s (%s), want %s", found[i].File.Name, found[i].State, found[i].Detail, want)
		}
	}
}

// What stands before a mirror's host, a password for example, is in no message.
func TestPasswordsOfMirrorsAreNotShown(t *testing.T) {
	nothing := serve(t, http.NotFound)
	host := strings.TrimPrefix(nothing, "http://")
	for _, mirror := range []string{
		"http://user:s3cret@" + host, "http://s3cret@" + host, "http://user:s3cret@127.0.0.1:1", "http://user:s3cret@" + host + ":x", "http://user:a/s3cret@" + host, "http://user:s3cret%zz@" + host,
	} {
		err := plainListing(body(10)).fetch(context.Background(), t.TempDir(), nil, FetchOptions{Mirrors: []string{mirror}})
		if !errors.Is(err, ErrFetch) || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", mirror, err)
		}
	}
}

// A link in the place of a beginning is not written through: it may lead anywhere.
func TestLinksAreNotDownloadedInto(t *testing.T) {
	content := body(100)
	var ranges []string
	l := plainListing(content, serve(t, honest(content, &ranges)))
	dir := t.TempDir()
	write(t, dir, "mine", content[:50])
	write(t, dir, "tiny/x", nil)
	if err := os.Symlink(filepath.Join("..", "mine"), filepath.Join(dir, "tiny", "tiny.bin.part")); err != nil {
		t.Skip(err)
	}
	err := l.fetch(context.Background(), dir, nil, FetchOptions{})
	refused(t, err, "tiny.bin.part", "is a link")
	if b, _ := os.ReadFile(filepath.Join(dir, "mine")); len(b) != 50 || len(ranges) != 0 {
		t.Errorf("%d bytes of 50, after requests %q", len(b), ranges)
	}
}

// A file under a set's name that no reader takes is damaged, not merely different.
func TestVerifyTriesTheFormat(t *testing.T) {
	labels := func(v ...byte) []byte { return append([]byte{0, 0, 8, 1, 0, 0, 0, byte(len(v))}, v...) }
	page := []byte("<html><body>404 Not Found</body></html>")
	for name, c := range map[string]struct {
		set, file string
		content   []byte
		want      State
	}{
		"a subset":                {"cifar10", "test_batch.bin", record(9, 1), Differs},
		"HTML":                    {"cifar10", "test_batch.bin", page, Damaged},
		"nothing":                 {"cifar100", "test.bin", nil, Damaged},
		"cut":                     {"cifar10", "test_batch.bin", record(0, 1)[:3000], Damaged},
		"label 200":               {"cifar10", "test_batch.bin", append([]byte{200}, record(0, 1)[1:]...), Damaged},
		"HTML for SVHN":           {"svhn", "test_32x32.mat", page, Damaged},
		"SVHN of no images":       {"svhn", "test_32x32.mat", matFile(variable("X", 9, []int32{32, 32, 3, 0}, matUint8, nil), variable("y", 9, []int32{0, 1}, matUint8, nil)), Damaged},
		"other labels":            {"mnist", "t10k-labels-idx1-ubyte", labels(3, 9), Differs},
		"label 10":                {"mnist", "t10k-labels-idx1-ubyte", labels(3, 10), Damaged},
		"labels where images are": {"fashion-mnist", "t10k-images-idx3-ubyte", labels(3), Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.file, c.content)
			found, err := Verify(c.set, dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.File.Name == c.file && (f.State != c.want || (f.Detail == "") != (c.want == Differs)) {
					t.Errorf("%s is %s (%s), want %s", c.file, f.State, f.Detail, c.want)
				}
			}
		})
	}
}

func TestListingsAreComplete(t *testing.T) {
	for _, l := range List() {
		if l.Terms == "" || l.Home == "" || l.Title == "" || l.Side == 0 || l.Images == 0 || len(l.Classes) < 10 && !l.Drawn() {
			t.Errorf("%s lacks words: %+v", l.Name, l)
		}
		for _, d := range l.Downloads {
			if d.Size == 0 || len(d.MD5) != 32 || len(d.URLs) == 0 || len(l.within(d)) == 0 {
				t.Errorf("%s: download %+v is incomplete", l.Name, d)
			}
		}
		for _, f := range l.Files {
			if len(f.SHA256) != 64 && len(f.MD5) != 32 {
				t.Errorf("%s: %s has no hash", l.Name, f.Name)
			}
		}
	}
	if l := cifar100(); len(l.Classes) != 100 {
		t.Errorf("CIFAR-100 has %d classes", len(l.Classes))
	}
}
