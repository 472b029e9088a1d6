package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// The scripts hold the whole tree of commands, so that a shell completes without running quiniela, also where the program has
// been moved or is not installed.

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Run(e env) error {
	commands := completedCommands(e.model.Node, "")
	var script string
	switch c.Shell {
	case "bash":
		script = bashCompletion(commands)
	case "zsh":
		script = zshCompletion(commands)
	case "fish":
		script = fishCompletion(commands)
	}
	_, err := fmt.Fprint(e.stdout, script)
	return err
}

// completedCommand is a command, and what may follow it.
type completedCommand struct {
	path     string // the words that lead to it, such as "draw open"; empty for quiniela itself
	children []*kong.Node
	flags    []*kong.Flag // those of its default command included, such as send's for client
	values   []string     // of its arguments, where only some are allowed
}

// completedCommands returns a command and all commands below it.
func completedCommands(n *kong.Node, path string) []completedCommand {
	c := completedCommand{path: path, children: n.Children, flags: n.Flags}
	if n.DefaultCmd != nil {
		c.flags = append(c.flags[:len(c.flags):len(c.flags)], n.DefaultCmd.Flags...)
	}
	for _, p := range n.Positional {
		c.values = append(c.values, allowed(p)...)
	}
	if path == "help" {
		for _, other := range n.Parent.Children {
			c.values = append(c.values, other.Name)
		}
	}
	all := []completedCommand{c}
	for _, child := range n.Children {
		all = append(all, completedCommands(child, strings.TrimSpace(path+" "+child.Name))...)
	}
	return all
}

// allowed returns the values that a flag or an argument takes; nil if it takes any.
func allowed(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

// words are what may follow a command.
func (c completedCommand) words() (all []string) {
	for _, child := range c.children {
		all = append(all, child.Name)
	}
	for _, f := range c.flags {
		all = append(all, "--"+f.Name)
	}
	all = append(all, c.values...)
	if c.path != "" {
		all = append(all, "--help") // quiniela itself has it among its flags
	}
	return all
}

// The loop follows the words before the cursor to the command, and past the values of its flags. bash has made a word of each
// '=' between a flag and its value. Where nothing is offered, -o default completes names of files.
const bashTemplate = `_quiniela() {
	local current="${COMP_WORDS[COMP_CWORD]}" path= flag= words= i word next
	if [ "$current" = "=" ]; then current=; fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		word="${COMP_WORDS[i]}"
		if [ "$word" = "=" ]; then continue; fi
		if [ -n "$flag" ]; then flag=; continue; fi
		next="${path:+$path }$word"
		case "$next" in
		{commands}) path=$next ;;
		{flags}) flag=$next ;;
		esac
	done
	if [ -n "$flag" ]; then
		case "$flag" in
{values}		esac
	else
		case "$path" in
{words}		esac
	fi
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _quiniela quiniela
`

func bashCompletion(commands []completedCommand) string {
	var paths, flags []string
	var words, values strings.Builder
	for _, c := range commands {
		if c.path != "" {
			paths = append(paths, `"`+c.path+`"`)
		}
		fmt.Fprintf(&words, "\t\t%q) words=%q ;;\n", c.path, strings.Join(c.words(), " "))
		for _, f := range c.flags {
			if f.IsBool() {
				continue
			}
			name := fmt.Sprintf("%q", strings.TrimSpace(c.path+" --"+f.Name))
			flags = append(flags, name)
			if v := allowed(f.Value); v != nil {
				fmt.Fprintf(&values, "\t\t%s) words=%q ;;\n", name, strings.Join(v, " "))
			}
		}
	}
	return strings.NewReplacer(
		"{commands}", strings.Join(paths, "|"), "{flags}", strings.Join(flags, "|"), "{values}", values.String(), "{words}", words.String(),
	).Replace(bashTemplate)
}

// zshCompletion is the script of bash, which zsh can run. The last line is for a script in a folder of $fpath: zsh runs it as the
// function _quiniela when it completes for the first time.
func zshCompletion(commands []completedCommand) string {
	return "#compdef quiniela\nautoload -U +X bashcompinit && bashcompinit\n" + bashCompletion(commands) +
		`if [ "$funcstack[1]" = _quiniela ]; then _bash_complete -o default -F _quiniela; fi` + "\n"
}

func fishCompletion(commands []completedCommand) string {
	var b strings.Builder
	b.WriteString("complete -c quiniela -f\n")
	for _, c := range commands {
		when := "__fish_use_subcommand"
		if c.path != "" {
			when = "__fish_seen_subcommand_from " + strings.ReplaceAll(c.path, " ", "; and __fish_seen_subcommand_from ")
		}
		if c.path != "" && len(c.children) > 0 {
			when += "; and not __fish_seen_subcommand_from"
			for _, child := range c.children {
				when += " " + child.Name
			}
		}
		offer := "complete -c quiniela -n " + fishQuote(when)
		for _, child := range c.children {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", offer, child.Name, fishQuote(child.Help))
		}
		for _, f := range c.flags {
			takes := ""
			if v := allowed(f.Value); v != nil {
				takes = " -x -a " + fishQuote(strings.Join(v, " "))
			} else if !f.IsBool() {
				takes = " -r -F"
			}
			fmt.Fprintf(&b, "%s -l %s%s -d %s\n", offer, f.Name, takes, fishQuote(f.Help))
		}
		if len(c.values) > 0 {
			fmt.Fprintf(&b, "%s -a %s\n", offer, fishQuote(strings.Join(c.values, " ")))
		}
	}
	return b.String()
}

func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
