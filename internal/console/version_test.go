package console_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"quiniela/internal/console"
)

func TestTheVersionIsWhatTheBinaryWasBuiltFrom(t *testing.T) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0950b34"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for name, c := range map[string]struct {
		release string
		module  string
		vcs     []debug.BuildSetting
		want    string
	}{
		"make dist":            {"0.1.0", "v0.0.0-2026+dirty", []debug.BuildSetting{commit, clean}, "quiniela 0.1.0 (commit 0950b34, go1.26, " + platform + ")"},
		"make dist, own files": {"0.1.0", "(devel)", []debug.BuildSetting{commit, modified}, "quiniela 0.1.0 (commit 0950b34, modified, go1.26, " + platform + ")"},
		"go build in a clone":  {"", "v0.0.0-2026", []debug.BuildSetting{commit, clean}, "quiniela v0.0.0-2026 (commit 0950b34, go1.26, " + platform + ")"},
		"go install @version":  {"", "v0.1.0", nil, "quiniela v0.1.0 (commit unknown, go1.26, " + platform + ")"},
		"go run":               {"", "(devel)", nil, "quiniela devel (commit unknown, go1.26, " + platform + ")"},
		"an image":             {"", "", nil, "quiniela devel (commit unknown, go1.26, " + platform + ")"},
	} {
		info := &debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: c.module}, Settings: c.vcs}
		if got := console.VersionLine("quiniela", c.release, info); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got, want := console.VersionLine("quiniela", "", &debug.BuildInfo{}), "quiniela devel (commit unknown, "+runtime.Version()+", "+platform+")"; got != want {
		t.Errorf("without build information: %q, want %q", got, want)
	}
}
