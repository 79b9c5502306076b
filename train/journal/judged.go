package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/picture"
	"jem/internal/report"
	"jem/internal/rundir"
	"jem/predict"
)

// evaluation is evaluation.json.
type evaluation struct {
	Step int `json:"step"`
	predict.Accuracy
	predict.Breakdown
}

// judged writes what is behind an evaluation: its classes and its worst mistakes.
func (j *Journal) judged(step int, a *predict.Judgement) error {
	text, err := json.Marshal(evaluation{step, a.Accuracy, a.Breakdown(j.classes)})
	if err != nil {
		return err
	}
	img, err := a.Draw(j.classes)
	if err != nil {
		return err
	}
	if img == nil {
		err = gone(j.Path.Mistakes())
	} else {
		err = picture.WritePNG(j.Path.Mistakes(), img)
	}
	if err == nil {
		err = durable.WriteFile(j.Path.Evaluation(), append(text, '\n'))
	}
	return j.unless(err)
}

// gone removes a file that may be there.
func gone(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// maxEvaluation bounds an evaluation.json that is read.
const maxEvaluation = 16 << 20

// readEvaluation reads evaluation.json; fs.ErrNotExist where there is none.
func readEvaluation(p rundir.Path) (e evaluation, err error) {
	text, err := durable.ReadFile(p.Evaluation(), maxEvaluation)
	if err == nil {
		err = fault.At(p.Evaluation(), json.Unmarshal(text, &e))
	}
	return e, err
}

// dropJudged removes the evaluation of a step that a run goes back behind.
func dropJudged(p rundir.Path, step int) error {
	if e, err := readEvaluation(p); err != nil || e.Step <= step {
		return nil // what isn't there or can't be read is of no step, and the next one replaces it
	}
	return errors.Join(gone(p.Evaluation()), gone(p.Mistakes()))
}

// The report shows the matrix of so many classes, or else the classes that did worst, and what the
// most of their images were taken for.
const (
	matrixClasses = 12
	worstClasses  = 20
	takenFor      = 3
)

// byClass is what the latest evaluation came to by class, as a table and a picture.
func byClass(p rundir.Path) (tables []report.Table, pictures []report.Picture, err error) {
	e, err := readEvaluation(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	tables = []report.Table{e.table()}
	if len(e.Mistakes) == 0 {
		return tables, nil, nil
	}
	png, err := readPicture(p.Mistakes())
	if errors.Is(err, fs.ErrNotExist) {
		return tables, nil, nil
	}
	if err != nil {
		return tables, nil, err
	}
	return tables, []report.Picture{{
		Title:   "Worst mistakes",
		Caption: fmt.Sprintf("Of the %s images at step %d, those that the network was surest of and wrong about: what they are, and as what it took them.", e.Split, e.Step),
		PNG:     png,
	}}, nil
}

func (e evaluation) table() report.Table {
	caption := fmt.Sprintf("On %s of the %s set, at step %d.", predict.CountImages(e.Images), e.Split, e.Step)
	if len(e.PerClass) > matrixClasses || len(e.Confusion) != len(e.PerClass) {
		return e.worst(caption)
	}
	t := report.Table{Title: "Classes", Caption: caption + " One class a row, and what its images were taken for.", Head: []string{"class", "accuracy", "images"}}
	for _, c := range e.PerClass {
		t.Head = append(t.Head, c.Class)
	}
	for y, c := range e.PerClass {
		row := classCells(c)
		for answer, n := range e.Confusion[y] {
			switch {
			case n > 0:
				row = append(row, strconv.Itoa(n))
			case answer == y:
				row = append(row, "0")
			default:
				row = append(row, "·")
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// worst is the table for many classes.
func (e evaluation) worst(caption string) report.Table {
	t := report.Table{Title: "Classes", Caption: caption, Head: []string{"class", "accuracy", "images", "taken for"}}
	worst, of := e.Worst(worstClasses)
	if len(worst) < of {
		t.Caption += fmt.Sprintf(" The %d of %d classes with the lowest accuracy; evaluation.json has the others.", len(worst), of)
	}
	for _, c := range worst {
		t.Rows = append(t.Rows, append(classCells(c), e.Mixed(c.Class, takenFor)))
	}
	return t
}

func classCells(c predict.ClassAccuracy) []string {
	share := "–"
	if c.Images > 0 {
		share = fmt.Sprintf("%.1f %%", 100*c.Accuracy)
	}
	return []string{c.Class, share, strconv.Itoa(c.Images)}
}
