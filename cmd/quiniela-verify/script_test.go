package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"quiniela/internal/lang"
	"quiniela/verify/verifytest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"quiniela-verify": main})
}

// TestScripts runs the sessions of testdata/script, as a notary would type them. The published log of a small lottery is in public, with a
// receipt and whose signatures count; fork is another log by the same key.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			return errors.Join(lottery(e, ".", verifytest.Terms{}), lottery(e, "fork", verifytest.Terms{Entry: "fork"}))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

func lottery(e *testscript.Env, dir string, terms verifytest.Terms) error {
	l, err := verifytest.New(terms)
	if err != nil {
		return err
	}
	for name, data := range l.Files() {
		path := filepath.Join(e.WorkDir, dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o600)); err != nil {
			return err
		}
	}
	e.Setenv("VKEY", strings.TrimSpace(string(l.Key)))
	return nil
}

func TestEveryHelpHasItsSpanish(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	parser, err := newParser(new(commands))
	if err != nil {
		t.Fatal(err)
	}
	want := func(where, english string) {
		if english != "" && !lang.Has(english) {
			t.Errorf("%s has no Spanish in internal/lang: %q", where, english)
		}
	}
	want(name, parser.Model.Help)
	for _, leaf := range parser.Model.Leaves(false) {
		want(leaf.FullPath(), leaf.Help)
		for _, p := range leaf.Positional {
			want(leaf.FullPath()+" "+p.Name, p.Help)
		}
		for _, f := range leaf.Flags {
			want(leaf.FullPath()+" --"+f.Name, f.Help)
		}
	}
}

// exits CODE COMMAND… runs a command that must end with the code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%q ended with %s, want %s", args[1:], got, args[0])
	}
}
