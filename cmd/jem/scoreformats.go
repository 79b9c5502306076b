package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/eval/ood"
	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/predict"
)

// scoredAbout says what was scored, and what was not.
type scoredAbout struct {
	predict.Subject
	predict.Protocol
	Rule       *ood.Rule  `json:"rule,omitempty"`
	Unusual    int        `json:"unusual,omitempty"` // images that the rule calls so
	Unreadable []unscored `json:"unreadable,omitempty"`
	NotReached int        `json:"not_reached,omitempty"` // pictures after the end by a signal or an error
}

// scored is what a model said of images.
type scored struct {
	scoredAbout
	Images []*scoredOf `json:"images"`

	rows   []*scoredOf // of both, in the order of the input
	scores *predict.Scores
}

// scoredOf is one image's scores.
type scoredOf struct {
	Image      string  `json:"image"` // its file, or its number from 0
	Class      int     `json:"class"`
	Name       string  `json:"name"`
	Confidence float64 `json:"confidence"` // p(y|x) of that class
	LogPx      float32 `json:"log_px"`     // up to log Z
	ApproxMass float32 `json:"approx_mass"`

	*ood.Verdict // of the rule, where there is one

	err string // why there are none
}

// unscored is a picture that can't be read.
type unscored struct {
	Image string `json:"image"`
	Error string `json:"error"`
}

// newScored lists the images of an input that were scored, or could not be read.
func newScored(about predict.Subject, scores *predict.Scores, classes []string, in input) scored {
	s := scored{scoredAbout: scoredAbout{Subject: about, Protocol: scores.Protocol()}, scores: scores}
	add := func(image string, i int) {
		class, confidence := scores.Class(i)
		one := &scoredOf{Image: image, Class: class, Name: classes[class], Confidence: confidence, LogPx: scores.LogPx[i], ApproxMass: scores.ApproxMass[i]}
		s.Images, s.rows = append(s.Images, one), append(s.rows, one)
	}
	if in.album == nil {
		for i := range scores.Len() {
			add(strconv.Itoa(i), i)
		}
		return s
	}
	read := in.album.Read()[:scores.Len()]
	for i, name := range in.album.Names {
		if err := in.album.Bad(i); err != nil {
			why := strings.TrimPrefix(err.Error(), fault.Printable(name)+": ")
			s.Unreadable, s.rows = append(s.Unreadable, unscored{name, why}), append(s.rows, &scoredOf{Image: name, err: why})
		} else if n := len(s.Images); n < len(read) && read[n] == i {
			add(name, n)
		}
	}
	s.NotReached = len(in.album.Names) - len(s.rows)
	return s
}

// judge adds what a rule says, if there is one.
func (s *scored) judge(rule *ood.Rule) error {
	if rule == nil {
		return nil
	}
	verdicts, err := rule.Judge(s.scores)
	if err != nil {
		return err
	}
	s.Rule = rule
	for i, image := range s.Images {
		image.Verdict = &verdicts[i]
		if image.Unusual {
			s.Unusual++
		}
	}
	return nil
}

// writeScores writes scores to the file that --out names, or to stdout. What was measured, and
// on what, stands in the file or in OUT.about.json beside it.
func writeScores(c *cli.Context, format string, s scored) error {
	out := c.String("out")
	b, err := map[string]func() ([]byte, error){"table": s.table, "json": s.json, "csv": s.csv, "safetensors": s.tensors}[format]()
	if err != nil {
		return err
	}
	if out == "" {
		_, err = c.App.Writer.Write(b)
		return err
	}
	if err := durable.WriteFile(out, b); err != nil {
		return err
	}
	if format == "csv" || format == "safetensors" { // there is no place in them
		about, err := marshal(s.about(format))
		if err != nil {
			return err
		}
		if err := durable.WriteFile(out+".about.json", about); err != nil {
			return err
		}
	}
	printPlace(c, fmt.Sprintf("%s (%d images)", out, len(s.Images)))
	if s.Rule != nil {
		printPlace(c, s.ruled())
	}
	return nil
}

// about is what was measured, without the scores; with the images' names where the file has none.
func (s *scored) about(format string) any {
	if format != "safetensors" {
		return s.scoredAbout
	}
	var names []string
	for _, i := range s.Images {
		names = append(names, i.Image)
	}
	return struct {
		scoredAbout
		Images []string `json:"images"`
	}{s.scoredAbout, names}
}

func (s *scored) table() ([]byte, error) {
	head := "IMAGE\tCLASS\tCONFIDENCE\tLOG P(X)\tAPPROX. MASS"
	if s.Rule != nil {
		head += "\tP-VALUE\tVERDICT"
	}
	rows := []string{head}
	for _, i := range s.rows {
		if i.err != "" {
			rows = append(rows, fmt.Sprintf("%s\t-\t-\t-\t%s", escape(i.Image), escape(i.err)))
			continue
		}
		row := fmt.Sprintf("%s\t%s\t%.4f\t%.4f\t%.4f", escape(i.Image), escape(i.Name), i.Confidence, i.LogPx, i.ApproxMass)
		if v := i.Verdict; v != nil {
			row += fmt.Sprintf("\t%.4f\t%s", v.P, inAWord(v))
		}
		rows = append(rows, row)
	}
	if s.Rule != nil {
		rows = append(rows, "", s.ruled())
	}
	return table(rows...)
}

// ruled is what the rule, which there is, found.
func (s *scored) ruled() string {
	r := s.Rule
	return fmt.Sprintf("%d of %d are unusual: %s below %.6g, as at most %g of usual images should be (fitted on %d held-out images)",
		s.Unusual, len(s.Images), r.ByScore, r.Threshold, r.FalseAlarms, r.HeldOut)
}

func (s *scored) json() ([]byte, error) { return marshal(s) }

func (s *scored) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"image", "class", "name", "confidence", "log_px", "approx_mass", "error"}}
	if s.Rule != nil {
		rows[0] = append(rows[0], s.Rule.ByScore, "p_value", "verdict")
	}
	for _, i := range s.rows {
		row := []string{csvName(i.Image), "", "", "", "", "", csvName(i.err)}
		if i.err == "" {
			row = []string{csvName(i.Image), strconv.Itoa(i.Class), csvName(i.Name), exact64(i.Confidence), exact(i.LogPx), exact(i.ApproxMass), ""}
		}
		switch v := i.Verdict; {
		case v != nil:
			row = append(row, exact64(v.Score), exact64(v.P), inAWord(v))
		case s.Rule != nil:
			row = append(row, "", "", "")
		}
		rows = append(rows, row)
	}
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// exact is the shortest text that reads back as v.
func exact(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

func exact64(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func inAWord(v *ood.Verdict) string {
	if v.Unusual {
		return "unusual"
	}
	return "usual"
}

func (s *scored) tensors() ([]byte, error) {
	n := s.scores.Len()
	var b bytes.Buffer
	all := []safetensors.Tensor{
		{Name: "logits", Shape: []int{n, s.scores.Classes}, F32: s.scores.Logits},
		{Name: "log_px", Shape: []int{n}, F32: s.scores.LogPx},
		{Name: "approx_mass", Shape: []int{n}, F32: s.scores.ApproxMass},
	}
	if s.Rule != nil {
		p := make([]float32, n)
		for i := range s.Images {
			p[i] = float32(s.Images[i].Verdict.P)
		}
		all = append(all, safetensors.Tensor{Name: "p_value", Shape: []int{n}, F32: p})
	}
	err := safetensors.Write(&b, all)
	return b.Bytes(), err
}
