package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst puts the flags of a command line before its arguments, where the parser looks for
// them: people write them where they think of them. What follows a lone -- stays an argument.
func flagsFirst(app *cli.App, args []string) ([]string, error) {
	command, words := descend(app, args)
	if command == nil || len(command.Subcommands) > 0 {
		return args, nil
	}
	head := args[:len(args)-len(words)]
	flags, rest := []string{}, []string{}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			rest, words = append(append(rest, word), words...), nil
		case !isFlag(word):
			rest = append(rest, word)
		case !takesValue(command, word):
			flags = append(flags, word)
		case len(words) == 0 || flagOf(command, words[0]) != nil: // another flag is no value
			return nil, &usageError{fmt.Sprintf("%s wants a value; %s --help shows what there is", word, strings.Join(append([]string{app.Name}, head[1:]...), " "))}
		default:
			flags, words = append(flags, word, words[0]), words[1:]
		}
	}
	return slices.Concat(head, flags, rest), nil
}

// descend follows a command line into the tree of commands, as far as it names one: nil for
// none. Words are what stands behind its name.
func descend(app *cli.App, args []string) (command *cli.Command, words []string) {
	words = args[min(1, len(args)):]
	for commands := app.Commands; len(words) > 0; commands = command.Subcommands {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(words[0]) })
		if i < 0 {
			break
		}
		command, words = commands[i], words[1:]
	}
	return command, words
}

// isFlag tells a flag from an argument; a lone dash is one.
func isFlag(word string) bool { return len(word) > 1 && word[0] == '-' }

// flagOf is a command's flag that a word names, with a value behind = or without; nil: none.
func flagOf(c *cli.Command, word string) cli.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	i := slices.IndexFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	switch {
	case !isFlag(word):
		return nil
	case i >= 0:
		return c.Flags[i]
	case slices.Contains(cli.HelpFlag.Names(), name):
		return cli.HelpFlag
	}
	return nil
}

// takesValue reports whether the word after a flag is its value.
func takesValue(c *cli.Command, word string) bool {
	f := flagOf(c, word)
	_, is := f.(*cli.BoolFlag)
	return f != nil && !is && !strings.Contains(word, "=")
}
