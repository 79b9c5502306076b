package experiments

import "fmt"

// recipe is one way to train that the stability study compares.
type recipe struct {
	name  string
	about string
	set   []string
}

// unprotected takes away what keeps the small scales' recipe stable: what is left is the
// published sampler and objective, at a rate that shows its weakness within a hundred steps.
func unprotected() []string {
	return []string{"objective.p_x=1", "objective.l2=0", "sampler.grad_clip=0", "sampler.clamp=false", "sampler.start=uniform",
		"optim.clip_norm=0", "optim.cosine=false", "optim.warmup=0", "optim.lr=1e-3"}
}

// recipes are the published one and each stabiliser alone, then all.
func recipes() []recipe {
	return []recipe{
		{"published", "uniform start, weight 1, no clip, no clamp, rate 1e-3", nil},
		{"rate", "rate 1e-4", []string{"optim.lr=1e-4"}},
		{"steps", "twice the SGLD steps", []string{"sampler.steps=10"}},
		{"noise", "pixel noise 0.1", []string{"data.noise=0.1"}},
		{"proximal", "SGLD gradient clip and pixel clamp (JEM++)", []string{"sampler.grad_clip=1", "sampler.clamp=true"}},
		{"start", "Gaussian start (JEM++)", []string{"sampler.start=gaussian"}},
		{"penalty", "0.1·mean log p(x)²", []string{"objective.l2=0.1"}},
		{"clip-norm", "gradient norm at most 3", []string{"optim.clip_norm=3"}},
		{"all", "all of them but rate, steps and noise", []string{"sampler.grad_clip=1", "sampler.clamp=true", "sampler.start=gaussian", "objective.l2=0.1", "optim.clip_norm=3"}},
	}
}

// stabilitySeeds is how often each recipe is trained.
const stabilitySeeds = 2

// stabilityRuns are short: divergence of the published recipe comes early at these rates.
func stabilityRuns() []Run {
	var all []Run
	for _, r := range recipes() {
		all = append(all, Run{
			Name: "stability-" + r.name, About: r.about, Seeds: stabilitySeeds,
			Set:   with(unprotected(), append([]string{"train.save_every=20", "guard.budget=3", "guard.lr_factor=1", "optim.ema=0"}, r.set...)...),
			Small: []string{steps(100), "data.valid=1000", "train.sample_every=100", "train.eval_every=100"},
			Smoke: []string{steps(20), "train.save_every=5"},
			Paper: []string{fmt.Sprintf("optim.lr=%g", paperStabilityRate), steps(5000), "train.save_every=500", "train.eval_every=5000", "train.sample_every=5000"},
		})
	}
	return all
}

// paperStabilityRate is the published learning rate: the paper's instability is seen at it.
const paperStabilityRate = 1e-4
