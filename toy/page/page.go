// Package page shows what a demonstration in the plane came to: as one HTML file that needs no network
// and no other file, as an animation and as a still picture.
//
// All is a function of the result. Colours are chosen in OKLab so that equal steps of log p(x) look
// equal; classes have marks of their own besides, so that no one needs to tell colours apart.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"jem/internal/report"
	"jem/toy"
)

//go:embed page.html.tmpl page.css js/*.js
var files embed.FS

// scripts are the parts of the page's script, in order.
var scripts = []string{"data", "field", "ask", "map", "player", "main"}

// Write writes the page. The result must be complete: a class at least, a density and the verdicts of
// both networks; what else is missing is left out.
func Write(w io.Writer, r *toy.Result) error {
	b, err := render(r)
	if err != nil {
		return fmt.Errorf("page of %s: %w", r.Name, err)
	}
	_, err = w.Write(b)
	return err
}

func render(r *toy.Result) ([]byte, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	c, err := newContent(r)
	if err != nil {
		return nil, err
	}
	t, err := template.New("page.html.tmpl").Funcs(template.FuncMap{
		"style":  style,
		"script": func() template.JS { return template.JS(script()) },
		"policy": policy,
		"svg":    element,
		"key":    func(k int) int { return k % len(light.classes) },
		"shape":  func(k int) int { return k % 4 },
	}).ParseFS(files, "page.html.tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, c)
	return b.Bytes(), err
}

// check refuses what no page can be made of.
func check(r *toy.Result) error {
	grids := map[string]toy.Grid{"log p(x)": r.Density}
	for k := range r.Classes {
		if k >= len(r.JEM.P) || k >= len(r.Twin.P) {
			return fmt.Errorf("%d classes, but %d and %d grids of p(y|x)", len(r.Classes), len(r.JEM.P), len(r.Twin.P))
		}
		grids["p(y|x) of the JEM"], grids["p(y|x) of softmax"] = r.JEM.P[k], r.Twin.P[k]
	}
	for name, g := range grids {
		if g.W < 2 || g.H < 2 || len(g.Values) != g.W*g.H {
			return fmt.Errorf("%s: %d values on a grid of %d×%d", name, len(g.Values), g.W, g.H)
		}
	}
	if len(r.Classes) == 0 || r.Window.X1 <= r.Window.X0 || r.Window.Y1 <= r.Window.Y0 {
		return fmt.Errorf("%d classes in the window %v", len(r.Classes), r.Window)
	}
	return nil
}

func style() template.CSS {
	b, _ := files.ReadFile("page.css")
	var keys strings.Builder
	for k := range light.classes {
		fmt.Fprintf(&keys, ".key-%d{background:%s}", k, css(light.class(k)))
	}
	keys.WriteString("@media (prefers-color-scheme:dark){")
	for k := range dark.classes {
		fmt.Fprintf(&keys, ".key-%d{background:%s}", k, css(dark.class(k)))
	}
	keys.WriteString("}\n")
	return template.CSS(report.Style() + string(b) + keys.String())
}

// script is the page's program, in a scope of its own.
func script() string {
	var b strings.Builder
	b.WriteString("(() => {\n\"use strict\";\n")
	for _, name := range scripts {
		part, _ := files.ReadFile("js/" + name + ".js")
		b.Write(part)
	}
	b.WriteString("})();\n")
	return b.String()
}

// policy is what the browser shall let the page do: run its own script and nothing else. No address is
// allowed, so that nothing can be sent or loaded.
func policy() string {
	sum := sha256.Sum256([]byte(script()))
	return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
