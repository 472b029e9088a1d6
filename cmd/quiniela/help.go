package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// start is what a person reads who types quiniela alone.
const start = `quiniela is the central system of a lottery: it stores the bets of its agencies
exactly once, draws the number, and lets anybody check it.

To begin with:
  quiniela demo                          run a whole lottery here and now
  quiniela server                        run the central
  quiniela client --id 1                 send an agency's file and wait for its winners
  quiniela draw list                     show the draws of the running server
  quiniela verify RECEIPT --log LOG      check a bettor's receipt

For the rest:
  quiniela help                          all commands
  quiniela help draw open                a command's flags, their defaults, an example
`

// errNoCommand is the error of a command line without a command, such as quiniela or quiniela draw. It has been answered with help, and is
// an error all the same, as it is in git and go: a script that has lost a word must notice.
var errNoCommand = usageError{errors.New("no command")}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command, such as draw open; none: all commands."`
}

func (c *helpCommand) Run(e env) error {
	if find(e.model.Node, c.Command) == nil {
		return usageError{fmt.Errorf("there is no command %q; see: quiniela help", strings.Join(c.Command, " "))}
	}
	return dispatch(e, append(c.Command, "--help"))
}

// find returns the command to which words lead from another, or nil.
func find(n *kong.Node, words []string) *kong.Node {
	for _, word := range words {
		i := slices.IndexFunc(n.Children, func(child *kong.Node) bool { return child.Name == word })
		if i < 0 {
			return nil
		}
		n = n.Children[i]
	}
	return n
}

// lacksCommand reports whether a command line ends where a command has to follow.
func lacksCommand(model *kong.Application, args []string) bool {
	n := find(model.Node, args)
	return n != nil && len(n.Children) > 0 && n.DefaultCmd == nil
}
