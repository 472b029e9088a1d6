package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"quiniela/internal/lang"
)

func TestEveryCommandFlagAndArgumentHasASpanishText(t *testing.T) {
	var visit func(n *kong.Node)
	want := func(where, english string) {
		if english != "" && !lang.Has(english) {
			t.Errorf("%s has no Spanish in internal/lang: %q", where, english)
		}
	}
	visit = func(n *kong.Node) {
		want(n.FullPath(), n.Help)
		for _, p := range n.Positional {
			want(n.FullPath()+" "+p.Name, p.OrigHelp)
		}
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			want(n.FullPath()+" --"+f.Name, f.OrigHelp)
			if f.Group != nil {
				want(n.FullPath()+", its group of flags", f.Group.Title)
			}
		}
		for _, child := range n.Children {
			visit(child)
		}
	}
	visit(model(t).Model.Node)
}

// said returns the literal texts that the sources in some folders give to what translates them.
func said(t *testing.T, dirs ...string) (texts []string) {
	t.Helper()
	for _, dir := range dirs {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), dir+"/"+f.Name(), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			translates := []string{"say", "Text"}
			switch f.Name() {
			case "describe.go":
				translates = append(translates, "row")
			case "man.go":
				translates = append(translates, "section")
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && slices.Contains(translates, nameOf(call.Fun)) {
					for _, arg := range call.Args[:min(2, len(call.Args))] {
						texts = append(texts, literal(arg)...)
					}
				}
				return true
			})
		}
	}
	return texts
}

func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// literal returns the text of a literal, or of a sum of some.
func literal(e ast.Expr) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{text}
		}
	case *ast.BinaryExpr:
		if x, y := literal(e.X), literal(e.Y); len(x) == 1 && len(y) == 1 {
			return []string{x[0] + y[0]}
		}
	}
	return nil
}

func TestWhatIsSaidToAPersonHasASpanishText(t *testing.T) {
	texts := append(said(t, ".", "../../internal/help"), start, "open", "sealed", "drawn")
	texts = slices.AppendSeq(slices.AppendSeq(texts, maps.Values(states)), maps.Values(closers))
	for weekday := range 7 {
		texts = append(texts, weekdays[weekday])
	}
	if len(texts) < 60 {
		t.Errorf("only %d texts were found", len(texts))
	}
	verbs := regexp.MustCompile(`%[-+ 0]*[0-9]*[a-z]`)
	for _, text := range texts {
		if strings.Trim(verbs.ReplaceAllString(text, ""), " ") == "" {
			continue
		}
		if !lang.Has(text) {
			t.Errorf("no Spanish in internal/lang: %q", text)
		}
		want, got := verbs.FindAllString(text, -1), verbs.FindAllString(lang.Spanish.Text(text), -1)
		if !slices.Equal(want, got) {
			t.Errorf("%q has %v, and its Spanish %v", text, want, got)
		}
	}
}
