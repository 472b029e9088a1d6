package quiniela_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A deferred function tells of a failed Close only by a named result. Where it assigns a variable that hides the result, or
// another local one, nobody sees the error, and a file that was not written whole is taken for whole.
func TestNoErrorOfClosingIsLost(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		lost, err := lostErrors(path, nil)
		for _, at := range lost {
			t.Errorf("%s: a deferred function assigns an error that nobody reads: assign the function's named result", at)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestLostErrorsAreFound(t *testing.T) {
	const source = `package p

func hidden(path string) (err error) {
	if path != "" {
		f, err := open(path)
		if err != nil {
			return err
		}
		defer func() { err = join(err, f.Close()) }() // lost
	}
	return nil
}

func unnamed() error {
	f, err := open("x")
	defer func() { err = join(err, f.Close()) }() // lost
	return err
}

func literal() error {
	return do(func() (n int, err error) {
		f, err := open("x")
		defer func() { err = join(err, f.Close()) }()
		if err := use(f); err != nil {
			defer func() { err = f.Close() }() // lost
			return 0, err
		}
		return 1, err
	})
}

func kept() (err error) {
	f, err := open("x")
	closed := false
	defer func() { closed = true; err = join(err, f.Close()) }()
	defer func() {
		err := use(f)
		if err == nil {
			err = f.Close()
		}
		log(err, closed)
	}()
	return use(f)
}
`
	var want []string
	for i, line := range strings.Split(source, "\n") {
		if strings.HasSuffix(line, "// lost") {
			want = append(want, fmt.Sprintf("p.go:%d", i+1))
		}
	}
	got, err := lostErrors("p.go", source)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("found %v, want %v (%v)", got, want, err)
	}
}

// lostErrors returns where deferred functions of a file assign errors that are lost. source is nil for what the file has.
func lostErrors(path string, source any) (lost []string, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	// Which declaration a local name means is known without the packages that are imported.
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Error: func(error) {}}
	_, _ = config.Check("p", set, []*ast.File{file}, info)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			for _, at := range lostIn(info, f.Type, f.Body) {
				p := set.Position(at)
				lost = append(lost, fmt.Sprintf("%s:%d", p.Filename, p.Line))
			}
		}
	}
	return lost, nil
}

// lostIn looks at a function, and at those that are written in it.
func lostIn(info *types.Info, typ *ast.FuncType, body *ast.BlockStmt) (lost []token.Pos) {
	results := map[types.Object]bool{}
	if typ.Results != nil {
		for _, field := range typ.Results.List {
			for _, name := range field.Names {
				results[info.Defs[name]] = true
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			lost = append(lost, lostIn(info, n.Type, n.Body)...)
			return false
		case *ast.DeferStmt:
			if deferred, ok := n.Call.Fun.(*ast.FuncLit); ok {
				lost = append(lost, assigned(info, deferred, results)...)
			}
		}
		return true
	})
	return lost
}

// assigned returns where a deferred function assigns an error that is neither a result of the function around it nor a
// variable of its own.
func assigned(info *types.Info, deferred *ast.FuncLit, results map[types.Object]bool) (lost []token.Pos) {
	ast.Inspect(deferred.Body, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN {
			return true
		}
		for _, left := range assign.Lhs {
			name, ok := left.(*ast.Ident)
			if !ok || !strings.Contains(strings.ToLower(name.Name), "err") {
				continue
			}
			v := info.Uses[name]
			if v != nil && !results[v] && (v.Pos() < deferred.Pos() || v.Pos() > deferred.End()) {
				lost = append(lost, assign.Pos())
			}
		}
		return true
	})
	return lost
}
