package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/predict"
)

// scoredAbout says what was scored, and what was not.
type scoredAbout struct {
	predict.Subject
	predict.Protocol
	Unreadable []unscored `json:"unreadable,omitempty"`
	NotReached int        `json:"not_reached,omitempty"` // pictures after the end by a signal or an error
}

// scored is what a model said of images.
type scored struct {
	scoredAbout
	Images []scoredOf `json:"images"`

	rows   []scoredOf // of both, in the order of the input
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
		one := scoredOf{Image: image, Class: class, Name: classes[class], Confidence: confidence, LogPx: scores.LogPx[i], ApproxMass: scores.ApproxMass[i]}
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
			s.Unreadable, s.rows = append(s.Unreadable, unscored{name, why}), append(s.rows, scoredOf{Image: name, err: why})
		} else if n := len(s.Images); n < len(read) && read[n] == i {
			add(name, n)
		}
	}
	s.NotReached = len(in.album.Names) - len(s.rows)
	return s
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
	rows := []string{"IMAGE\tCLASS\tCONFIDENCE\tLOG P(X)\tAPPROX. MASS"}
	for _, i := range s.rows {
		if i.err != "" {
			rows = append(rows, fmt.Sprintf("%s\t-\t-\t-\t%s", escape(i.Image), escape(i.err)))
			continue
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.4f\t%.4f\t%.4f", escape(i.Image), escape(i.Name), i.Confidence, i.LogPx, i.ApproxMass))
	}
	return table(rows...)
}

func (s *scored) json() ([]byte, error) { return marshal(s) }

func (s *scored) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"image", "class", "name", "confidence", "log_px", "approx_mass", "error"}}
	for _, i := range s.rows {
		if i.err != "" {
			rows = append(rows, []string{csvName(i.Image), "", "", "", "", "", csvName(i.err)})
			continue
		}
		rows = append(rows, []string{csvName(i.Image), strconv.Itoa(i.Class), csvName(i.Name), strconv.FormatFloat(i.Confidence, 'g', -1, 64), exact(i.LogPx), exact(i.ApproxMass), ""})
	}
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// exact is the shortest text that reads back as v.
func exact(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

func (s *scored) tensors() ([]byte, error) {
	n := s.scores.Len()
	var b bytes.Buffer
	err := safetensors.Write(&b, []safetensors.Tensor{
		{Name: "logits", Shape: []int{n, s.scores.Classes}, F32: s.scores.Logits},
		{Name: "log_px", Shape: []int{n}, F32: s.scores.LogPx},
		{Name: "approx_mass", Shape: []int{n}, F32: s.scores.ApproxMass},
	})
	return b.Bytes(), err
}
