package console

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version returns VersionLine of this program.
func Version(program, release string) string { return VersionLine(program, release, buildInfo()) }

// ShortVersion returns the version of this program alone.
func ShortVersion(release string) string { return versionName(release, buildInfo()) }

// buildInfo returns what the binary knows of its build.
func buildInfo() *debug.BuildInfo {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info
	}
	return &debug.BuildInfo{}
}

// versionName returns the release, else the module's version (`go install …@version`, or a build in a clone), else devel.
func versionName(release string, info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "(devel)" {
		version = ""
	}
	return cmp.Or(release, version, "devel")
}

// VersionLine names a program and says which source it was built from, as far as the binary knows. `go run` and a build without the
// repository record no commit.
func VersionLine(program, release string, info *debug.BuildInfo) string {
	version := versionName(release, info)
	commit, modified := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	return fmt.Sprintf("%s %s (commit %s%s, %s, %s/%s)", program, version, commit, modified, cmp.Or(info.GoVersion, runtime.Version()), runtime.GOOS, runtime.GOARCH)
}
