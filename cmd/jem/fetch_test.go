package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/eval"
)

// mnistImages is the first file of MNIST that fetch asks for, and its published size.
const (
	mnistImages     = "train-images-idx3-ubyte.gz"
	mnistImagesSize = 9912422
)

// offline keeps the publishers' servers out of reach: requests to them fail at once.
var offline = []string{"HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1"}

// mirror serves with a handler and remembers the ranges asked for.
func mirror(t *testing.T, h http.HandlerFunc) (url string, ranges func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, filepath.Base(r.URL.Path)+" "+r.Header.Get("Range"))
		mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string { mu.Lock(); defer mu.Unlock(); return asked }
}

// TestFetchFromBadServers: a server that stalls, truncates or lies is named with the reason,
// exit code 74, and no file appears under its own name.
func TestFetchFromBadServers(t *testing.T) {
	half := make([]byte, mnistImagesSize/2)
	sendHalf := func(w http.ResponseWriter) {
		w.Write(half)
		w.(http.Flusher).Flush()
	}
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		says  string
		part  int64 // bytes kept for the next try
	}{
		"stalls":    {func(w http.ResponseWriter, r *http.Request) { sendHalf(w); <-r.Context().Done() }, "no bytes for 3s", int64(len(half))},
		"truncates": {func(w http.ResponseWriter, _ *http.Request) { sendHalf(w) }, "ended after 4956211 of 9912422 bytes", int64(len(half))},
		"lies": {func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, mnistImagesSize)))
		}, "not the published file", 0},
		"has a page instead": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "has 6 bytes, published are 9912422", 0},
		"has nothing":        {http.NotFound, "404", 0},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := mirror(t, c.serve)
			dir := t.TempDir()
			r := doWith(t, offline, "data", "fetch", "--quiet", "--data-dir", dir, "--mirror", url, "--stall", "3s", "mnist")
			if r.code != exitIO || !strings.HasPrefix(r.stderr, "jem: fetch mnist: ") || !strings.Contains(r.stderr, url) || !strings.Contains(r.stderr, c.says) {
				t.Errorf("got %d %s\nwant %d, %s and %q", r.code, r.stderr, exitIO, url, c.says)
			}
			if _, err := os.Stat(filepath.Join(dir, "mnist", mnistImages)); !os.IsNotExist(err) {
				t.Errorf("a file appeared (%v)", err)
			}
			size := int64(0)
			if info, err := os.Stat(filepath.Join(dir, "mnist", mnistImages+".part")); err == nil {
				size = info.Size()
			}
			if size != c.part {
				t.Errorf("%d bytes are kept for the next try, want %d", size, c.part)
			}
		})
	}
}

