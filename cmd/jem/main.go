// Command jem trains and examines Joint Energy-based Models.
//
// It is the only place that prints, logs, draws a progress bar or opens a concrete
// device: each command reads its flags, calls the packages that do the work and shows
// what came of it. Results go to stdout, everything else to stderr.
//
// The files: main is the tree of commands, exit and usage what errors become, flags, config and device what
// a command line says, ranks, ranksend and rankslog a process among those of one run, opened a run that is read, screen,
// watch and output what people and programs see; the others are named for their command, those of eval for its tasks.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"

	"jem/internal/sysmem"

	"github.com/urfave/cli/v2"
)

func main() {
	j := newJob()
	j.leave(j.run(os.Args, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments, up to the process's end. The first Ctrl-C, SIGTERM or other
// signal to stop cancels the context; a second Ctrl-C or SIGTERM ends the process at once. Without a reader
// of stderr the work goes on unseen; without one of results it ends unsaid.
func (j *job) run(args []string, stdout, stderr io.Writer) (code int) {
	survive()
	sysmem.Heed()
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	defer stop()
	context.AfterFunc(ctx, stop)

	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(stderr, "jem: internal error, please report it: %v\n\n%s", r, debug.Stack())
			j.crashed(r)
			code = exitBug
		}
	}()
	program := app(stdout, stderr)
	program.Metadata = map[string]any{jobKey: j}
	if len(args) > 1 && args[len(args)-1] == completing {
		complete(stdout, program, args)
		return exitDone
	}
	args, err := flagsFirst(program, args)
	if err == nil {
		err = program.RunContext(ctx, args)
	}
	return j.end(err, stderr)
}

// app is the tree of commands. What they print goes to its two writers.
func app(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "jem",
		HelpName:  "jem",
		Usage:     "train and examine Joint Energy-based Models",
		Version:   version().Version,
		Writer:    stdout,
		ErrWriter: stderr,
		Description: "A classifier's logits f(x)[y] also define log p(x) = LogSumExp f(x) up to a constant.\n" +
			"jem trains both at once, with samples that SGLD draws from the model\n" +
			"(Grathwohl et al., Your Classifier is Secretly an Energy Based Model, ICLR 2020).",
		Commands: []*cli.Command{
			toyCommand(),
			trainCommand(),
			sweepCommand(),
			reproduceCommand(),
			evalCommand(),
			attackCommand(),
			statusCommand(),
			compareCommand(),
			reportCommand(),
			sampleCommand(),
			scoreCommand(),
			serveCommand(),
			convertCommand(),
			checkpointCommand(),
			dataCommand(),
			configCommand(),
			selftestCommand(),
			benchCommand(),
			devicesCommand(),
			completionCommand(),
			manCommand(),
			versionCommand(),
		},
		HideHelpCommand:           false,
		DisableSliceFlagSeparator: true, // a comma belongs to the value: optim.decay_epochs=50,100
		ExitErrHandler:            func(*cli.Context, error) {},
	}
	app.Action = group(app.Commands)
	app.OnUsageError = onUsageError
	app.CustomAppHelpTemplate = cli.AppHelpTemplate + "\nEXIT CODES:\n" + exitHelp()
	return app
}
