package experiments

import (
	"slices"

	"jem/eval/ood"
)

// successorClaims hold recipes with two seeds against what they are to reach, and against JEM, its twin
// and the control.
func successorClaims(tables []Table) (all []Claim) {
	main, px, mass := tables[0], tables[1+slices.Index(ood.Published, "px")], tables[1+slices.Index(ood.Published, "pxgrad")]
	for _, s := range successors() {
		if s.preset == "" || s.seeds < 2 {
			continue
		}
		ours := func(key string) Cell { return main.at(s.label, key) }
		all = append(all,
			more(s.label+": PGD leaves 30 % or more", ours("pgd"), given(30), "%.1f %%"),
			more(s.label+": accuracy of 60 % or more", ours("accuracy"), given(60), "%.1f %%"),
			less(s.label+": Auto-PGD (cross-entropy) is within 3 points of PGD", gap(ours("pgd"), ours("apgd-ce")), given(3), "%.1f"),
			less(s.label+": Auto-PGD (DLR) is within 3 points of PGD", gap(ours("pgd"), ours("apgd-dlr")), given(3), "%.1f"))
		for _, score := range []struct {
			name string
			t    Table
		}{{"log p(x)", px}, {"approximate mass", mass}} {
			all = append(all,
				more(s.label+": "+score.name+" tells SVHN with an AUROC of 0.80 or more", score.t.at(s.label, "svhn"), given(0.8), "%.3f"),
				more(s.label+": "+score.name+" tells CIFAR-100 with an AUROC of 0.60 or more", score.t.at(s.label, "cifar100"), given(0.6), "%.3f"))
		}
		for _, rival := range []string{"JEM", "softmax twin", labelControl, labelLonger} {
			if rival == s.label {
				continue
			}
			of := func(c Claim) { c.Against = rival; all = append(all, c) }
			of(more(s.label+" is more accurate", ours("accuracy"), main.at(rival, "accuracy"), "%.1f %%"))
			of(less(s.label+" has less ECE", ours("ece"), main.at(rival, "ece"), "%.1f %%"))
			of(more(s.label+" is more robust to PGD", ours("pgd"), main.at(rival, "pgd"), "%.1f %%"))
			if rival != "softmax twin" { // which draws nothing
				of(less(s.label+" draws samples of less classifier-feature distance", ours(qualityDistance), main.at(rival, qualityDistance), "%.2f"))
			}
		}
	}
	return all
}
