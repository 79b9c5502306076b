package main

import (
	"github.com/urfave/cli/v2"

	"jem/internal/fault"
	"jem/predict"
)

// chainFlags are those of commands that draw chains. The arguments say what holds where a flag isn't
// given: of their number, of their SGLD steps, and of where they begin.
func chainFlags(number, steps, start string) []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "count", Aliases: []string{"n"}, Usage: "chains, a sample each; default: " + number},
		&cli.IntFlag{Name: "steps", Aliases: []string{"sample-steps"}, Usage: "SGLD steps of each chain; default: " + steps},
		&cli.StringFlag{Name: "from", Usage: "where chains begin: buffer (the replay buffer) or fresh; default: " + start},
		&cli.BoolFlag{Name: "fresh", Usage: "the same as --from fresh"},
	}
}

// freshChains reports whether chains start afresh, as --from or --fresh say, or else as usual.
func freshChains(c *cli.Context, usual bool) (bool, error) {
	switch from := c.String("from"); {
	case from != "" && from != "buffer" && from != "fresh":
		return false, usagef(c, "--from %q: want buffer or fresh", from)
	case from == "buffer" && c.Bool("fresh"):
		return false, usagef(c, "--from buffer and --fresh: want one of them")
	case from == "":
		return c.Bool("fresh") || usual, nil
	default:
		return from == "fresh", nil
	}
}

// sampling are the options by which the run's network draws samples, with the start that the flags or else usual
// say. What was asked for isn't replaced: the error says that there is no replay buffer.
func sampling(c *cli.Context, m *predict.Predictor, usual bool) (predict.SampleOptions, error) {
	fresh, err := freshChains(c, usual)
	if err != nil {
		return predict.SampleOptions{}, err
	}
	o := m.Sampling(fresh)
	if o.Fresh && c.String("from") == "buffer" {
		return o, &fault.Error{Path: m.Checkpoint, Kind: fault.ErrMissing, Reason: "has no replay buffer, as its run had no chains: leave out --from buffer"}
	}
	return o, nil
}

// number is an integer flag's value, or another where it isn't given.
func number(c *cli.Context, flag string, otherwise int) int {
	if c.IsSet(flag) {
		return c.Int(flag)
	}
	return otherwise
}
