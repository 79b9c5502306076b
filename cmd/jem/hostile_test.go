package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostile is one input that the program must refuse: what it is called, how it is made in a
// folder, the arguments, and what must come of it.
type hostile struct {
	name string
	make func(t *testing.T, dir string) []string // returns the arguments
	code int
	says []string
}

// put writes a file below dir, with its folders.
func put(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// zeros is a stream of zlib (or gzip) that unpacks to n zero bytes after a head.
func zeros(head []byte, n int, packed func(*bytes.Buffer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := packed(&out)
	w.Write(head)
	for block := make([]byte, 1<<20); n > 0; n -= len(block) {
		w.Write(block)
	}
	w.Close()
	return out.Bytes()
}

func zlibPacker(b *bytes.Buffer) io.WriteCloser { return zlib.NewWriter(b) }
func gzipPacker(b *bytes.Buffer) io.WriteCloser { return gzip.NewWriter(b) }

// bombSize is what the bombs unpack to: above every limit that holds for their packed size.
const bombSize = 256 << 20

// matBomb is a MATLAB file of one compressed variable that unpacks to bombSize.
func matBomb() []byte {
	tag := binary.LittleEndian.AppendUint32(nil, 14)
	tag = binary.LittleEndian.AppendUint32(tag, bombSize)
	content := zeros(tag, bombSize, zlibPacker)
	file := append(bytes.Repeat([]byte{' '}, 124), 0, 1, 'I', 'M')
	file = binary.LittleEndian.AppendUint32(file, 15)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(content)))
	return append(file, content...)
}

