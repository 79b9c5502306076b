package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jem/internal/grid"
	"jem/train/journal"
)

func statusCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "status",
		Usage: "tell where runs are: at which step, how fast, how long still, and whether a process trains them",
		Description: examples("RUN is a run's folder, or a folder of runs; of several each has a row. Nothing is changed there, so it may be asked\n"+
			"while the run trains, by other users and on other machines that see the folder.\n"+
			"\n"+
			"running: a process has the folder. finished: nothing is left to do. stopped: it was ended, and goes on with\n"+
			"jem train --resume RUN. killed: its process is gone, and gave nothing back; it goes on in the same way. unknown: a\n"+
			"process of another machine had the folder and never gave it back, and its locks may not be visible on this one:\n"+
			"how old the last record is tells.\n"+
			"\n"+
			"The time left is that of the steps to come at the pace of the last records; evaluations, pictures and\n"+
			"checkpoints come on top. The exit code is 0 whatever the state: --json has it as .[0].state.",
			"jem status runs/first",
			"jem status runs --json"),
		Flags:  append([]cli.Flag{jsonFlag}, logFlags()...),
		Action: runStatus,
	}, "RUN", "[RUN...]")
}

func runStatus(c *cli.Context) error {
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	runs, err := foldersOf(c, c.Args().Slice())
	if err != nil {
		return err
	}
	var all []journal.Status
	for _, run := range runs {
		one, notes, err := journal.StatusOf(run)
		s.notes(notes)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	switch now := time.Now(); {
	case c.Bool("json"):
		return printJSON(c, all)
	case len(all) == 1:
		return printTable(c, told(all[0], now)...)
	default:
		return printTable(c, surveyed(all, now).Lines()...)
	}
}

// told are the lines about a run, each with what it is about.
func told(s journal.Status, now time.Time) []string {
	lines := []string{"run\t" + plainCell(s.Folder), "state\t" + plainCell(stateOf(s)), "step\t" + stepOf(s)}
	add := func(about, text string) { lines = append(lines, about+"\t"+plainCell(text)) }
	if s.PaceSeconds > 0 {
		add("pace", paceOf(s))
	}
	if t := s.Training; t != nil {
		add("training", fmt.Sprintf("step %d: loss %.4g, gap %+.4g, accuracy %.1f %%, gradient %.3g; %s", t.Step, float64(t.Loss), float64(t.Gap), 100*float64(t.Accuracy), float64(t.GradNorm), recordedAgo(s, now)))
	}
	if e := s.Last; e != nil {
		add(map[string]string{"valid": "held out", "test": "test images"}[s.Split], fmt.Sprintf("step %d: accuracy %.2f %%, NLL %.4g; the best %.2f %% at step %d",
			e.Step, 100*float64(e.Accuracy), float64(e.NLL), 100*float64(s.BestAccuracy.Accuracy), s.BestAccuracy.Step))
	}
	if k := s.Checkpoint; k != nil {
		add("checkpoint", fmt.Sprintf("step %d, %s", k.Step, ago(k.Time, now)))
	} else {
		add("checkpoint", "none yet")
	}
	add("rollbacks", fmt.Sprint(s.Rollbacks))
	if s.Start != nil {
		add("starts", fmt.Sprintf("%d, the latest %s", s.Starts, s.Start.Local().Format(time.DateTime))+ranksOf(s))
	}
	for i, t := range s.Trouble {
		add([]string{"noted", ""}[min(1, i)], fmt.Sprintf("%s step %d: %s", t.Time.Local().Format(time.DateTime), t.Step, t.Text))
	}
	return lines
}

// plainCell is text that stays in one cell of a table.
func plainCell(text string) string { return strings.ReplaceAll(text, "\t", " ") }

// stateOf is a run's state with what makes it certain, or not.
func stateOf(s journal.Status) string {
	who := ""
	if h := s.Holder; h != nil {
		who = fmt.Sprintf("process %d on %s since %s", h.PID, h.Host, h.Start.Local().Format(time.DateTime))
	}
	switch {
	case s.State == journal.Running && who != "":
		return "running: " + who
	case s.State == journal.Killed:
		return "killed: " + who + " is gone; jem train --resume goes on"
	case s.State == journal.Unknown:
		return "unknown: " + who + " never gave the folder back, and that machine's locks may not show here"
	case s.State == journal.Stopped:
		return "stopped; jem train --resume goes on"
	}
	return string(s.State)
}

// ranksOf is how many processes a run's latest start had, where they are several.
func ranksOf(s journal.Status) string {
	if s.Ranks < 2 {
		return ""
	}
	where := ""
	if s.Machines > 1 {
		where = fmt.Sprintf(" on %d machines", s.Machines)
	}
	return fmt.Sprintf(", with %d ranks%s", s.Ranks, where)
}

func stepOf(s journal.Status) string {
	if s.Steps == 0 {
		return fmt.Sprint(s.Step)
	}
	return fmt.Sprintf("%d of %d, %.1f %%", s.Step, s.Steps, 100*float64(s.Step)/float64(s.Steps))
}

func paceOf(s journal.Status) string {
	pace := fmt.Sprintf("%.3g s/step", s.PaceSeconds)
	if s.LeftSeconds == nil || *s.LeftSeconds == 0 {
		return pace
	}
	return pace + ", " + leftOf(s) + " of steps left"
}

func leftOf(s journal.Status) string {
	if s.LeftSeconds == nil {
		return ""
	}
	return lasting(*s.LeftSeconds)
}

// lasting is a length of time for people.
func lasting(seconds float64) string {
	const century = 3e9 // seconds; more than that is nonsense, and may be more than a Duration holds
	if !(seconds < century) {
		return "centuries"
	}
	d := time.Duration(max(0, seconds) * float64(time.Second))
	if d > time.Hour {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.Round(time.Second).String()
}

func ago(t, now time.Time) string { return lasting(now.Sub(t).Seconds()) + " ago" }

func recordedAgo(s journal.Status, now time.Time) string {
	if s.Recorded == nil {
		return "no record"
	}
	return "last record " + ago(*s.Recorded, now)
}

// surveyed is the table of several runs.
func surveyed(all []journal.Status, now time.Time) grid.Grid {
	g := grid.Grid{}
	for _, title := range []string{"RUN", "STATE", "STEP", "OF", "S/STEP", "LEFT", "LOSS", "GAP", "ACC %", "ROLLBACKS", "CHECKPOINT", "SAVED", "LAST RECORD"} {
		g.Columns = append(g.Columns, grid.Column{Title: title})
	}
	for _, s := range all {
		row := []grid.Cell{grid.Text(s.Run), grid.Text(string(s.State)), grid.Whole(s.Step), grid.Text(""), grid.Text(""), grid.Text(leftOf(s))}
		if s.Steps > 0 {
			row[3] = grid.Whole(s.Steps)
		}
		if s.PaceSeconds > 0 {
			row[4] = grid.Figure(s.PaceSeconds, 1, 3)
		}
		row = append(row, trainingCells(s.Training)...)
		row = append(row, grid.Whole(s.Rollbacks))
		if k := s.Checkpoint; k != nil {
			row = append(row, grid.Whole(k.Step), grid.Text(ago(k.Time, now)))
		} else {
			row = append(row, grid.Text(""), grid.Text(""))
		}
		last := ""
		if s.Recorded != nil {
			last = ago(*s.Recorded, now)
		}
		g.Rows = append(g.Rows, append(row, grid.Text(last)))
	}
	return g
}

// trainingCells are loss, gap and accuracy of the last record of training.
func trainingCells(t *journal.Figures) []grid.Cell {
	if t == nil {
		return []grid.Cell{grid.Text(""), grid.Text(""), grid.Text("")}
	}
	return []grid.Cell{grid.Figure(float64(t.Loss), 1, 4), grid.Figure(float64(t.Gap), 1, 3), grid.Figure(float64(t.Accuracy), 100, 1)}
}
