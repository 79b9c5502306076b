package feed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/backend/philox"
	"jem/config"
	"jem/config/settings"
	"jem/internal/data"
)

// heldPerClass counts the images held out of each class.
func heldPerClass(t *testing.T, c config.Config) []int {
	t.Helper()
	set := ownSet(t, c)
	_, held, err := holdout(&c, set)
	if err != nil {
		t.Fatal(err)
	}
	n := make([]int, set.K())
	for _, i := range held {
		n[set.Labels[i]]++
	}
	return n
}

func ownSet(t *testing.T, c config.Config) *data.Set {
	t.Helper()
	set, _, err := data.Open(data.Folder, data.Train, data.OpenOptions{Dir: c.Data.Dir, Images: data.FolderOptions{Size: 16, Grey: true}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Runs from before by_class hold out what they held out.
func TestHoldoutOfOwnPicturesIsByClass(t *testing.T) {
	c := own(t)
	for i := range 9 { // 3 light ones are left beside 12 dark ones
		if err := os.Remove(filepath.Join(c.Data.Dir, "light", fmt.Sprintf("%02d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	old := c
	old.Data.ByClass = false
	for seed := range uint64(5) {
		c.Seed, old.Seed = seed, seed
		if got := heldPerClass(t, c); got[0] != 3 || got[1] != 1 {
			t.Errorf("seed %d: %v held out of 12 and 3, want 3 and 1", seed, got)
		}
		set := ownSet(t, c)
		_, held, err := holdout(&old, set)
		_, want, failed := data.Holdout(set.Len(), 4, philox.New(seed, 0, philox.Split))
		if err != nil || failed != nil || fmt.Sprint(held) != fmt.Sprint(want) {
			t.Errorf("seed %d: %v held out, before it were %v", seed, held, want)
		}
	}
	c.Data.ValidShare = 0.95
	_, _, err := holdout(&c, ownSet(t, c))
	var bad *settings.Error
	if !errors.As(err, &bad) || bad.Faults[0].Path != "data.valid_share" || !strings.Contains(err.Error(), "each of the 2 classes keeps one") {
		t.Error(err)
	}
}
