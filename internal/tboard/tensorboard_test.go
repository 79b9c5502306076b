package tboard

import (
	"image"
	"os"
	"os/exec"
	"testing"
)

// What TensorBoard itself makes of a run that is torn in its third step, goes on from
// step 1 and ends: its own steps only, the image and the text.
func TestTensorBoardReadsARunThatWasResumed(t *testing.T) {
	python := os.Getenv("JEM_TENSORBOARD_PYTHON")
	if python == "" {
		t.Skip("JEM_TENSORBOARD_PYTHON names no Python with the package tensorboard")
	}
	dir := t.TempDir()
	first := create(t, dir, 0)
	second := create(t, dir, 1)
	scalars := func(w *Writer, from, to int, v float64) {
		for step := from; step <= to; step++ {
			if err := w.Scalar("loss/total", step, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	scalars(first, 1, 3, 1)
	if _, err := first.file.Write(record(summaryEvent(4, scalarValue("loss/total", 1)))[:20]); err != nil {
		t.Fatal(err)
	}
	scalars(second, 2, 3, 2)
	if err := second.Image("samples", 3, encodePNG(t, image.NewGray(image.Rect(0, 0, 5, 3)))); err != nil {
		t.Fatal(err)
	}
	if err := second.Text("config", 3, "**seed** 1"); err != nil {
		t.Fatal(err)
	}
	const want = `scalar loss/total [(1, 1.0), (2, 2.0), (3, 2.0)]
image samples 3 5 3 True
tensor config 3 text **seed** 1
`
	cmd := exec.Command(python, "testdata/read.py", dir)
	cmd.Stderr = os.Stderr
	got, err := cmd.Output()
	if err != nil || string(got) != want {
		t.Errorf("%v\n%swant\n%s", err, got, want)
	}
}
