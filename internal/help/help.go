// Package help makes the help of the commands: their texts in the reader's language, each value's default and variable, and an example
// for each command. It adapts kong, which parses command lines, and knows no command but by its name.
package help

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"quiniela/internal/lang"
)

// Options make a parser show its help in a language. Each command has the example of its path, such as "draw open", which is what follows
// the path on a command line. It may have several lines, each an example.
func Options(l lang.Language, examples map[string]string) []kong.Option {
	return []kong.Option{
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.ValueFormatter(func(v *kong.Value) string { return Value(l, v) }),
		kong.Help(func(o kong.HelpOptions, ctx *kong.Context) error { return show(l, o, ctx) }),
		kong.PostBuild(func(k *kong.Kong) error {
			prepare(l, k.Model.Name, k.Model.Node, examples)
			return nil
		}),
	}
}

// prepare puts what a reader sees into a command and those below it.
func prepare(l lang.Language, program string, n *kong.Node, examples map[string]string) {
	n.Help = l.Text(n.Help)
	path := strings.TrimPrefix(n.FullPath(), program+" ")
	if example, ok := examples[path]; ok {
		n.Detail = l.Text("Example:") + "\n"
		for line := range strings.SplitSeq(example, "\n") {
			n.Detail += "\n    " + strings.TrimSpace(program+" "+path+" "+line)
		}
	}
	if n.DefaultCmd != nil {
		n.Detail = fmt.Sprintf(l.Text("Without a command it is: %s"), n.DefaultCmd.FullPath())
	}
	for _, p := range n.Positional {
		p.Help = l.Text(p.Help)
	}
	for _, f := range n.Flags {
		f.Help = l.Text(f.Help)
		if f.Group != nil {
			f.Group.Title = l.Text(f.Group.Title)
		}
		if f.PlaceHolder == "" && !f.IsBool() {
			f.PlaceHolder = placeholder(f.Value)
		}
	}
	for _, child := range n.Children {
		prepare(l, program, child, examples)
	}
}

// placeholder names the kind of a flag's value. Without it kong shows the default, which stands in the text.
func placeholder(v *kong.Value) string {
	typ := v.Target.Type()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	switch {
	case v.Enum != "":
		return strings.Join(v.EnumSlice(), "|")
	case typ == reflect.TypeFor[time.Duration]():
		return "TIME"
	case typ.Kind() >= reflect.Int && typ.Kind() <= reflect.Uint64:
		return "N"
	}
	return "TEXT"
}

// Value returns the help of a flag or an argument, with its default and its environment variables.
func Value(l lang.Language, v *kong.Value) string {
	var more []string
	if v.HasDefault && v.Default != "" && v.Default != "false" {
		more = append(more, fmt.Sprintf(l.Text("default %s"), v.Default))
	}
	if v.Flag != nil && len(v.Flag.Envs) > 0 {
		more = append(more, fmt.Sprintf(l.Text("variable %s"), strings.Join(v.Flag.Envs, ", ")))
	}
	if len(more) == 0 {
		return v.Help
	}
	return strings.TrimSpace(v.Help + " (" + strings.Join(more, "; ") + ")")
}

// headings are the words that kong itself writes, each at the beginning of a line.
var headings = []string{"Usage: ", "Arguments:", "Flags:", "Commands:"}

// show prints the help as kong does, without those flags of the program itself that are for no command, and with kong's words in the
// language.
func show(l lang.Language, o kong.HelpOptions, ctx *kong.Context) error {
	for _, f := range ctx.Model.Flags {
		f.Hidden = f.Hidden || ctx.Selected() != nil && f != ctx.Model.HelpFlag
	}
	var text bytes.Buffer
	to := *ctx.Kong
	to.Stdout = &text
	in := *ctx
	in.Kong = &to
	if err := kong.DefaultHelpPrinter(o, &in); err != nil {
		return err
	}
	lines := strings.SplitAfter(text.String(), "\n")
	for i, line := range lines {
		for _, english := range headings {
			if rest, ok := strings.CutPrefix(line, english); ok {
				rest = strings.NewReplacer("<command>", l.Text("<command>"), "[flags]", l.Text("[flags]")).Replace(rest)
				lines[i] = l.Text(english) + rest
			}
		}
		if strings.HasPrefix(line, `Run "`) {
			lines[i] = fmt.Sprintf(l.Text("Run \"%s <command> --help\" for more information on a command."), ctx.Model.Name) + "\n"
		}
	}
	_, err := io.WriteString(ctx.Stdout, strings.Join(lines, ""))
	return err
}
