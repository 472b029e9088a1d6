package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// manCommand prints the manual page, from the same model as --help.
type manCommand struct{}

func (manCommand) Run(e env) error {
	return writeManual(e.stdout, e.model)
}

// writeManual writes a page of section 1 with man's macros: the commands, then every command's arguments and flags. It holds no
// date, so that the same program always gives the same bytes.
func writeManual(w io.Writer, model *kong.Application) error {
	var b strings.Builder
	b.WriteString(".TH QUINIELA 1\n.ad l\n.SH NAME\nquiniela \\- the central system of a lottery\n")
	b.WriteString(".SH SYNOPSIS\n.B quiniela\n.I command\n[flags]\n")
	b.WriteString(".SH DESCRIPTION\n" + roff(model.Help) + "\n")
	b.WriteString(".PP\nA flag beats its environment variable, the variable beats the settings file, and the file beats the default.\n")
	b.WriteString(".SH COMMANDS\n")
	for _, n := range model.Children {
		writeCommand(&b, n.Name, n)
	}
	b.WriteString(".SH EXIT STATUS\n0: done. 1: failed, or a client was interrupted before all its bets were acknowledged.\n" +
		"2: a wrong command line or setting. 3: too early, an audit of a log that is not published completely yet.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCommand writes a command and the commands below it; path is the words that lead to it.
func writeCommand(b *strings.Builder, path string, n *kong.Node) {
	fmt.Fprintf(b, ".SS \"quiniela %s\"\n%s\n", roff(path), roff(n.Help))
	for _, p := range n.Positional {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", roff(p.Name), roff(p.Help))
	}
	for _, f := range n.Flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		name := "--" + f.Name
		if !f.IsBool() {
			name += "=" + strings.Trim(f.FormatPlaceHolder(), `"`)
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s", roff(name), roff(f.Help))
		if len(f.Envs) > 0 {
			fmt.Fprintf(b, " Variable: %s.", roff(strings.Join(f.Envs, ", ")))
		}
		b.WriteString("\n")
	}
	for _, child := range n.Children {
		writeCommand(b, path+" "+child.Name, child)
	}
}

// roff escapes a line of text, so that no character of it is a request or an escape.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
