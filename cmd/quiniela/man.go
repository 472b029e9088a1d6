package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"quiniela/internal/help"
	"quiniela/internal/lang"
)

// manCommand prints the manual page, from the same model as --help.
type manCommand struct{}

func (manCommand) Run(e env) error {
	return writeManual(e.stdout, e.lang, e.model)
}

// writeManual writes a page of section 1 with man's macros: the commands, then every command's arguments and flags. It holds no
// date, so that the same program always gives the same bytes.
func writeManual(w io.Writer, l lang.Language, model *kong.Application) error {
	var b strings.Builder
	section := func(name string) { fmt.Fprintf(&b, ".SH %s\n", l.Text(name)) }
	b.WriteString(".TH QUINIELA 1\n.ad l\n")
	section("NAME")
	b.WriteString("quiniela \\- " + roff(l.Text("the central system of a lottery")) + "\n")
	section("SYNOPSIS")
	b.WriteString(l.Text(".B quiniela\n.I command\n[flags]\n"))
	section("DESCRIPTION")
	b.WriteString(roff(model.Help) + "\n.PP\n")
	b.WriteString(roff(l.Text("A flag beats its environment variable, the variable beats the settings file, and the file beats the default.")) + "\n")
	section("COMMANDS")
	for _, n := range model.Children {
		writeCommand(&b, l, n.Name, n)
	}
	section("EXIT STATUS")
	b.WriteString(roff(l.Text("0: done. 1: failed, or a client was interrupted before all its bets were acknowledged. "+
		"2: a wrong command line or setting. 3: too early, an audit of a log that is not published completely yet.")) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCommand writes a command and the commands below it; path is the words that lead to it.
func writeCommand(b *strings.Builder, l lang.Language, path string, n *kong.Node) {
	fmt.Fprintf(b, ".SS \"quiniela %s\"\n%s\n", roff(path), roff(n.Help))
	if n.Detail != "" {
		b.WriteString(".PP\n")
		for i, line := range strings.Split(strings.Replace(n.Detail, "\n\n", " ", 1), "\n") {
			if i > 0 {
				b.WriteString(".br\n")
			}
			b.WriteString(roff(strings.Join(strings.Fields(line), " ")) + "\n")
		}
	}
	for _, p := range n.Positional {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", roff(p.Name), roff(help.Value(l, p)))
	}
	for _, f := range n.Flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		name := "--" + f.Name
		if !f.IsBool() {
			name += "=" + f.FormatPlaceHolder()
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(name), roff(help.Value(l, f.Value)))
	}
	for _, child := range n.Children {
		writeCommand(b, l, path+" "+child.Name, child)
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
