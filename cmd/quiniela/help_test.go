package main

import (
	"io"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"quiniela/internal/lang"
)

// model returns the commands as English has them.
func model(t *testing.T) *kong.Kong {
	t.Helper()
	var c commands
	p, err := newParser(env{stdout: io.Discard, stderr: io.Discard, lang: lang.English}, &c, new(configFile))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryCommandHasAnExampleThatIsRight(t *testing.T) {
	p := model(t)
	left := maps.Clone(examples)
	for _, n := range p.Model.Leaves(true) {
		example, ok := left[n.Path()]
		delete(left, n.Path())
		if !ok {
			t.Errorf("%s has no example in examples.go", n.FullPath())
			continue
		}
		for one := range strings.SplitSeq(example, "\n") {
			line := strings.TrimSpace(n.FullPath() + " " + one)
			if len(line) > 76 {
				t.Errorf("%q is too long for a terminal: %d characters", line, len(line))
			}
			ctx, err := p.Parse(words(line)[1:])
			if err != nil {
				t.Errorf("%s: %v", line, err)
			} else if ctx.Selected() != n {
				t.Errorf("%s is a %s", line, ctx.Selected().FullPath())
			}
		}
	}
	for path := range left {
		t.Errorf("examples.go has an example of %q, which is no command", path)
	}
}

// words splits a command line at its spaces, but for those in quotes.
func words(line string) (all []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}