// TestFetchGoesOn: the second call asks for what is missing; since the first half was
// another file's, it then asks for the whole.
func TestFetchGoesOn(t *testing.T) {
	content := make([]byte, mnistImagesSize)
	url, ranges := mirror(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	dir := t.TempDir()
	put(t, dir, "mnist/"+mnistImages+".part", content[:1_000_000])
	r := doWith(t, offline, "data", "fetch", "--quiet", "--data-dir", dir, "--mirror", url, "mnist")
	if want := mnistImages + " bytes=1000000-|" + mnistImages + " "; r.code != exitIO || strings.Join(ranges(), "|") != want {
		t.Errorf("got %d after asking for %q, want %q", r.code, ranges(), want)
	}
}

// TestMirrorsPasswordIsNotShown: not by a server that fails, and not where there is none.
func TestMirrorsPasswordIsNotShown(t *testing.T) {
	r := doWith(t, offline, "data", "fetch", "--quiet", "--data-dir", t.TempDir(), "--mirror", "http://user:s3cret@127.0.0.1:1/x", "mnist")
	if r.code != exitIO || strings.Contains(r.stderr+r.stdout, "s3cret") || !strings.Contains(r.stderr, "http://127.0.0.1:1/x/"+mnistImages) {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}

// TestDataIsListedAndVerified: three states of files, in words and as JSON.
func TestDataIsListedAndVerified(t *testing.T) {
	dir := writeCIFAR(t)
	var sets []set
	okJSON(t, &sets, "data", "list", "--data-dir", dir, "--json")
	if len(sets) < 5 || sets[0].Name != "cifar10" || sets[0].Files[0].State != "not as published" || sets[1].Files[0].State != "missing" {
		t.Errorf("got %+v", sets)
	}
	put(t, dir, "cifar-10-batches-bin/test_batch.bin", []byte{0x1f, 0x8b, 1})
	r := do(t, "data", "verify", "--data-dir", dir, "--json", "cifar10")
	var files []fileStatus
	if err := json.Unmarshal([]byte(r.stdout), &files); err != nil || r.code != exitData || files[5].State != "damaged or unreadable" || !strings.Contains(r.stderr, "test_batch.bin") {
		t.Errorf("got %d %s\n%+v, %v", r.code, r.stderr, files, err)
	}
	ok(t, "data", "verify", "--data-dir", writeCIFAR(t), "cifar10") // of another hash, but readable
	put(t, dir, "cifar-10-batches-bin/test_batch.bin", []byte("<html>not found</html>"))
	r = do(t, "data", "verify", "--data-dir", dir, "cifar10")
	if r.code != exitData || strings.Count(r.stderr, "test_batch.bin") != 1 || !strings.Contains(r.stderr, "not a whole number of records") {
		t.Errorf("a page in place of a file: got %d %s", r.code, r.stderr)
	}
}

// TestAnotherHashIsUsedWithAWarning: whole records that aren't the published ones are trained
// on, and the run's metrics say so; no server is asked.
func TestAnotherHashIsUsedWithAWarning(t *testing.T) {
	data, out := writeCIFAR(t), filepath.Join(t.TempDir(), "run")
	r := doWith(t, offline, small(data, out, "--steps", "1")...)
	if r.code != 0 || !strings.Contains(r.stderr, "is not the published file") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	metrics, err := os.ReadFile(filepath.Join(out, "metrics.jsonl"))
	if err != nil || !strings.Contains(string(metrics), "is not the published file") {
		t.Errorf("metrics don't say it: %v\n%s", err, metrics)
	}
}

// TestTrainOnPictures: a folder of pictures of two classes, resized, with a test set whose
// classes come in another order, and one that holds out a share.
func TestTrainOnPictures(t *testing.T) {
	dir := t.TempDir()
	for _, class := range []string{"train/cat", "train/dog", "test/dog"} {
		for i := range 12 {
			put(t, dir, filepath.Join(class, string(rune('a'+i))+".png"), square(20+i))
		}
	}
	args := func(data, out string, more ...string) []string {
		return append([]string{"train", "--preset", "folder", "--data-dir", data, "--out", out, "--steps", "1", "--batch", "4",
			"--sgld-steps", "1", "--buffer-size", "20", "--set", "model.width=1", "--set", "data.size=16", "--set", "data.grey=true", "--json"}, more...)
	}
	out := filepath.Join(dir, "run")
	var done trained
	okJSON(t, &done, args(dir, out)...)
	if done.Evaluation.Split != "test" || done.Evaluation.Images != 12 {
		t.Errorf("got %+v", done)
	}
	okJSON(t, &done, args(filepath.Join(dir, "train"), out+"2", "--set", "data.valid_share=0.25")...)
	if done.Evaluation.Split != "valid" || done.Evaluation.Images != 6 {
		t.Errorf("got %+v, want a quarter of 24 held out", done)
	}
	ok(t, "sample", "--run", out, "--out", filepath.Join(dir, "s.png"), "--class", "dog", "--n", "2", "--steps", "1")
	var e eval.Result
	okJSON(t, &e, "eval", "--run", out, "--json")
	if e.Images != 12 {
		t.Errorf("got %+v", e)
	}
}
