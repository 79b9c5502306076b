package experiments

import "fmt"

// recipe is one way to train that the stability study compares.
type recipe struct {
	name   string
	about  string
	preset string // of a successor, in the place of the scale's own
	set    []string
	paper  []string // instead at full scale, where the published rate and number of SGLD steps are others
}

// unprotected takes away what keeps the small scales' recipe stable: what is left is the
// published sampler and objective, at small scales with a rate that shows its weakness within a
// hundred steps.
func unprotected() []string {
	return []string{"objective.p_x=1", "objective.l2=0", "sampler.grad_clip=0", "sampler.clamp=false", "sampler.start=uniform",
		"optim.clip_norm=0", "optim.cosine=false", "optim.warmup=0", "optim.lr=1e-3"}
}

// exposed takes from a successor what is no part of its idea: penalty, bound on the gradient's norm,
// gentle rate and low weight of log p(x). Its chains, balls and terms are its own.
func exposed() []string {
	return []string{"objective.l2=0", "optim.clip_norm=0", "optim.cosine=false", "optim.warmup=0", "optim.lr=1e-3"}
}

// successorsExposed are JEM's successors and their control, as bare as the published recipe.
func successorsExposed() []recipe {
	return []recipe{
		{name: "jempp", preset: "jempp", about: "JEM++: proximal SGLD without noise, K = 10", set: []string{"objective.p_x=1"}},
		{name: "sada-jem", preset: "sada-jem", about: "SADA-JEM: clean log p(x), sharpness-aware", set: []string{"objective.p_x=1", "train.schedule="}},
		{name: "eb-jdat", preset: "eb-jdat", about: "EB-JDAT: that with attacked images, without sharpness", set: []string{"objective.p_x=1", "train.schedule="}},
		{name: "dat", preset: "dat", about: "DAT: bounded loss, dreams by curriculum"},
		{name: "at", preset: "at", about: "adversarial training alone"},
	}
}

// recipes are the published one and each stabiliser alone, then all.
func recipes() []recipe {
	return []recipe{
		{name: "published", about: "uniform start, weight 1, no clip, no clamp"},
		{name: "rate", about: "a tenth of the learning rate", set: []string{"optim.lr=1e-4"}, paper: []string{"optim.lr=1e-5"}},
		{name: "steps", about: "twice the SGLD steps", set: []string{"sampler.steps=10"}, paper: []string{"sampler.steps=40"}},
		{name: "noise", about: "pixel noise 0.1", set: []string{"data.noise=0.1"}},
		{name: "proximal", about: "SGLD gradient clip and pixel clamp (JEM++)", set: []string{"sampler.grad_clip=1", "sampler.clamp=true"}},
		{name: "start", about: "Gaussian start (JEM++)", set: []string{"sampler.start=gaussian"}},
		{name: "penalty", about: "0.1·mean log p(x)²", set: []string{"objective.l2=0.1"}},
		{name: "clip-norm", about: "gradient norm at most 3", set: []string{"optim.clip_norm=3"}},
		{name: "all", about: "all of them but rate, steps and noise", set: []string{"sampler.grad_clip=1", "sampler.clamp=true", "sampler.start=gaussian", "objective.l2=0.1", "optim.clip_norm=3"}},
	}
}

// stabilitySeeds is how often each recipe is trained.
const stabilitySeeds = 2

// stabilityRuns are short: divergence of the published recipe comes early at these rates.
func stabilityRuns() []Run {
	var all []Run
	for _, r := range recipes() {
		all = append(all, stabilityRun(r, unprotected(), Run{
			Smoke: []string{steps(12), "train.save_every=5"},
			Paper: []string{fmt.Sprintf("optim.lr=%g", paperRate), "optim.warmup=1000", steps(5000), "train.save_every=500", "train.eval_every=5000", "train.sample_every=5000"},
		}))
	}
	for _, r := range successorsExposed() {
		all = append(all, stabilityRun(r, exposed(), Run{
			Recipe: r.preset,
			Smoke:  append(tiny(12), "train.save_every=5"),
			// The published settings are bare enough.
			Paper: []string{steps(5000), "train.save_every=500", "train.eval_every=5000", "train.sample_every=5000"},
		}))
	}
	return all
}

// stabilityRun completes the run of a recipe without its protection.
func stabilityRun(r recipe, bare []string, run Run) Run {
	run.Name, run.About, run.Seeds = "stability-"+r.name, r.about, stabilitySeeds
	run.Set = with(bare, append([]string{"train.save_every=20", "train.log_every=2", "guard.budget=3", "guard.lr_factor=1", "optim.ema=0"}, r.set...)...)
	run.Small = []string{steps(100), "data.valid=1000", "train.sample_every=100", "train.eval_every=100"}
	run.Paper = append(run.Paper, r.paper...)
	return run
}

// paperRate is the published learning rate: the paper's instability is seen at it.
const paperRate = 1e-4
