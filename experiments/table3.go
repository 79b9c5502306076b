package experiments

import "slices"

// table3 is the paper's Table 3: AUROC of three scores on four sets.
func table3() Experiment {
	return Experiment{
		ID: "table3", Title: "Table 3: out-of-distribution detection, AUROC", Where: "Grathwohl et al. 2020, Table 3",
		Runs: []string{runJEM, runBaseline, runWRN}, Sets: oodSets(),
		Build: func(l *Lab) (*Result, error) {
			t, err := tableOf(l, oodTable("AUROC, the paper's sets", oodSets()[:4]))
			if err != nil {
				return nil, err
			}
			further := oodTable("AUROC, further sets", oodSets()[4:])
			further.rows = slices.DeleteFunc(further.rows, func(r line) bool { return r.run == "" })
			u, err := tableOf(l, further)
			if err != nil {
				return nil, err
			}
			r := &Result{Tables: []Table{t, u}, Protocol: []string{
				"CIFAR-10's test images are positive, a higher score means more in-distribution; ties count half; pixel noise as in training.",
				"interp: means of two test images of one shuffled walk, with noise once more, as the published script makes them.",
				"Sets of pictures are cut to their central square and resized to 32×32; the paper doesn't say how it made CelebA's.",
			}}
			for _, set := range []string{"svhn", "cifar100", "celeba", "textures", "tiny-imagenet"} {
				from := t
				if !slices.Contains(oodSets()[:4], set) {
					from = u
				}
				r.Claims = append(r.Claims, more("Approximate mass tells more than log p(x), "+setTitle(set), from.at("approx. mass, JEM", set), from.at("log p(x), JEM", set), "%.3f"))
			}
			for _, set := range []string{"svhn", "cifar100"} {
				r.Claims = append(r.Claims, more("JEM's log p(x) tells more than that of the same network as classifier, "+setTitle(set), t.at("log p(x), JEM", set), t.at("log p(x), softmax", set), "%.3f"))
			}
			return r, nil
		},
	}
}

func oodTable(title string, sets []string) definition {
	d := definition{
		title: title,
		rows: []line{
			{label: "log p(x), uncond. Glow", paper: aurocs(.05, .51, .55, .57)},
			{label: "log p(x), class-cond. Glow", paper: aurocs(.07, .45, .51, .53)},
			{label: "log p(x), IGEBM", paper: aurocs(.63, .70, .50, .70)},
			{label: "log p(x), JEM", run: runJEM, arg: "px", paper: aurocs(.67, .65, .67, .75)},
			{label: "log p(x), softmax", run: runBaseline, arg: "px"},
			{label: "max p(y|x), WRN", run: runWRN, arg: "py", paper: aurocs(.93, .77, .85, .62)},
			{label: "max p(y|x), class-cond. Glow", paper: aurocs(.64, .61, .65, .54)},
			{label: "max p(y|x), IGEBM", paper: aurocs(.43, .69, .54, .69)},
			{label: "max p(y|x), JEM", run: runJEM, arg: "py", paper: quoteRow{"svhn": second(.89, sourceOthers), "interp": recalled(.75), "cifar100": second(.87, sourceOthers), "celeba": second(.79, sourceOthers)}},
			{label: "max p(y|x), softmax", run: runBaseline, arg: "py"},
			{label: "approx. mass, uncond. Glow", paper: aurocs(.95, .27, .46, .29)},
			{label: "approx. mass, class-cond. Glow", paper: aurocs(.47, .01, .52, .59)},
			{label: "approx. mass, IGEBM", paper: aurocs(.84, .65, .55, .66)},
			{label: "approx. mass, JEM", run: runJEM, arg: "pxgrad", paper: aurocs(.83, .78, .82, .79)},
			{label: "approx. mass, softmax", run: runBaseline, arg: "pxgrad"},
		},
		figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
			f, err := detectionOf(l, t, col.Key)
			return f.figure(row.arg), err
		},
	}
	for _, set := range sets {
		d.columns = append(d.columns, Column{Key: set, Title: setTitle(set), Digits: 3})
	}
	return d
}

// aurocs are the paper's four figures of a row, recalled.
func aurocs(svhn, interp, cifar100, celeba float64) quoteRow {
	return quoteRow{"svhn": recalled(svhn), "interp": recalled(interp), "cifar100": recalled(cifar100), "celeba": recalled(celeba)}
}
