package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// notDecimal is what other programs would read as numbers.
var notDecimal = []string{"0x1f", "1_000", "+5", " 5", "0b1", "0o7", "1e3"}

// numberParser parses command lines, and says what became of a number in them.
type numberParser struct {
	*kong.Kong
	file *configFile
}

func (p numberParser) parse(args []string, v *kong.Value) (string, error) {
	*p.file = configFile{}
	if _, err := p.Parse(args); err != nil || p.file.err != nil {
		return "", errors.Join(err, p.file.err)
	}
	n := v.Target
	if n.Kind() == reflect.Pointer {
		n = n.Elem()
	}
	return strings.Trim(fmt.Sprint(n.Interface()), "[]"), nil
}

// whole reports whether a value is a whole number, or some of them.
func whole(v reflect.Value) bool {
	typ := v.Type()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	return typ != reflect.TypeFor[time.Duration]() && (typ.Kind() >= reflect.Int && typ.Kind() <= reflect.Uint64)
}

// minimal is a command line of a command with all that it needs, but for one argument.
func minimal(node *kong.Node, but *kong.Value) []string {
	args := strings.Fields(node.Path())
	for _, f := range node.Flags {
		if f.Required && f.Value != but {
			args = append(args, "--"+f.Name+"=1")
		}
	}
	for _, p := range node.Positional {
		if p.Required || p == but {
			args = append(args, "1")
		}
	}
	return args
}

func TestEveryNumberIsDecimal(t *testing.T) {
	var c commands
	var file configFile
	parser, err := newParser(env{stdout: io.Discard, stderr: io.Discard}, &c, &file)
	if err != nil {
		t.Fatal(err)
	}
	p := numberParser{parser, &file}
	seen := map[string]bool{}
	for _, node := range p.Model.Leaves(false) {
		for _, f := range node.Flags {
			if whole(f.Target) {
				seen[node.Path()+" --"+f.Name] = true
				p.everyWay(t, node, f)
			}
		}
		for i, v := range node.Positional {
			if !whole(v.Target) {
				continue
			}
			seen[node.Path()+" "+v.Name] = true
			args := minimal(node, v)
			place := len(args) - len(node.Positional) + i
			decimal(t, node.Path()+" "+v.Name, v.Name, func(text string) (string, error) {
				args[place] = text
				return p.parse(args, v)
			})
		}
	}
	for _, want := range []string{"draw open --number", "draw open --cap", "server --winner-number", "agency add number",
		"client send --id", "bench --bets", "server --disk-reserve"} {
		if !seen[want] {
			t.Errorf("%s was not tried; there are %v", want, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// everyWay tries a flag, its variable and its key in the settings file.
func (p numberParser) everyWay(t *testing.T, node *kong.Node, f *kong.Flag) {
	args := minimal(node, f.Value)
	name := node.Path() + " --" + f.Name
	decimal(t, name, f.Name, func(text string) (string, error) {
		return p.parse(append(args, "--"+f.Name+"="+text), f.Value)
	})
	for _, variable := range f.Envs {
		decimal(t, name+" by "+variable, variable, func(text string) (string, error) {
			t.Setenv(variable, text)
			defer func() { _ = os.Unsetenv(variable) }()
			return p.parse(args, f.Value)
		})
	}
	format, ok := formats[node.Name]
	if !ok || format.keyOf(f) == "" {
		return
	}
	path := filepath.Join(t.TempDir(), "settings")
	key := format.keyOf(f)
	decimal(t, name+" by its key "+key, f.Name, func(text string) (string, error) {
		line := key + " = " + text + "\n"
		if node.Parent.Name == "client" {
			line = "{" + strings.ReplaceAll(key, ".", ": {") + ": " + text + strings.Repeat("}", strings.Count(key, ".")+1) + "\n"
		}
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		return p.parse(append(args, "--config="+path), f.Value)
	})
}

// decimal checks that a way to give a number reads it as decimal, and refuses what is not, with an error that names it.
func decimal(t *testing.T, where, name string, give func(string) (string, error)) {
	t.Helper()
	for text, want := range map[string]string{"010": "10", "0042": "42", "9": "9"} {
		if got, err := give(text); err != nil || got != want {
			t.Errorf("%s: %s is %q, %v; want %s", where, text, got, err, want)
		}
	}
	for _, text := range notDecimal {
		if strings.HasPrefix(text, " ") && strings.Contains(where, "its key") {
			continue // a file has spaces around its values
		}
		got, err := give(text)
		if err == nil {
			t.Errorf("%s: %q is %s", where, text, got)
			continue
		}
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %q: the error does not say which number: %v", where, text, err)
		}
	}
}

// The official number is text to the parser, since in the game quiniela its zeros count.
func TestTheOfficialNumberIsDecimal(t *testing.T) {
	for text, want := range map[string]uint16{"010": 10, "0042": 42, "9": 9, "9999": 9999} {
		if n, err := winningNumber(text); err != nil || *n != want {
			t.Errorf("%s: %v, %v", text, n, err)
		}
	}
	for _, text := range append(notDecimal, "", "-1", "10000", "99999999999999999999") {
		if n, err := winningNumber(text); err == nil {
			t.Errorf("%q is %d", text, *n)
		}
	}
}
