package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"jem/internal/durable"
	"jem/internal/safetensors"
	"jem/predict"
)

// scored is what a model said of images.
type scored struct {
	predict.Subject
	predict.Protocol
	Images []scoredOf `json:"images"`

	names, classes []string
	scores         *predict.Scores
}

// scoredOf is one image's scores.
type scoredOf struct {
	Image      string  `json:"image"` // its file, or its number from 0
	Class      int     `json:"class"`
	Name       string  `json:"name"`
	Confidence float64 `json:"confidence"` // p(y|x) of that class
	LogPx      float32 `json:"log_px"`     // up to log Z
	ApproxMass float32 `json:"approx_mass"`
}

// fill makes the list of images.
func (s *scored) fill() {
	for i := range s.scores.Len() {
		class, confidence := s.scores.Class(i)
		one := scoredOf{Image: strconv.Itoa(i), Class: class, Name: s.classes[class], Confidence: confidence, LogPx: s.scores.LogPx[i], ApproxMass: s.scores.ApproxMass[i]}
		if s.names != nil {
			one.Image = s.names[i]
		}
		s.Images = append(s.Images, one)
	}
}

// writeScores writes scores to the file that --out names, or to stdout. What was measured, and
// on what, stands in the file or in OUT.about.json beside it.
func writeScores(c *cli.Context, format string, s scored) error {
	out := c.String("out")
	s.fill()
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
		about, err := marshal(struct {
			predict.Subject
			predict.Protocol
		}{s.Subject, s.Protocol})
		if err != nil {
			return err
		}
		if err := durable.WriteFile(out+".about.json", about); err != nil {
			return err
		}
	}
	printPlace(c, fmt.Sprintf("%s (%d images)", escape(out), len(s.Images)))
	return nil
}

func (s *scored) table() ([]byte, error) {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "IMAGE\tCLASS\tCONFIDENCE\tLOG P(X)\tAPPROX. MASS")
	for _, i := range s.Images {
		fmt.Fprintf(w, "%s\t%s\t%.4f\t%.4f\t%.4f\n", escape(i.Image), escape(i.Name), i.Confidence, i.LogPx, i.ApproxMass)
	}
	err := w.Flush()
	return b.Bytes(), err
}

func (s *scored) json() ([]byte, error) { return marshal(s) }

func (s *scored) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"image", "class", "name", "confidence", "log_px", "approx_mass"}}
	for _, i := range s.Images {
		rows = append(rows, []string{i.Image, strconv.Itoa(i.Class), i.Name, strconv.FormatFloat(i.Confidence, 'g', -1, 64), exact(i.LogPx), exact(i.ApproxMass)})
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
