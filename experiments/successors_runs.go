package experiments

import "fmt"

// successor is a recipe of the table of recipes. The scale's own, JEM as published and its twin, are
// among them.
type successor struct {
	key, label string // in names of runs; of the table's row
	preset     string // empty: the scale's own
	about      string
	seeds      int
	begins     string // at Paper, the key of the recipe that it goes on from
	set        []string
	smoke      []string // further options at Smoke
}

// successors are the recipes, the most important first: that is the order in which they are trained.
// Where something is claimed there are two seeds.
func successors() []successor {
	return []successor{
		{key: "jem", label: "JEM", about: "JEM, the recipe of all other tables", seeds: 2},
		{key: "twin", label: "softmax twin", about: "softmax classifier", seeds: 2, set: softmax()},
		{key: "at", label: "AT alone", preset: "at", about: "adversarial training alone: the control", seeds: 1},
		{key: "dat", label: "DAT, distorted images", preset: "dat", begins: "at", about: "DAT, dreams begin at distorted training images", seeds: 1},
		{key: "dat-outliers", label: "DAT, outliers", preset: "dat", begins: "at", about: "DAT, dreams begin at another set's images", seeds: 1,
			set: []string{"outliers.name=tiny-imagenet"}, smoke: []string{"outliers.name=textures"}},
		{key: "at-gentle", label: labelControl, preset: "at-gentle", about: "adversarial training alone in a smaller ball: the control", seeds: 2},
		{key: "dat-mixed", label: "DAT, mixed, smaller ball", preset: "dat-mixed", begins: "at-gentle",
			about: "DAT in a smaller ball, dreams begin at another set's images, half of them distorted, or at Gaussians", seeds: 2,
			smoke: []string{"outliers.name=textures"}},
		{key: "sada-jem", label: "SADA-JEM", preset: "sada-jem", about: "SADA-JEM: clean log p(x), sharpness-aware", seeds: 1},
		{key: "eb-jdat", label: "EB-JDAT", preset: "eb-jdat", about: "EB-JDAT: SADA-JEM with attacked images", seeds: 1},
		{key: "jempp", label: "JEM++", preset: "jempp", about: "JEM++: proximal SGLD without noise", seeds: 1},
	}
}

// labelControl is the row of adversarial training alone beside which the last DAT is judged.
const labelControl = "AT alone, smaller ball"

func (s successor) run() string { return "recipe-" + s.key }

// successorSteps is how long each is trained at Small: half an hour at most on two idle cores.
const successorSteps = 3000

func successorRuns() (all []Run) {
	for _, s := range successors() {
		r := Run{
			Name: s.run(), About: s.about, Recipe: s.preset, Seeds: s.seeds, Set: s.set,
			Small: []string{steps(successorSteps), "train.eval_every=1000", "train.sample_every=1000", "train.save_every=250", "train.keep_every=0"},
			Smoke: append(tiny(12), s.smoke...),
		}
		if s.begins != "" {
			r.Begins = successor{key: s.begins}.run()
		}
		all = append(all, r)
	}
	return all
}

// tiny makes a training of any recipe one of seconds, as the preset smoke is one of study's.
func tiny(n int) []string {
	return []string{steps(n), "data.valid=200", "data.crop=2", "model.width=1", "sampler.buffer=100", "sampler.steps=2", "optim.warmup=5", "optim.ema=0.9",
		"train.batch=16", fmt.Sprintf("train.eval_every=%d", n), fmt.Sprintf("train.sample_every=%d", n), fmt.Sprintf("train.save_every=%d", n), "train.keep_every=0"}
}
