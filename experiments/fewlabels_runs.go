package experiments

import "fmt"

// scarcity is a number of labelled images a class, of a set, with or without crops and flips: for
// each, networks are trained that know these labels and no others.
type scarcity struct {
	key    string // in names of runs
	labels int    // a class; 0: all
	set    string // cifar10, cifar100
	crops  bool   // random crops and flips

	// Seeds of each kind of run; 0: there is none.
	twin, dropout, jem, unlabelled, successor int
}

// scarcities are the settings, the most important first: that is the order in which they are
// trained. Where something is claimed there are two seeds.
func scarcities() []scarcity {
	return []scarcity{
		{key: "50", labels: 50, set: "cifar10", twin: 2, dropout: 2, jem: 2, unlabelled: 2, successor: 2},
		{key: "50-crops", labels: 50, set: "cifar10", crops: true, twin: 2, dropout: 2, jem: 2, unlabelled: 2, successor: 2},
		{key: "250", labels: 250, set: "cifar10", twin: 2, jem: 2, unlabelled: 1},
		{key: "10", labels: 10, set: "cifar10", twin: 2, jem: 1, unlabelled: 1},
		{key: "all", set: "cifar10", twin: 2, jem: 1},
		{key: "cifar100-25", labels: 25, set: "cifar100", twin: 2, jem: 2},
		{key: "100", labels: 100, set: "cifar10", twin: 2, jem: 1},
		{key: "25", labels: 25, set: "cifar10", twin: 2, jem: 1},
	}
}

// The kinds of runs of a setting, which end their names.
const (
	kindTwin       = "twin"       // the classifier
	kindShort      = "short"      // the classifier with a quarter of the steps
	kindDropout    = "dropout"    // the classifier with dropout
	kindJEM        = "jem"        // log p(x) over the labelled images
	kindUnlabelled = "unlabelled" // log p(x) over all training images
	kindSuccessor  = "sada-jem"   // the preset of that name, over all training images, too
)

// run names a run of the setting.
func (s scarcity) run(kind string) string { return "few-" + s.key + "-" + kind }

// runs are the setting's trainings.
func (s scarcity) runs() (all []Run) {
	for _, kind := range []struct {
		name, about string
		seeds       int
		set         []string
	}{
		{kindTwin, "softmax classifier", s.twin, softmax()},
		{kindShort, "softmax classifier, a quarter of the steps", s.twin, softmax()},
		{kindDropout, "softmax classifier with dropout", s.dropout, with(softmax(), "model.dropout=0.3")},
		{kindJEM, "JEM, log p(x) over the labelled images", s.jem, fewWeights("data.shared_stream=true")},
		{kindUnlabelled, "JEM, log p(x) over all training images", s.unlabelled, fewWeights("data.shared_stream=false")},
	} {
		if kind.seeds == 0 {
			continue
		}
		r := s.recipe()
		r.Name, r.About, r.Seeds = s.run(kind.name), fmt.Sprintf("%s, %s", kind.about, s.title()), kind.seeds
		r.Set = append(r.Set, kind.set...)
		switch kind.name {
		case kindTwin, kindShort, kindDropout: // kept often, so that stopping early can be tried
			r.Small = append(r.Small, "train.eval_every=50", "train.save_every=50", "train.keep_last=100")
		}
		if kind.name == kindShort {
			r.Small, r.Smoke, r.Paper = append(r.Small, steps(300)), append(r.Smoke, steps(5)), append(r.Paper, steps(5000))
		}
		all = append(all, r)
	}
	return all
}

// recipe is what all runs of the setting have in common: a small network, so that many can be
// trained, and so long that it sees few images often. Smoke's generated images are few: so are its
// labels.
func (s scarcity) recipe() Run {
	r := Run{
		Set: []string{"data.name=" + s.set},
		Small: []string{"model.width=1", "optim.lr=3e-3", steps(1200),
			"train.eval_every=300", "train.sample_every=1200", "train.save_every=400", "train.keep_last=1"},
		Smoke: []string{steps(10), "train.batch=16", "sampler.steps=2", "train.eval_every=5", "train.save_every=5", "train.sample_every=10"},
		Paper: []string{steps(20000), "train.eval_every=500", "train.save_every=2000", "train.sample_every=20000", "train.keep_every=0"},
	}
	if !s.crops {
		r.Set = append(r.Set, "data.crop=0", "data.flip=false")
	}
	if s.labels > 0 {
		r.Set, r.Smoke = append(r.Set, labelled(s.labels)), append(r.Smoke, labelled(s.labels*10/map[string]int{"cifar10": 50, "cifar100": 100}[s.set]))
	}
	return r
}

func labelled(n int) string { return fmt.Sprintf("data.labels_per_class=%d", n) }

// title is the setting for people.
func (s scarcity) title() string {
	title := map[string]string{"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}[s.set] + ", "
	if s.labels > 0 {
		title += fmt.Sprintf("%d labels a class", s.labels)
	} else {
		title += "all labels"
	}
	if s.crops {
		title += ", crops and flips"
	}
	return title
}

// fewPX is the weight of log p(x): of weightsTried the one with the least cross-entropy of held-out
// images.
const fewPX = 0.5

// weightsTried are the weights of log p(x) that were tried, in the first setting, with seed 1.
func weightsTried() []float64 { return []float64{0.15, fewPX, 1} }

// fewWeights are the weights of JEM's terms.
func fewWeights(more ...string) []string {
	return append([]string{fmt.Sprintf("objective.p_x=%g", fewPX), "objective.l2=0.01"}, more...)
}

// tried names the run of a weight of log p(x).
func tried(weight float64) string {
	if weight == fewPX {
		return scarcities()[0].run(kindJEM)
	}
	return fmt.Sprintf("few-px-%g", weight)
}

// fewLabelRuns are all of the table's trainings.
func fewLabelRuns() (all []Run) {
	for i, s := range scarcities() {
		all = append(all, s.runs()...)
		if i > 0 {
			continue
		}
		for _, weight := range weightsTried() {
			if weight == fewPX {
				continue
			}
			r := lookupIn(all, s.run(kindJEM))
			r.Name, r.About, r.Seeds = tried(weight), fmt.Sprintf("JEM, %s, weight %g of log p(x)", s.title(), weight), 1
			r.Set = with(r.Set, fmt.Sprintf("objective.p_x=%g", weight))
			all = append(all, r)
		}
	}
	for _, s := range scarcities() { // the least important last
		if s.successor > 0 {
			r := s.recipe()
			r.Name, r.About, r.Seeds, r.Recipe = s.run(kindSuccessor), "SADA-JEM, log p(x) over all training images, "+s.title(), s.successor, "sada-jem"
			r.Smoke = append(append(tiny(10), fmt.Sprintf("data.crop=%d", map[bool]int{true: 2}[s.crops])), r.Smoke...)
			all = append(all, r)
		}
	}
	return all
}