// square is a PNG of side pixels, blank.
func square(side int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// claiming is a PNG that says it is w×h pixels.
func claiming(w, h uint32) []byte {
	b := square(8)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// trainOn are the arguments of a small run on a set in dir, which times no algorithms first:
// with portable kernels that takes longer than bounded waits.
func trainOn(set, dir string, more ...string) []string {
	return append([]string{"train", "--preset", "cifar10-small", "--dataset", set, "--data-dir", dir, "--out", filepath.Join(dir, "run"),
		"--steps", "1", "--batch", "2", "--set", "data.valid=0", "--set", "model.width=1", "--conv-algo", "direct", "--quiet"}, more...)
}

// files makes a data set of files.
func files(set string, content map[string][]byte, more ...string) func(*testing.T, string) []string {
	return func(t *testing.T, dir string) []string {
		for name, b := range content {
			put(t, dir, name, b)
		}
		return trainOn(set, dir, more...)
	}
}

// cifarFiles are CIFAR-10's files with that content; the first has another one.
func cifarFiles(first []byte) map[string][]byte {
	all := map[string][]byte{"data_batch_1.bin": first}
	for i := 2; i <= 5; i++ {
		all[fmt.Sprintf("data_batch_%d.bin", i)] = make([]byte, 3073)
	}
	return all
}

func mnistFiles(images, labels []byte) map[string][]byte {
	return map[string][]byte{"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}
}

// one makes a folder with a picture of one class.
func one(content []byte, more ...string) func(*testing.T, string) []string {
	return files("folder", map[string][]byte{"cat/a.png": content, "cat/b.png": square(8)}, append([]string{"--set", "data.size=8", "--set", "data.crop=0"}, more...)...)
}

// setting tries one --set.
func setting(text string) func(*testing.T, string) []string {
	return func(t *testing.T, dir string) []string { return trainOn("cifar10", dir, "--set", text) }
}

// yaml tries one configuration file.
func yaml(content string) func(*testing.T, string) []string {
	return func(t *testing.T, dir string) []string {
		return trainOn("cifar10", dir, "--config", put(t, dir, "c.yaml", []byte(content)))
	}
}

func hostileData() []hostile {
	idxHead := []byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28}
	bomb := matBomb()
	idxLabel := []byte{0, 0, 8, 1, 0, 0, 0, 1, 3}
	return []hostile{
		{"CIFAR cut", files("cifar10", cifarFiles(make([]byte, 3000))), exitData, []string{"data_batch_1.bin", "3000 bytes are not a whole number of records"}},
		{"CIFAR too long", files("cifar10", cifarFiles(make([]byte, 3074))), exitData, []string{"data_batch_1.bin", "3074 bytes"}},
		{"CIFAR empty", files("cifar10", cifarFiles(nil)), exitData, []string{"data_batch_1.bin", "0 bytes"}},
		{"CIFAR label", files("cifar10", cifarFiles(bytes.Repeat([]byte{77}, 3073))), exitData, []string{"data_batch_1.bin", "record 0 has label 77"}},
		{"CIFAR that is a picture", files("cifar10", cifarFiles(square(8))), exitData, []string{"data_batch_1.bin"}},
		{"gzip bomb", files("cifar10", cifarFiles(zeros(nil, bombSize, gzipPacker))), exitData, []string{"data_batch_1.bin", "more than"}},
		{"gzip cut", files("cifar10", cifarFiles(gz(make([]byte, 3073))[:20])), exitData, []string{"data_batch_1.bin", "cut"}},
		{"missing", files("cifar10", nil), exitData, []string{"cifar10 not found", "jem data fetch cifar10"}},
		{"IDX images cut", files("mnist", mnistFiles(append(idxHead, make([]byte, 100)...), idxLabel)), exitData, []string{"train-images-idx3-ubyte", "100 bytes after the IDX header"}},
		{"IDX swapped", files("mnist", mnistFiles(idxLabel, idxHead)), exitData, []string{"train-images-idx3-ubyte"}},
		{"IDX of 2³² images", files("mnist", mnistFiles([]byte{0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 4, 0, 0, 0, 4, 0}, idxLabel)), exitData, []string{"which says"}},
		{"mat cut", files("svhn", map[string][]byte{"train_32x32.mat": bomb[:5000]}), exitData, []string{"train_32x32.mat", "cut"}},
		{"mat bomb", files("svhn", map[string][]byte{"train_32x32.mat": bomb}), exitData, []string{"train_32x32.mat", "more than"}},
		{"mat of version 7.3", files("svhn", map[string][]byte{"train_32x32.mat": append([]byte("MATLAB 7.3"), make([]byte, 500)...)}), exitData, []string{"train_32x32.mat", "HDF5"}},
		{"PNG of 10¹⁰ pixels", one(claiming(100000, 100000)), exitData, []string{"a.png", "100000×100000"}},
		{"PNG cut", one(square(64)[:60]), exitData, []string{"a.png", "cut"}},
		{"PNG that is text", one([]byte("hello")), exitData, []string{"a.png"}},
		{"PNG that is empty", one(nil), exitData, []string{"a.png"}},
		{"oblong pictures", files("folder", map[string][]byte{"cat/a.png": claiming(8, 16)}, "--set", "data.crop=0"), exitData, []string{"a.png"}},
		{"folder without images", files("folder", map[string][]byte{"cat/a.txt": []byte("x")}), exitData, []string{"no pictures"}},
		{"folder that is not there", func(_ *testing.T, dir string) []string {
			return trainOn("folder", filepath.Join(dir, "none"), "--out", filepath.Join(dir, "run"))
		}, exitData, []string{"none", "no such folder"}},
		{"folder of two pictures for a batch of four", files("folder", map[string][]byte{"cat/a.png": square(8), "dog/a.png": square(8)}, "--set", "data.crop=0", "--set", "train.batch=4"), exitConfig, []string{"train.batch: 4, but only 2 images"}},
		{"folder of one class", files("folder", map[string][]byte{"cat/a.png": square(8), "cat/b.png": square(8)}, "--set", "data.crop=0"), exitData, []string{"1 class"}},
		{"crop wider than the pictures", files("folder", map[string][]byte{"cat/a.png": square(8), "cat/b.png": square(8), "dog/a.png": square(8), "dog/b.png": square(8)}, "--set", "data.crop=8"), exitConfig, []string{"data.crop: 8"}},
		{"too few of a class for a Gaussian start", files("folder", map[string][]byte{"cat/a.png": square(8), "cat/b.png": square(8), "dog/a.png": square(8)}, "--set", "data.crop=0"), exitConfig, []string{"sampler.start", "class 1 (dog) has 1 image"}},
		{"too few because of those held out", files("folder", map[string][]byte{"cat/a.png": square(8), "cat/b.png": square(8), "cat/c.png": square(8), "dog/a.png": square(8), "dog/b.png": square(8), "dog/c.png": square(8)},
			"--set", "data.crop=0", "--set", "data.valid_share=0.5", "--set", "sampler.buffer=20", "--batch", "2"), exitConfig, []string{"has 1 image to train on, since 2 of its 3 are held out"}},
		{"one folder too high", files("folder", map[string][]byte{"set/train/cat/a.png": square(8), "set/train/dog/a.png": square(8), "set/val/cat/a.png": square(8)}), exitData, []string{"if the classes, or train and test, are train, val, name "}},
		{"test class unknown in training", files("folder", map[string][]byte{"train/cat/a.png": square(8), "train/dog/a.png": square(8), "test/cow/a.png": square(8)}, "--set", "data.crop=0"), exitData, []string{"cow"}},
		{"a file for a folder of data", func(t *testing.T, dir string) []string {
			return trainOn("cifar10", put(t, dir, "file", nil), "--out", filepath.Join(dir, "run"))
		}, exitData, []string{"file: is a file: name the folder of cifar10"}},
		{"an array of NumPy for a folder of pictures", func(t *testing.T, dir string) []string {
			return trainOn("folder", put(t, dir, "x.npz", []byte("PK")), "--out", filepath.Join(dir, "run"))
		}, exitData, []string{"x.npz: is a file where a folder of pictures is expected"}},
		{"a folder for a file of data", func(t *testing.T, dir string) []string {
			put(t, dir, "data_batch_1.bin/x", nil)
			return trainOn("cifar10", dir)
		}, exitData, []string{"data_batch_1.bin", "is a folder"}},
		{"line breaks in names", one([]byte("x"), "--data-dir", "no\nsuch\x1b[31mfolder"), exitData, []string{`no\nsuch\x1b[31mfolder`}},
	}
}

func hostileSettings() []hostile {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	all := []hostile{
		{"unknown preset", func(_ *testing.T, dir string) []string { return trainOn("cifar10", dir, "--preset", "cifar-1O") }, exitConfig, []string{`unknown preset "cifar-1O"`}},
		{"preset that climbs", func(_ *testing.T, dir string) []string {
			return trainOn("cifar10", dir, "--preset", "../../etc/passwd")
		}, exitConfig, []string{"unknown preset"}},
		{"alias bomb", yaml(bomb.String()), exitConfig, []string{"c.yaml"}},
		{"self reference", yaml("a: &a [*a]\n<<: *a\n"), exitConfig, []string{"c.yaml"}},
		{"deep nesting", yaml(strings.Repeat("[", 200_000)), exitConfig, []string{"c.yaml"}},
		{"deep mappings", yaml(strings.Repeat("{a: ", 100_000)), exitConfig, []string{"c.yaml"}},
		{"huge file", yaml("# " + strings.Repeat("x", 2<<20)), exitConfig, []string{"c.yaml", "more than 1048576 bytes"}},
		{"a hundred thousand unknown keys", yaml(manyKeys(80_000)), exitConfig, []string{"c.yaml", "more"}},
		{"one long key", yaml(strings.Repeat("k", 1_000_000) + ": 1\n"), exitConfig, []string{"c.yaml"}},
		{"one long value", yaml("seed: " + strings.Repeat("9", 1_000_000) + "\n"), exitConfig, []string{"c.yaml", "seed"}},
		{"binary", yaml("\x00\x01\x02\xff\xfe"), exitConfig, []string{"c.yaml"}},
		{"escape codes", yaml("\"\\e[31mred\": 1\n"), exitConfig, []string{`\x1b[31mred`}},
		{"a folder for a configuration", func(_ *testing.T, dir string) []string { return trainOn("cifar10", dir, "--config", dir) }, exitConfig, []string{"is a folder"}},
		{"a configuration that is not there", func(_ *testing.T, dir string) []string {
			return trainOn("cifar10", dir, "--config", filepath.Join(dir, "none.yaml"))
		}, exitConfig, []string{"there is no such file"}},
	}
	for _, text := range []string{
		"optim.lr=NaN", "optim.lr=-1", "optim.lr=1e99", "optim.lr=many", "optim.lr=", "optim.lr=Inf", "sampler.noise=-0.1",
		"train.batch=-1", "train.batch=0", "train.batch=1e99", "train.batch=999999999999999999", "train.batch=99999999999999999999",
		"model.depth=0", "model.depth=-8", "model.depth=4000000000000000000", "model.depth=1000000000", "model.width=1000000000",
		"sampler.buffer=9000000000000000000", "sampler.steps=-1", "data.valid=-1", "data.valid=60000", "data.crop=99", "data.noise=NaN", "data.limit=-1",
		"data.size=12", "data.size=999999999", "data.size=-8", "data.labels_per_class=-2", "seed=-1", "seed=1.5", "device.threads=1000000000",
		"device.name=tpu", "device.cpu_isa=mmx", "data.name=../cifar10", "optim.decay_epochs=1,x", "optim.decay_epochs=3,2,1", "train.steps=-1", "=", "x", "train=1",
	} {
		path, _, _ := strings.Cut(text, "=")
		all = append(all, hostile{"set " + text, setting(text), exitConfig, []string{path}})
	}
	return all
}

// manyKeys is a mapping of n keys that no setting has.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

func hostileRuns() []hostile {
	return []hostile{
		{"no run", func(_ *testing.T, dir string) []string { return []string{"eval", "--run", dir} }, exitData, []string{"is no run folder"}},
		{"a file for a run", func(t *testing.T, dir string) []string { return []string{"eval", "--run", put(t, dir, "f", nil)} }, exitIO, []string{"not a directory"}},
		{"a run without checkpoints", func(t *testing.T, dir string) []string {
			put(t, dir, "config.yaml", []byte("seed: 1\n"))
			return []string{"eval", "--run", dir, "--quiet"}
		}, exitData, []string{"checkpoint"}},
		{"a manifest of noise", func(t *testing.T, dir string) []string {
			put(t, dir, "config.yaml", []byte("seed: 1\n"))
			put(t, dir, "checkpoints/step-00000001/MANIFEST.json", []byte(strings.Repeat("[", 1<<20)))
			return []string{"eval", "--checkpoint", filepath.Join(dir, "checkpoints/step-00000001"), "--quiet"}
		}, exitData, []string{"MANIFEST.json"}},
		{"a golden step of noise", func(t *testing.T, dir string) []string {
			return []string{"selftest", "--golden", put(t, dir, "g.json", []byte("{"))}
		}, exitData, []string{"g.json"}},
		{"a file in the way of the run folder", func(t *testing.T, dir string) []string {
			put(t, dir, "run", nil)
			return files("cifar10", cifarFiles(make([]byte, 2*3073)), "--set", "sampler.start=uniform")(t, dir)
		}, exitIO, []string{"run"}},
		{"an unknown set to fetch", func(*testing.T, string) []string { return []string{"data", "fetch", "../../etc"} }, exitUsage, []string{"no data set"}},
		{"a stall of nothing", func(*testing.T, string) []string { return []string{"data", "fetch", "--stall", "0s", "mnist"} }, exitUsage, []string{"--stall"}},
	}
}

// TestHostileInput runs the program on each: exit code, one sentence that names what is
// wrong, no trace of a panic, no run folder, in bounded time and memory.
func TestHostileInput(t *testing.T) {
	for group, cases := range map[string][]hostile{
		"data": hostileData(), "settings": hostileSettings(), "runs": hostileRuns(), "special files": specialFiles(),
	} {
		for _, h := range cases {
			t.Run(group+"/"+h.name, func(t *testing.T) { h.check(t) })
		}
	}
}

// check runs one case.
func (h hostile) check(t *testing.T) {
	dir := t.TempDir()
	args := h.make(t, dir)
	before := tree(t, dir)
	r, used := bounded(t, args...)
	if r.code != h.code {
		t.Errorf("exit code %d, want %d\n%s", r.code, h.code, r.stderr)
	}
	// A list of faults has a line each; everything else is one.
	lines := strings.Count(r.stderr, "\n")
	if !strings.HasPrefix(r.stderr, "jem: ") || lines != 1 && !strings.Contains(r.stderr, "faults in the configuration") || lines > maxFaults+2 || len(r.stderr) > 8<<10 {
		t.Errorf("%d lines: %.2000s", lines, r.stderr)
	}
	if strings.Contains(r.stderr, "goroutine") {
		t.Errorf("a panic: %.2000s", r.stderr)
	}
	for _, s := range h.says {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("it doesn't say %q: %.2000s", s, r.stderr)
		}
	}
	if after := tree(t, dir); after != before {
		t.Errorf("it left\n%s\nwhere there was\n%s", after, before)
	}
	// Processor time, so that a busy machine doesn't matter; 2 s is what a user waits for.
	if used.seconds > 2 {
		t.Errorf("it took %.1f s", used.seconds)
	}
	// 64 MiB above what the program takes to say its version, with margin for the runtime's
	// garbage: a buffer that doubles leaves as much again behind.
	if used.bytes > 192<<20 {
		t.Errorf("it took %d MiB", used.bytes>>20)
	}
}

// usage is what a process took.
type usage struct {
	seconds float64 // of processor time
	bytes   int64   // largest resident memory; 0 where the system doesn't tell
}

// bounded runs the program and ends it after half a minute: a hang.
func bounded(t *testing.T, args ...string) (result, usage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, jem, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("jem %s hangs", strings.Join(args, " "))
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	s := cmd.ProcessState
	return result{stdout.String(), stderr.String(), s.ExitCode()}, usage{(s.UserTime() + s.SystemTime()).Seconds(), resident(s)}
}

// tree lists the files below a folder, with their sizes and when they were written.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			fmt.Fprintf(&b, "%s %v %d %v\n", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
