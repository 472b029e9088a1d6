package main

import (
	"io"

	"github.com/alecthomas/kong"

	"quiniela/internal/console"
)

// release is the version of a released binary, such as 0.1.0. `make dist` sets it with -ldflags; it is empty in any other build.
var release string

type versionCommand struct{}

func (versionCommand) Run(e env) error { return printVersion(e.stdout) }

// versionFlag is --version, which does the same as the command.
type versionFlag bool

// BeforeReset implements kong's hook: the flag counts whatever else is on the command line.
func (versionFlag) BeforeReset(k *kong.Kong) error {
	if err := printVersion(k.Stdout); err != nil {
		return err
	}
	k.Exit(console.ExitOK)
	return nil
}

func printVersion(out io.Writer) error {
	_, err := printf(out, "%s\n", console.Version("quiniela", release))
	return err
}
