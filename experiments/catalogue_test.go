package experiments

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryRunIsAValidConfigurationAtEveryScale(t *testing.T) {
	for _, s := range Scales() {
		for _, r := range Runs() {
			for _, seed := range r.seeds(s) {
				ts, err := r.trainings(s, false)
				if err != nil {
					t.Fatalf("%s at %s: %v", r.Name, s, err)
				}
				if got := ts[seed-1].Config.Seed; got != seed {
					t.Errorf("%s: seed %d of the list is %d", r.Name, seed, got)
				}
			}
		}
	}
}

// What the tables compare has to be comparable: a baseline is its JEM without log p(x).
func TestBaselinesDifferInTheObjectiveOnly(t *testing.T) {
	for _, s := range Scales() {
		for with, without := range map[string]string{runJEM: runBaseline, runJEM100: runBaseline100, runJEMSVHN: runBaseSVHN, runSemi: runSemiBase} {
			a, err1 := lookup(with).trainings(s, false)
			b, err2 := lookup(without).trainings(s, false)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			a[0].Config.Objective = b[0].Config.Objective
			if identity(a[0].Config, false) != identity(b[0].Config, false) {
				t.Errorf("%s: %s and %s differ in more than the objective", s, with, without)
			}
		}
	}
}

func TestIdentityIsWhatIsTrained(t *testing.T) {
	ts, err := lookup(runJEM).trainings(Small, false)
	if err != nil {
		t.Fatal(err)
	}
	moved := ts[0].Config
	moved.Data.Dir, moved.Device.Threads = "/elsewhere", 7
	if id := identity(moved, false); id != ts[0].hash {
		t.Errorf("another place of the data is another training: %s, %s", id, ts[0].hash)
	}
	moved.Sampler.Steps++
	if identity(moved, false) == ts[0].hash {
		t.Error("another sampler is the same training")
	}
	if identity(ts[0].Config, true) == ts[0].hash {
		t.Error("generated images make the same training")
	}
}

func TestTrainingsAreSharedAndOrdered(t *testing.T) {
	one, err := Trainings(Paper, false, All())
	if err != nil {
		t.Fatal(err)
	}
	two, err := Trainings(Paper, false, All())
	if err != nil || len(one) != len(two) {
		t.Fatal(len(one), len(two), err)
	}
	seen := map[string]bool{}
	for i := range one {
		if one[i].Folder() != two[i].Folder() {
			t.Errorf("training %d is %s, then %s", i, one[i].Folder(), two[i].Folder())
		}
		if seen[one[i].hash] {
			t.Errorf("%s is trained twice", one[i].Folder())
		}
		seen[one[i].hash] = true
		// At full scale the ablation's budget is that of the main run: one training serves both.
		if one[i].Run.Name == runFactored {
			t.Error("jem-short is trained beside jem")
		}
	}
	if one[0].Run.Name != runJEM || one[1].Run.Name != runBaseline {
		t.Errorf("first %s and %s", one[0].Run.Name, one[1].Run.Name)
	}
}

func TestExperimentsNameRunsThatExist(t *testing.T) {
	var known []string
	for _, r := range Runs() {
		if slices.Contains(known, r.Name) {
			t.Errorf("two runs are named %s", r.Name)
		}
		known = append(known, r.Name)
	}
	used := map[string]bool{}
	for _, e := range All() {
		for _, r := range e.Runs {
			used[r] = true
			if !slices.Contains(known, r) {
				t.Errorf("%s: no run %s", e.ID, r)
			}
		}
	}
	for _, r := range known {
		if !used[r] {
			t.Errorf("no table uses %s", r)
		}
	}
}

func TestSelectNamesWhatThereIs(t *testing.T) {
	if all, err := Select("all"); err != nil || len(all) != len(All()) {
		t.Errorf("%d, %v", len(all), err)
	}
	if _, err := Select("table9"); err == nil || !strings.Contains(err.Error(), "table1, samples") {
		t.Errorf("%v", err)
	}
}
