package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"quiniela/internal/sidebyside"
	"quiniela/verify/verifytest"
)

func TestMain(m *testing.M) {
	testscript.Main(sidebyside.Tests{M: m}, map[string]func(){"quiniela": main})
}

// TestScripts runs the sessions of testdata/script: real processes, as a user would type them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "sorted": sorted, "exits": exits, "freeport": freePort, "flip": flip,
			"receipts": receipts, "listening": listening, "document": document,
		},
		Condition: condition,
	})
}

// condition knows [namespaces]: files can be hidden from a process.
func condition(name string) (bool, error) {
	if name != "namespaces" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return exec.Command("unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", "/usr").Run() == nil, nil
}

// await FILE PATTERN [VARIABLE] waits until a line of the file matches, and sets the variable to its first group.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await file pattern [variable]")
	}
	pattern := regexp.MustCompile(args[1])
	for range 18_000 { // three minutes: a start on a busy disk takes long
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if m := pattern.FindSubmatch(text); m != nil {
			if len(args) > 2 {
				ts.Setenv(args[2], string(m[1]))
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s never had a line %s:\n%s", args[0], args[1], ts.ReadFile(args[0]))
}

// sorted FILE OUT writes the lines of a file, sorted and without CR, to another.
func sorted(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(strings.ReplaceAll(ts.ReadFile(args[0]), "\r", ""), "\n")
	slices.Sort(lines)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(lines, "\n")), 0o600))
}

// freeport VARIABLE sets a variable to a port that is the script's until it ends.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	port, release, err := sidebyside.Port()
	ts.Check(err)
	ts.Defer(release)
	ts.Setenv(args[0], strconv.Itoa(port))
}

// listening VARIABLE sets a variable to a port that is taken until the script ends.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", ":0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// document FILE checks that a file is one JSON document.
func document(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
}

// flip FILE changes a byte in the middle of a file.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	text[len(text)/2] ^= 1
	ts.Check(os.WriteFile(path, text, 0o600))
}

// receipts DIR [fork|late|unseen|early close] writes the documents of a small lottery whose draw has been held, and of what its operator
// may have done to it.
func receipts(ts *testscript.TestScript, neg bool, args []string) {
	var terms verifytest.Terms
	switch strings.Join(args[1:], " ") {
	case "fork":
		terms.Entry = "fork"
	case "late":
		terms.Late = true
	case "unseen":
		terms.Seen = 1700000000 // after the round
	case "early close":
		terms.Operator = "a storm"
	}
	l, err := verifytest.New(terms)
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	for name, data := range l.Files() {
		ts.Check(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		ts.Check(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	ts.Setenv("VKEY", strings.TrimSpace(string(l.Key)))
}

// exits CODE COMMAND… runs a command that must end with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%q ended with %s, want %s", args[1:], got, args[0])
	}
}

func TestHelpIsThereForEveryCommand(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	var c commands
	parser, err := newParser(env{}, &c, new(configFile))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"", "draw", "agency", "operator", "witness"}
	for _, leaf := range parser.Model.Leaves(false) {
		names = append(names, strings.TrimPrefix(leaf.Path(), "quiniela "))
	}
	for _, command := range names {
		var out, errs bytes.Buffer
		args := append(strings.Fields(command), "--help")
		if err := run(t.Context(), args, &out, &errs); err != nil || !strings.Contains(out.String(), "Usage: quiniela") || errs.Len() > 0 {
			t.Errorf("%q: %v\n%s%s", command, err, out.String(), errs.String())
		}
	}
}
