// Package prom writes figures in the text format of Prometheus, version 0.0.4, that its servers scrape and
// node_exporter's textfile collector reads (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
// It does not know what the figures mean, nor who reads them.
package prom

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// ContentType is that of a text over HTTP.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Kind says how the values of a family go on.
type Kind string

// The kinds that are written.
const (
	Gauge   Kind = "gauge"   // up and down
	Counter Kind = "counter" // up alone, but for a new start; its name ends in _total
)

// Family is figures of one name.
type Family struct {
	Name    string // with its unit: jem_step_seconds; a share is a _ratio
	Help    string // a sentence
	Kind    Kind
	Samples []Sample // none: the family is left out
}

// Sample is a figure, told from the others of its family by labels.
type Sample struct {
	Labels []Label
	Value  float64 // of any kind, NaN and infinite ones too
}

// Label is a property of a sample. The value may hold anything; what is no UTF-8 is replaced.
type Label struct{ Name, Value string }

// Text is the families in their order. It panics where a name is none that Prometheus takes.
func Text(families []Family) []byte {
	var b bytes.Buffer
	for _, f := range families {
		f.write(&b)
	}
	return b.Bytes()
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	helpText   = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func (f Family) write(b *bytes.Buffer) {
	if !metricName.MatchString(f.Name) || (f.Kind == Counter) != strings.HasSuffix(f.Name, "_total") {
		panic(fmt.Sprintf("prom: %s %q", f.Kind, f.Name))
	}
	if len(f.Samples) == 0 {
		return
	}
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, helpText.Replace(f.Help), f.Name, f.Kind)
	for _, s := range f.Samples {
		b.WriteString(f.Name + s.labels() + " " + number(s.Value) + "\n")
	}
}

// labels are the labels in braces; nothing where there are none.
func (s Sample) labels() string {
	var all []string
	for _, l := range s.Labels {
		if !labelName.MatchString(l.Name) || strings.HasPrefix(l.Name, "__") {
			panic(fmt.Sprintf("prom: label %q", l.Name))
		}
		all = append(all, l.Name+`="`+labelText.Replace(strings.ToValidUTF8(l.Value, "\uFFFD"))+`"`)
	}
	if len(all) == 0 {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
