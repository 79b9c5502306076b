package experiments

// claims are those of a setting: what JEM is to reach beside the twin of equal length, and how it
// stands against each of the cheaper cures.
func (s scarcity) claims(t Table) (all []Claim) {
	for _, kind := range []struct {
		row   string
		seeds int
	}{{labelJEM, s.jem}, {labelUnlabelled, s.unlabelled}, {labelSuccessor, s.successor}} {
		if kind.seeds < 2 {
			continue // nothing is claimed from one seed
		}
		name := s.title() + ": " + kind.row
		ours := func(key string) Cell { return t.at(kind.row, key) }
		twin := func(key string) Cell { return t.at(labelTwin, key) }
		all = append(all,
			less(name+", has at most a quarter of the twin's ECE", ours("ece"), times(twin("ece"), 0.25), "%.1f %%"),
			less(name+", has at most half of the twin's NLL", ours("nll"), times(twin("nll"), 0.5), "%.3f"))
		for _, rival := range []struct{ name, row, scaled string }{
			{"the twin of equal length", labelTwin, ""}, {"the twin stopped best", labelStopped, ""}, {"the twin with a temperature", labelTwin, scaled},
		} {
			theirs := func(key string) Cell {
				if rival.scaled != "" {
					key = scaledKey(key)
				}
				return t.at(rival.row, key)
			}
			of := func(c Claim) { c.Against = rival.name; all = append(all, c) }
			of(less(name+", has less ECE", ours("ece"), theirs("ece"), "%.1f %%"))
			of(less(name+", has less NLL", ours("nll"), theirs("nll"), "%.3f"))
			if rival.scaled == "" { // a temperature changes no answer
				of(more(name+", is more accurate", ours("accuracy"), theirs("accuracy"), "%.1f %%"))
				of(more(name+", is more robust", ours("pgd"), theirs("pgd"), "%.1f %%"))
			}
		}
	}
	return all
}
