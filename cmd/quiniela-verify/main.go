// Command quiniela-verify checks a lottery, for notaries, regulators and bettors: receipts, the whole public log, and as a witness. It does
// what the commands of the same names of quiniela do, and has nothing of the operator's programs in it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"quiniela/internal/checks"
	"quiniela/internal/console"
	"quiniela/internal/help"
	"quiniela/internal/lang"
)

const name = "quiniela-verify"

// release is the version of a released binary, such as 0.1.0. `make dist` sets it with -ldflags; it is empty in any other build.
var release string

type commands struct {
	Verify  verifyCommand  `cmd:"" default:"withargs" help:"Check a receipt offline: that the bet is in the log, and whether it won."`
	Audit   auditCommand   `cmd:"" help:"Check a published log: recompute all of it and compare. It needs only the log."`
	Witness checks.Witness `cmd:"" help:"Run a witness that cosigns a log's checkpoints."`
	Version versionCommand `cmd:"" help:"Print the version, and the commit where it is known."`
}

type verifyCommand struct{ checks.Verify }

func (c *verifyCommand) Run(e checks.Env) error { return c.Check(e) }

type auditCommand struct{ checks.Audit }

func (c *auditCommand) Run(e checks.Env) error {
	o, err := c.Options()
	if err != nil {
		return err
	}
	progress, end := showProgress(os.Stderr)
	o.Progress = progress
	report, err := c.Recompute(e.Ctx, o)
	end()
	if err != nil {
		return err
	}
	return c.Tell(e.Out, report)
}

// showProgress shows on a terminal how far an audit is, until end is called. Elsewhere it shows nothing.
func showProgress(out *os.File) (progress func(done, total int64), end func()) {
	if !term.IsTerminal(int(out.Fd())) {
		return nil, func() {}
	}
	bars := mpb.New(mpb.WithOutput(out), mpb.WithWidth(48))
	bar := bars.AddBar(0, mpb.PrependDecorators(decor.Name("audit ")), mpb.AppendDecorators(decor.CountersNoUnit("%d / %d entries")))
	progress = func(done, total int64) {
		bar.SetTotal(total, false)
		bar.SetCurrent(done)
	}
	return progress, func() {
		bar.Abort(false) // does nothing to one that is complete
		bars.Wait()
	}
}

type versionCommand struct{}

func (versionCommand) Run(e checks.Env) error {
	_, err := console.Printf(e.Out, "%s\n", console.Version(name, release))
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(console.ExitCode(run(ctx, os.Args[1:], os.Stdout, os.Stderr)))
}

// run runs one command. It has already told the error that it returns.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	out, errs := &console.Printer{Out: stdout}, &console.Printer{Out: stderr}
	err := dispatch(checks.Env{Ctx: ctx, Program: name, Out: out}, errs, args)
	out.End()
	if err != nil {
		_, _ = console.Printf(errs, name+": %v\n", err)
	}
	errs.End()
	return err
}

// examples has an example for each command: what follows the command's words.
var examples = map[string]string{
	"verify":        "receipt-8.json --log https://lottery.example/log/ --key VKEY",
	"audit":         "https://lottery.example/log/ --policy policy",
	"witness serve": "--log VKEY",
	"witness key":   "--name regulator.example/w",
}

const description = "Checks a lottery that publishes its draws in a public log. It needs nothing of the lottery's but what is published."

func dispatch(e checks.Env, errs io.Writer, args []string) error {
	exit := os.Exit
	if len(args) == 0 { // help answers it, and it is an error all the same, as with quiniela
		args, exit = []string{"--help"}, func(int) { os.Exit(console.ExitUsage) }
	}
	var c commands
	parser, err := newParser(&c, kong.Writers(e.Out, errs), kong.Exit(exit))
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return console.Usage(errors.Join(err, fmt.Errorf("see: %s --help", name)))
	}
	return command.Run(e)
}

func newParser(c *commands, options ...kong.Option) (*kong.Kong, error) {
	options = append(options, kong.Name(name), kong.Description(description))
	return kong.New(c, append(options, help.Options(lang.FromEnvironment(os.Getenv), examples)...)...)
}
