package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Run(e env) error {
	script := bashCompletion(e.model)
	switch c.Shell {
	case "zsh":
		script = "#compdef quiniela\nautoload -U +X bashcompinit && bashcompinit\n" + script
	case "fish":
		script = fishCompletion(e.model)
	}
	_, err := fmt.Fprint(e.stdout, script)
	return err
}

// visit calls f with every command, and the words that lead to it.
func visit(n *kong.Node, path string, f func(path string, n *kong.Node)) {
	f(path, n)
	for _, child := range n.Children {
		visit(child, strings.TrimSpace(path+" "+child.Name), f)
	}
}

// words are what may follow a command: its commands and its flags.
func words(n *kong.Node) (all []string) {
	for _, child := range n.Children {
		all = append(all, child.Name)
	}
	for _, f := range n.Flags {
		all = append(all, "--"+f.Name)
	}
	for _, p := range n.Positional {
		all = append(all, values(p)...)
	}
	return append(all, "--help")
}

// values are the only ones that a flag or an argument takes, where there is such a list.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return strings.Split(v.Enum, ",")
}

// bashCompletion completes by the words before: those without a dash lead to the command.
func bashCompletion(model *kong.Application) string {
	var b strings.Builder
	b.WriteString(`_quiniela() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path= next word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		next="${path:+$path }$word"
		case "$next" in
`)
	var paths, cases, choices []string
	visit(model.Node, "", func(path string, n *kong.Node) {
		if path != "" {
			paths = append(paths, `"`+path+`"`)
		}
		cases = append(cases, fmt.Sprintf("\t%q) words=%q ;;\n", path, strings.Join(words(n), " ")))
		for _, f := range n.Flags {
			if v := values(f.Value); len(v) > 0 {
				choices = append(choices, fmt.Sprintf("\t%q) words=%q ;;\n", path+" --"+f.Name, strings.Join(v, " ")))
			} else if !f.IsBool() {
				choices = append(choices, fmt.Sprintf("\t%q) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", path+" --"+f.Name))
			}
		}
	})
	b.WriteString("\t\t" + strings.Join(paths, "|") + ") path=$next ;;\n\t\tesac\n\tdone\n\tlocal words=\n\tcase \"$path\" in\n")
	b.WriteString(strings.Join(cases, ""))
	b.WriteString("\tesac\n\tcase \"$path $previous\" in\n")
	b.WriteString(strings.Join(choices, ""))
	b.WriteString(`	esac
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _quiniela quiniela
`)
	return b.String()
}

func fishCompletion(model *kong.Application) string {
	var b strings.Builder
	b.WriteString("complete -c quiniela -f\n")
	visit(model.Node, "", func(path string, n *kong.Node) {
		when := "__fish_use_subcommand"
		if path != "" {
			var seen []string
			for word := range strings.SplitSeq(path, " ") {
				seen = append(seen, "__fish_seen_subcommand_from "+word)
			}
			when = strings.Join(seen, "; and ")
		}
		for _, child := range n.Children {
			fmt.Fprintf(&b, "complete -c quiniela -n %s -a %s -d %s\n", quote(when), child.Name, quote(child.Help))
		}
		for _, f := range n.Flags {
			takes := ""
			switch v := values(f.Value); {
			case len(v) > 0:
				takes = " -x -a " + quote(strings.Join(v, " "))
			case !f.IsBool():
				takes = " -r -F"
			}
			fmt.Fprintf(&b, "complete -c quiniela -n %s -l %s%s -d %s\n", quote(when), f.Name, takes, quote(f.Help))
		}
		for _, p := range n.Positional {
			if v := values(p); len(v) > 0 {
				fmt.Fprintf(&b, "complete -c quiniela -n %s -a %s\n", quote(when), quote(strings.Join(v, " ")))
			}
		}
	})
	return b.String()
}

// quote quotes for fish.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
