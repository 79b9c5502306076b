package experiments

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"jem/internal/data"
)

func TestGeneratedImagesAreReadAsThePublishedSets(t *testing.T) {
	dir := t.TempDir()
	if err := writeToy(dir); err != nil {
		t.Fatal(err)
	}
	for name, classes := range map[string]int{"cifar10": 10, "cifar100": 100, "svhn": 10} {
		for split, n := range map[data.Split]int{data.Train: toyTrain, data.Test: toyTest} {
			set, _, err := data.Open(name, split, data.OpenOptions{Dir: dir})
			if err != nil {
				t.Fatalf("%s %s: %v", name, split, err)
			}
			if set.Len() != n || set.K() != classes || set.Labels[3] == set.Labels[4] {
				t.Errorf("%s %s: %d images, %d classes", name, split, set.Len(), set.K())
			}
		}
	}
	if set, _, err := data.OpenFolder(filepath.Join(dir, "textures"), data.FolderOptions{}); err != nil || set.Len() != toyTexture {
		t.Errorf("textures: %v", err)
	}
}

// Files of an interrupted start are completed, those that are there stay.
func TestGeneratedImagesStay(t *testing.T) {
	dir := t.TempDir()
	if err := writeToy(dir); err != nil {
		t.Fatal(err)
	}
	gone, kept := filepath.Join(dir, "svhn", "test_32x32.mat"), filepath.Join(dir, "cifar-100-binary", "test.bin")
	want, err := os.ReadFile(gone)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeToy(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(gone); err != nil || !bytes.Equal(got, want) {
		t.Errorf("written again it differs: %v", err)
	}
	if got, err := os.ReadFile(kept); err != nil || string(got) != "mine" {
		t.Errorf("overwritten: %v", err)
	}
}
