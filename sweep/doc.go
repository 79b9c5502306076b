// Package sweep trains a grid or a list of settings with several seeds, one run after the other, and writes
// one table of what they came to.
//
// A case is some settings; it is trained once for each seed. Runs lie in an output folder:
//
//	OUT/lr=0.001,p_x=0.15-seed1/    run folders as jem train makes them
//	OUT/sweep.json, .csv, .md       the table, after each run
//
// What has ended is not trained again, and what was interrupted goes on, so the same sweep begun again goes
// on where it was. A case that diverges or fails is in the table with the reason, and the next one follows. Figures are
// means over seeds of held-out images: nothing is to be chosen on test images, so the table has none of
// these. The package prints nothing and opens no device itself.
//
//	plan, err := sweep.NewPlan(base, axes, cases, seeds)
//	s, err := sweep.Open(plan, sweep.Options{Folder: "runs/rates", Open: open})
//	err = s.Run(ctx)
//
// The files, in reading order: axis and cases are what is asked for, plan the runs it comes to, sweep trains
// them, stored is what is known from before, table what they came to.
package sweep
