package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
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
	k.Exit(exitOK)
	return nil
}

func printVersion(out io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	_, err := printf(out, "%s\n", versionLine(release, info))
	return err
}

// versionLine says which source a binary was built from, as far as the binary knows: the release, else the module's version
// (`go install …@version`, or a build in a clone), else devel. `go run` and a build without the repository record no commit.
func versionLine(release string, info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "(devel)" {
		version = ""
	}
	version = cmp.Or(release, version, "devel")
	commit, modified := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	return fmt.Sprintf("quiniela %s (commit %s%s, %s, %s/%s)", version, commit, modified, cmp.Or(info.GoVersion, runtime.Version()), runtime.GOOS, runtime.GOARCH)
}
