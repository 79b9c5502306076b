package ood

import (
	"path/filepath"
	"slices"
	"strings"
)

// Mean are means over the sets of a group, OpenOOD's summary.
type Mean struct {
	Group    string  `json:"group"`
	Score    string  `json:"score"`
	Sets     int     `json:"sets"`
	AUROC    float64 `json:"auroc"`
	FPR95    float64 `json:"fpr95"`
	FPR95Out float64 `json:"fpr95_out"` // what OpenOOD calls FPR@95: OOD is its positive
}

// groups are OpenOOD's near and far sets, by in-distribution set (Yang et al. 2022, Zhang et
// al. 2023, the small benchmarks).
var groups = map[string]map[string][]string{
	"cifar10":  {"near": {"cifar100", "tiny-imagenet"}, "far": {"mnist", "svhn", "textures", "places365"}},
	"cifar100": {"near": {"cifar10", "tiny-imagenet"}, "far": {"mnist", "svhn", "textures", "places365"}},
	"mnist":    {"near": {"fashion-mnist"}, "far": {"cifar10", "tiny-imagenet", "textures", "places365"}},
}

// group is near or far, as OpenOOD groups a set for an in-distribution set; else "". A folder
// of pictures is the set that it is named for.
func group(in, set string) string {
	for name, sets := range groups[in] {
		if slices.Contains(sets, Title(set)) {
			return name
		}
	}
	return ""
}

// Title is a set's name for people: of a folder the last part.
func Title(set string) string {
	if path, ok := strings.CutPrefix(set, "folder:"); ok {
		return filepath.Base(path)
	}
	return set
}

// means are the mean figures by group and score, near before far.
func means(figures []Figure) (all []Mean) {
	for _, name := range []string{"near", "far"} {
		for _, score := range All {
			g := Mean{Group: name, Score: score}
			for _, f := range figures {
				if f.Group == name && f.Score == score {
					g.Sets++
					g.AUROC, g.FPR95, g.FPR95Out = g.AUROC+f.AUROC, g.FPR95+f.FPR95, g.FPR95Out+f.FPR95Out
				}
			}
			if n := float64(g.Sets); n > 0 {
				g.AUROC, g.FPR95, g.FPR95Out = g.AUROC/n, g.FPR95/n, g.FPR95Out/n
				all = append(all, g)
			}
		}
	}
	return all
}
