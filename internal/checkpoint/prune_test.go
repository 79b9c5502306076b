package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func steps(t testing.TB, dir string) (list []int) {
	t.Helper()
	entries, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Step)
	}
	return list
}

func TestPruneKeepsWhatThePolicySays(t *testing.T) {
	for name, c := range map[string]struct {
		policy Policy
		want   []int
	}{
		"nothing said":       {Policy{}, []int{60}},
		"the last three":     {Policy{KeepLast: 3}, []int{40, 50, 60}},
		"more than there is": {Policy{KeepLast: 9}, []int{10, 20, 30, 40, 50, 60}},
		"every 20":           {Policy{KeepEvery: 20}, []int{20, 40, 60}},
		"the best":           {Policy{KeepLast: 1, Keep: []int{30, 31}}, []int{30, 60}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			save(t, s, 10, 20, 30, 40, 50, 60)
			deleted, err := s.Prune(c.policy)
			if err != nil || len(deleted) != 6-len(c.want) || !slices.Equal(steps(t, dir), c.want) {
				t.Errorf("kept %v, deleted %v, %v; want %v", steps(t, dir), deleted, err, c.want)
			}
			if len(names(t, dir)) != len(c.want) {
				t.Errorf("left behind: %v", names(t, dir))
			}
		})
	}
}

func TestPruneDeletesNothingWhenTheNewestIsDamaged(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	path := save(t, s, 1, 2, 3)
	if err := os.Remove(filepath.Join(path, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Prune(Policy{KeepLast: 1})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || len(steps(t, dir)) != 3 {
		t.Errorf("got %v, kept %v", err, steps(t, dir))
	}
	if _, err := open(t, t.TempDir()).Prune(Policy{}); err != nil {
		t.Errorf("empty folder: %v", err)
	}
}
