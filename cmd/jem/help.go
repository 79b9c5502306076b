package main

import (
	"strings"
	"unicode/utf8"

	"jem/cuda"

	"github.com/urfave/cli/v2"
)

// Sections of flags that many commands have. Each command's own stand before them.
const (
	onDevice = "Device"
	onGPU    = "Nvidia GPU"
	onScreen = "Log and screen"
)

// helpWidth is how many columns a help page takes, helpColumn where the flags' texts begin.
const helpWidth, helpColumn = 110, 30

// page is a command's help: what it does, examples, and its flags in the order in which they
// were declared, in sections.
func page(c *cli.Command) string {
	var b strings.Builder
	b.WriteString("NAME:\n   {{.HelpName}} - " + c.Usage + "\n\nUSAGE:\n   {{.HelpName}} [flags] " + c.ArgsUsage + "\n")
	if c.Description != "" {
		b.WriteString("\nDESCRIPTION:\n" + indent(c.Description, "   ") + "\n")
	}
	for _, s := range sections(c.Flags) {
		b.WriteString("\n" + s.title + ":\n")
		for _, f := range s.flags {
			b.WriteString(flagLines(f))
		}
	}
	return b.String()
}

// section is flags under a title.
type section struct {
	title string
	flags []cli.Flag
}

// sections are the visible flags by category, in order of appearance; those of none come first.
func sections(flags []cli.Flag) (all []section) {
	at := map[string]int{}
	for _, f := range append(flags, cli.HelpFlag) {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		title := "FLAGS"
		if of, ok := f.(cli.CategorizableFlag); ok && of.GetCategory() != "" {
			title = strings.ToUpper(of.GetCategory())
		}
		i, there := at[title]
		if !there {
			i = len(all)
			at[title], all = i, append(all, section{title: title})
		}
		all[i].flags = append(all[i].flags, f)
	}
	return all
}

// flagLines is a flag's names and, from helpColumn on, its text.
func flagLines(f cli.Flag) string {
	names, text, _ := strings.Cut(f.String(), "\t")
	names, _, _ = strings.Cut(names, " [ ") // a flag that may be repeated is named once
	for _, obvious := range []string{" (default: false)", " (default: 0)"} {
		text = strings.TrimSuffix(text, obvious)
	}
	head := "   " + strings.ReplaceAll(names, " value", " VALUE")
	gap := helpColumn - utf8.RuneCountInString(head)
	if gap < 2 {
		head, gap = head+"\n", helpColumn
	}
	lines := wrapped(text, helpWidth-helpColumn)
	return head + strings.Repeat(" ", gap) + strings.Join(lines, "\n"+strings.Repeat(" ", helpColumn)) + "\n"
}

// wrapped cuts a text between words into lines of at most so many columns.
func wrapped(text string, columns int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.ReplaceAll(text, "\n", "\n"+by), "\n"+by+"\n", "\n\n")
}

// examples ends a description with command lines.
func examples(description string, lines ...string) string {
	return strings.TrimPrefix(description+"\n\nExamples:\n  "+strings.Join(lines, "\n  "), "\n\n")
}

// in puts flags under a title. Those of a device that this program doesn't have are taken and not shown.
func in(category string, flags ...cli.Flag) []cli.Flag {
	hidden := category == onGPU && !cuda.Built
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			f.Category, f.Hidden = category, hidden
		case *cli.IntFlag:
			f.Category, f.Hidden = category, hidden
		case *cli.BoolFlag:
			f.Category, f.Hidden = category, hidden
		}
	}
	return flags
}
