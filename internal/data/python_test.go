package data

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pickleText is a short byte string.
func pickleText(s string) string { return "U" + string(rune(len(s))) + s }

// pythonBatch writes records of the binary version as Python 2's cPickle wrote those of the
// Python version, with labels under the names given.
func pythonBatch(records []byte, names ...string) []byte {
	size := len(names) + cifarPixels
	n := len(records) / size
	var b, pixels bytes.Buffer
	b.WriteString("\x80\x02}q\x01(" + pickleText("batch_label") + "q\x02" + pickleText("training batch 1 of 5") + "q\x03")
	for j, name := range names {
		b.WriteString(pickleText(name) + "q\x04]q\x05(")
		for i := range n {
			b.Write([]byte{'K', records[i*size+j]})
		}
		b.WriteString("e")
	}
	for i := range n {
		pixels.Write(records[i*size+len(names) : (i+1)*size])
	}
	b.WriteString(pickleText("data") + "q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85" + pickleText("b") + "\x87Rq\x09(K\x01")
	b.Write(binary.LittleEndian.AppendUint16([]byte{'M'}, uint16(n)))
	b.WriteString("M\x00\x0c\x86cnumpy\ndtype\nq\x0a" + pickleText("u1") + "K\x00K\x01\x87Rq\x0b(K\x03" + pickleText("|") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T")
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(pixels.Len())))
	b.Write(pixels.Bytes())
	b.WriteString("tb" + pickleText("filenames") + "q\x0c](" + pickleText("a.png") + "q\x0d" + pickleText("b.png") + "h\x0deu.")
	return b.Bytes()
}

// The Python version of CIFAR, which torchvision downloads, holds the same images.
func TestPythonVersionsOfCIFAR(t *testing.T) {
	ten, hundred := append(record(7, 3), record(90, 9)...), append(record(7, 11, 3), record(90, 19, 99)...)
	for name, c := range map[string]struct {
		set, file string
		python    []byte
		labels    []int32
	}{
		"cifar10":  {"cifar10", "cifar-10-batches-py/test_batch", pythonBatch(ten, "labels"), []int32{3, 9}},
		"cifar100": {"cifar100", "cifar-100-python/test", pythonBatch(hundred, "coarse_labels", "fine_labels"), []int32{3, 99}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.file, c.python)
			for _, at := range []string{dir, filepath.Join(dir, filepath.Dir(c.file))} {
				s, notes, err := Open(c.set, Test, OpenOptions{Dir: at})
				if err != nil {
					t.Fatal(err)
				}
				if s.Len() != 2 || s.Labels[0] != c.labels[0] || s.Labels[1] != c.labels[1] || s.Image(1)[5] != 95 || len(notes) != 1 {
					t.Errorf("labels %v, pixel %d, notes %q", s.Labels, s.Image(1)[5], notes)
				}
			}
		})
	}
}

// The binary version's hash is that of the Python version's images, too.
func TestPythonVersionIsVerified(t *testing.T) {
	openReal(t, "cifar10", Test)
	content, err := os.ReadFile(filepath.Join(os.Getenv(DirEnv), "cifar-10-batches-bin", "test_batch.bin"))
	if err != nil {
		t.Skip(err)
	}
	to := t.TempDir()
	write(t, to, "cifar-10-batches-py/test_batch", pythonBatch(content, "labels"))
	s, notes, err := Open("cifar10", Test, OpenOptions{Dir: to})
	if err != nil || !s.Verified() || len(notes) != 0 {
		t.Errorf("%v, %q", err, notes)
	}
}

func TestOtherPicklesAreRefused(t *testing.T) {
	good := pythonBatch(record(7, 3), "labels")
	change := func(old, new string) []byte { return []byte(strings.Replace(string(good), old, new, 1)) }
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"cut":            {good[:len(good)-1], "cut"},
		"cut pixels":     {good[:1000], "cut"},
		"no pickle":      {[]byte("<html>"), "no Python pickle"},
		"other function": {change("cnumpy\ndtype\n", "cos\nsystem\n"), "os system"},
		"label 10":       {change("K\x03e", "K\x0ae"), "record 0 has label 10"},
		"no whole label": {change("K\x03e", "Ne"), "record 0 has label"},
		"other type":     {change("U\x02u1", "U\x02f4"), "uint8"},
		"other shape":    {change("M\x00\x0c\x86", "M\x01\x0c\x86"), "uint8"},
		"by columns":     {change("tb\x89T", "tb\x88T"), "by columns"},
		"no labels":      {change("labels", "lobels"), "labels: not the published"},
		"no memory":      {change("h\x0d", "h\x0e"), "never remembered"},
		"no mark":        {[]byte("\x80\x02t."), "a mark"},
		"no list":        {[]byte("\x80\x02NNa."), "takes none"},
		"nothing":        {[]byte("\x80\x02N."), "no dictionary"},
		"a bomb":         {append([]byte("\x80\x02]("), bytes.Repeat([]byte("N"), 2<<20)...), "more than"},
		"more marks":     {append([]byte("\x80\x02"), bytes.Repeat([]byte("("), 100)...), "levels"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "cifar-10-batches-py/test_batch", c.file)
			_, _, err := Open("cifar10", Test, OpenOptions{Dir: dir})
			refused(t, err, "test_batch", c.says)
		})
	}
}

// Files lie where torchvision puts them.
func TestTorchvisionFolders(t *testing.T) {
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 1, 4}
	images := append([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28}, make([]byte, 28*28)...)
	dir := t.TempDir()
	for _, set := range []string{"FashionMNIST", "MNIST"} {
		write(t, dir, set+"/raw/t10k-labels-idx1-ubyte", labels)
		write(t, dir, set+"/raw/t10k-images-idx3-ubyte", images)
		labels = append(labels[:8:8], 5)
	}
	write(t, dir, "test_32x32.mat", matFile(houses(1), variable("y", 9, []int32{1, 1}, matUint8, []byte{7})))
	for _, c := range []struct {
		set, at string
		label   int32
	}{
		{"fashion-mnist", "", 4}, {"mnist", "", 5}, {"fashion-mnist", "FashionMNIST", 4}, {"mnist", "MNIST/raw", 5}, {"svhn", "", 7},
	} {
		s, _, err := Open(c.set, Test, OpenOptions{Dir: filepath.Join(dir, filepath.FromSlash(c.at))})
		if err != nil || s.Labels[0] != c.label {
			t.Errorf("%s in %s: %v, %v", c.set, c.at, s, err)
		}
	}
	write(t, dir, "x.npz", nil)
	_, _, err := Open("mnist", Test, OpenOptions{Dir: filepath.Join(dir, "x.npz")})
	refused(t, err, "x.npz", "is a file", "NumPy")
	_, err = Verify("mnist", filepath.Join(dir, "x.npz"))
	refused(t, err, "x.npz", "is a file")
}
