// Package experiments holds one file for each table and figure of the paper, and trains,
// measures and writes them.
//
// A Run is a training as a difference from a preset; tables name the runs that they need,
// and a configuration is trained once however many ask for it. A table is data: rows with
// their runs and the paper's numbers, columns, and the function that computes a figure.
// Trainings, measurements and tables lie in an output folder:
//
//	OUT/runs/NAME-seedN-HASH/   run folders as jem train makes them, with outcome.json at the end
//	OUT/measures/               one JSON file for each measurement of a run
//	OUT/tables/                 ID.md, .json, .csv, .html, plots and pictures; README.md lists the claims
//
// What is there is not done again, so an interrupted reproduction goes on where it was. The
// package prints nothing and opens no device itself.
//
//	lab, err := experiments.NewLab(ctx, experiments.Options{Scale: experiments.Small, Out: "runs/small", Open: open})
//	list, err := experiments.Select("table1")
//	err = lab.Reproduce(list)
//
// The files, in reading order:
//
//	experiment, training, recipes, scale what there is: experiments, trainings, scales
//	lab, measure, outcome, folder      trains and measures, once each, in a folder of its own
//	measurements                       measurements that several tables share
//	table1, table2, table3, …          one for each table and figure, by its ID
//	fewlabels, stopped                 networks with few labels, and what stopping early would have given
//	successors                         JEM's successors beside it
//	table, cells, quote, claim, result a table as data; the paper's numbers; verdicts
//	markdown, page, index              the result as pages
//	plan, rate, missing                what would be done, how long it takes, what is not there
//	toy                                generated images
package experiments
