// Command quiniela is a lottery's central system and its agencies' client, in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"quiniela/draw"
	"quiniela/internal/checks"
	"quiniela/internal/client"
	"quiniela/internal/console"
	"quiniela/internal/help"
	"quiniela/internal/lang"
)

// usageError is an error in what was typed or configured.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// ExitCode is for console.ExitCode.
func (usageError) ExitCode() int { return console.ExitUsage }

// env is what a command gets from its surroundings.
type env struct {
	ctx            context.Context
	model          *kong.Application
	stdout, stderr io.Writer // each a console.Printer
	lang           lang.Language
}

// say returns an English text in the language of who reads it.
func (e env) say(english string) string { return e.lang.Text(english) }

// count writes a number with its thousands separated as that person does.
func (e env) count(n uint64) string { return e.lang.Count(n) }

type commands struct {
	Demo       demoCommand       `cmd:"" help:"Run the whole lottery here and now: a central, its agencies, the draw."`
	Init       initCommand       `cmd:"" help:"Make the data folder, and the key of the public log with the log's name, which is for ever."`
	Server     serverCommand     `cmd:"" help:"Run the central."`
	Client     clientCommand     `cmd:"" help:"Run one agency."`
	Generate   generateCommand   `cmd:"" help:"Make agency files that look like real ones."`
	Bench      benchCommand      `cmd:"" help:"Measure this machine: rates, times, memory."`
	Agency     agencyCommand     `cmd:"" help:"Manage the registry of agencies. Once there is one, each agency must authenticate."`
	Operator   operatorCommand   `cmd:"" help:"Manage the registry of the people who run the lottery."`
	Certs      certsCommand      `cmd:"" help:"Make a private certificate authority, and certificates for trials."`
	Draw       drawCommand       `cmd:"" help:"Open, watch and close the draws of a running server."`
	Trail      trailCommand      `cmd:"" help:"Show who did what: the audit trail of a running server."`
	Find       findCommand       `cmd:"" help:"Find a person's bets in the journal of a running server. It is recorded in the trail."`
	Audit      auditCommand      `cmd:"" help:"Check a published log: recompute all of it and compare. It needs only the log."`
	Verify     verifyCommand     `cmd:"" help:"Check a receipt offline: that the bet is in the log, and whether it won."`
	Witness    checks.Witness    `cmd:"" help:"Run a witness that cosigns a log's checkpoints."`
	Backup     backupCommand     `cmd:"" help:"Copy a data folder's journal, also while its server runs."`
	Restore    restoreCommand    `cmd:"" help:"Check a backup and make a data folder of it."`
	Rehearse   rehearseCommand   `cmd:"" help:"Try whether a backup can be restored and served: in a temporary folder, which is removed again."`
	Fsck       fsckCommand       `cmd:"" help:"Read a whole journal and report what is wrong with it."`
	Forget     forgetCommand     `cmd:"" help:"Delete who bet in a past draw, and keep what was bet."`
	Health     healthCommand     `cmd:"" help:"Ask a server whether it is healthy."`
	Export     exportCommand     `cmd:"" help:"Write the stored bets as CSV, in stored order."`
	Help       helpCommand       `cmd:"" help:"Show the help of a command: its flags, their defaults and an example."`
	Completion completionCommand `cmd:"" help:"Print a script that completes commands and flags: bash, zsh or fish."`
	Man        manCommand        `cmd:"" help:"Print the manual page: quiniela man | man -l -"`
	Version    versionCommand    `cmd:"" help:"Print the version, and the commit where it is known."`

	ShowVersion versionFlag `name:"version" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// Once asked to stop, a second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	if errors.Is(err, client.ErrInClear) {
		return console.ExitUsage
	}
	return console.ExitCode(err)
}

// logged is an error that the log on stdout already has.
type logged struct{ error }

func (e logged) Unwrap() error { return e.error }

// ended closes a command's log and returns the command's error, which the log already has, or the error of closing.
func ended(err error, log io.Closer) error {
	if closing := log.Close(); closing != nil {
		return errors.Join(err, closing)
	}
	if err != nil {
		return logged{err}
	}
	return nil
}

// run runs one command. It has already reported the error that it returns: on stderr, or in a log that goes to the same place.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	out, errs := &console.Printer{Out: stdout}, &console.Printer{Out: stderr}
	err := dispatch(env{ctx: ctx, stdout: out, stderr: errs, lang: lang.FromEnvironment(os.Getenv)}, args)
	out.End()
	var told logged
	if err != nil && err != errNoCommand && !(errors.As(err, &told) && samePlace(stdout, stderr)) {
		_, _ = printf(errs, "quiniela: %v\n", err)
	}
	errs.End()
	return err
}

// samePlace reports whether two outputs are one terminal, pipe or file.
func samePlace(a, b io.Writer) bool {
	f, ok := a.(*os.File)
	g, also := b.(*os.File)
	if !ok || !also {
		return false
	}
	one, err := f.Stat()
	other, failed := g.Stat()
	return err == nil && failed == nil && os.SameFile(one, other)
}

// helped unwinds the parser once it has printed help or the version, which is no error.
type helped struct{}

func dispatch(e env, args []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helped); !ok {
				panic(r)
			}
			err = nil
		}
	}()
	var c commands
	var file configFile
	parser, err := newParser(e, &c, &file)
	if err != nil {
		return err
	}
	e.model = parser.Model
	switch {
	case len(args) == 0:
		if _, err := io.WriteString(e.stdout, e.say(start)); err != nil {
			return err
		}
		return errNoCommand
	case lacksCommand(e.model, args):
		if err := dispatch(e, append(args, "--help")); err != nil {
			return err
		}
		return errNoCommand
	case args[0] == "-v": // as in git and docker
		args = []string{"--version"}
	}
	command, err := parser.Parse(args)
	if file.err != nil {
		return usageError{file.err}
	}
	if err != nil {
		return usageError{explain(parser, &file, args, err)}
	}
	if err := checkZone(); err != nil {
		return usageError{err}
	}
	return command.Run(e, checks.Env{Ctx: e.ctx, Program: "quiniela", Out: e.stdout})
}

func newParser(e env, c *commands, file *configFile) (*kong.Kong, error) {
	options := append(decimals(),
		kong.Vars{"beacon": strings.Join(draw.QuicknetURLs, ",")},
		kong.Name("quiniela"),
		kong.Description("A lottery's central system: it stores each bet exactly once and durably before it says so, and draws when all agencies have finished."),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(int) { panic(helped{}) }),
		kong.Resolvers(file),
	)
	return kong.New(c, append(options, help.Options(e.lang, examples)...)...)
}

// explain adds to a usage error where the value came from, and whose help says what is right.
func explain(parser *kong.Kong, file *configFile, args []string, err error) error {
	n := parser.Model.Node
	for _, word := range args {
		child := find(n, []string{word})
		if child == nil {
			break
		}
		n = child
	}
	flags := n.Flags
	if n.DefaultCmd != nil {
		flags = n.DefaultCmd.Flags
	}
	return errors.Join(file.blame(err, flags), fmt.Errorf("see: %s --help", n.FullPath()))
}
