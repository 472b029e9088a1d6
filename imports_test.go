package quiniela_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// may lists what each package that a stranger runs or imports may import of this module, and why. A package of the root's
// folders that is not here may import nothing of it. Of other modules, see never.
var may = map[string]map[string]string{
	"quiniela":      {},
	"quiniela/tlog": {},
	"quiniela/receipt": {
		"quiniela":      "numbers, agencies and bet lines",
		"quiniela/tlog": "hashes, proofs and verified checkpoints",
	},
	"quiniela/receipt/link": {
		"quiniela/receipt": "the receipts that it puts into an address",
	},
	"quiniela/draw": {
		"quiniela": "a source yields numbers of the lottery",
	},
	"quiniela/verify": {
		"quiniela":         "numbers and sources",
		"quiniela/draw":    "a beacon's numbers are derived again",
		"quiniela/receipt": "the documents that it checks",
		"quiniela/tlog":    "whose checkpoints count, and the proofs",
	},
	"quiniela/verify/wasm": {}, // as go list sees it here: the program for the browser has a test of its own
	"quiniela/verify/verifytest": {
		"quiniela":         "for tests: a small lottery in memory",
		"quiniela/draw":    "likewise",
		"quiniela/receipt": "likewise",
		"quiniela/tlog":    "likewise",
	},
	"quiniela/witness": {
		"quiniela/tlog":             "the log that it witnesses; it knows no lottery",
		"quiniela/internal/durable": "its key and its memory must survive a power loss, and nobody else may use them meanwhile",
	},
	"quiniela/audit": {
		"quiniela":         "numbers and agencies",
		"quiniela/draw":    "a beacon's numbers are derived again",
		"quiniela/receipt": "the formats of what is published",
		"quiniela/tlog":    "the log's formats; the tree is audit's own",
		"quiniela/verify":  "a published outcome is checked as a bettor checks it",
	},
}

// never are parts of import paths that a package depends on neither directly nor through others.
var never = map[string][]string{
	"quiniela":              {"."}, // the standard library alone: paths of other modules begin with a domain
	"quiniela/tlog":         {databases, metrics, lottery},
	"quiniela/witness":      {databases, metrics, lottery},
	"quiniela/receipt":      {databases, metrics, internals},
	"quiniela/receipt/link": {databases, metrics, internals},
	"quiniela/draw":         {databases, metrics, internals},
	"quiniela/verify":       {databases, metrics, internals},
	"quiniela/audit":        {databases, metrics, internals},

	"quiniela/cmd/quiniela-verify": {databases, metrics},
}

// verifier lists what the program for strangers depends on of what is the operator's, and why.
var verifier = map[string]string{
	"quiniela/internal/checks":  "the commands, which quiniela has as well",
	"quiniela/internal/console": "what programs write, and how they end",
	"quiniela/internal/logline": "the log of a witness",
	"quiniela/internal/durable": "its key and its memory",
	"quiniela/internal/help":    "what --help prints",
	"quiniela/internal/lang":    "the same in Spanish",
}

const (
	databases = "pebble pgx"
	metrics   = "prometheus"
	internals = "quiniela/internal"
	lottery   = "quiniela quiniela/receipt quiniela/draw quiniela/verify quiniela/internal/ledger quiniela/internal/journal"
)

// onlyIn lists packages of other modules that are for a few packages to adapt, with those packages.
var onlyIn = map[string][]string{
	"github.com/jackc/pgx/v5":          {"quiniela/internal/journal/postgres", "quiniela/internal/journal/postgres/pgtest"},
	"github.com/cockroachdb/pebble/v2": {"quiniela/internal/store", "quiniela/internal/journal/local", "quiniela/internal/ledger"},
	"github.com/alecthomas/kong":       {"quiniela/cmd/quiniela", "quiniela/cmd/quiniela-verify", "quiniela/internal/help"},
	"github.com/cloudflare/circl":      {"quiniela/draw"},
	"github.com/piglig/go-qr":          {"quiniela/internal/qr"},
}

// aPackage is what `go list -json` says of a package.
type aPackage struct {
	ImportPath, Dir, Doc               string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, Deps                      []string
}

// packages returns the packages of this module by their paths.
func packages(t *testing.T) map[string]aPackage {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return all
}

var list = sync.OnceValues(func() (map[string]aPackage, error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,Deps", "./...").Output()
	if err != nil {
		return nil, err
	}
	all := map[string]aPackage{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p aPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
})

// The folders of the root are for strangers: they import what DESIGN.md draws, and no more.
func TestImportsAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	all := packages(t)
	for path, imports := range may {
		for imported := range imports {
			if !slices.Contains(all[path].Imports, imported) {
				t.Errorf("the table lets %s import %s, which it does not", path, imported)
			}
		}
	}
	for path, p := range all {
		if operators(path) {
			continue
		}
		for _, imported := range p.Imports {
			if !ours(imported) {
				continue
			}
			if _, ok := may[path][imported]; !ok {
				t.Errorf("%s imports %s: strangers run it, so give the reason in the table", path, imported)
			}
		}
	}
}

func ours(path string) bool { return path == "quiniela" || strings.HasPrefix(path, "quiniela/") }

// operators reports whether a package is the operator's, or a command or test that may import anything of this module.
func operators(path string) bool {
	return strings.HasPrefix(path, "quiniela/internal/") || strings.HasPrefix(path, "quiniela/cmd/") || path == "quiniela/integration"
}

// A database in a witness, or a metric in a verifier, would come in through another package as well.
func TestStrangersNeedNoDatabase(t *testing.T) {
	t.Parallel()
	all := packages(t)
	for path, lists := range never {
		for _, dep := range all[path].Deps {
			for _, bad := range strings.Fields(strings.Join(lists, " ")) {
				if forbidden(dep, bad) {
					t.Errorf("%s depends on %s", path, dep)
				}
			}
		}
	}
}

// Whoever reads the program for strangers need not read the server.
func TestTheVerifierHasNothingOfTheServer(t *testing.T) {
	t.Parallel()
	var deps []string
	for _, dep := range packages(t)["quiniela/cmd/quiniela-verify"].Deps {
		if strings.HasPrefix(dep, internals+"/") {
			deps = append(deps, dep)
		}
	}
	if want := slices.Sorted(maps.Keys(verifier)); !slices.Equal(slices.Sorted(slices.Values(deps)), want) {
		t.Errorf("it depends on %q, want %q", deps, want)
	}
}

// forbidden reports whether a dependency is what bad means: "." is every other module, a path of ours is that very package, or
// all below quiniela/internal, and anything else is a part of a path.
func forbidden(dep, bad string) bool {
	first, _, _ := strings.Cut(dep, "/")
	switch {
	case bad == ".":
		return strings.Contains(first, ".")
	case bad == internals:
		return strings.HasPrefix(dep, internals+"/")
	case ours(bad):
		return dep == bad
	}
	return strings.Contains(first, ".") && slices.Contains(strings.Split(dep, "/"), bad)
}

// Another module's package is adapted in one place.
func TestModulesAreImportedWhereTheyAreAdapted(t *testing.T) {
	t.Parallel()
	for path, p := range packages(t) {
		for _, imported := range p.Imports {
			for module, where := range onlyIn {
				if (imported == module || strings.HasPrefix(imported, module+"/")) && !slices.Contains(where, path) && !vfs(imported) {
					t.Errorf("%s imports %s, which is for %q", path, imported, where)
				}
			}
		}
	}
}

// vfs is Pebble's file system, which stands for the operating system's in the ledger's and its users' options.
func vfs(path string) bool { return path == "github.com/cockroachdb/pebble/v2/vfs" }

func TestEveryPackageHasAComment(t *testing.T) {
	t.Parallel()
	for path, p := range packages(t) {
		if p.Doc == "" && !testsOnlyWithComment(t, p) {
			t.Errorf("%s has no package comment", path)
		}
	}
}

// testsOnlyWithComment reports whether a package has test files alone, and a comment in one of them.
func testsOnlyWithComment(t *testing.T, p aPackage) bool {
	t.Helper()
	if len(p.GoFiles) > 0 {
		return false
	}
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil {
			return true
		}
	}
	return false
}

// mostFolders is how many folders the repository shows first: so many names are read at a glance.
const mostFolders = 16

func TestTheRootHasFewFolders(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skipf("no repository here: %v", err)
	}
	var folders []string
	for name := range strings.Lines(string(out)) {
		folder, _, below := strings.Cut(name, "/")
		if below && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	if len(folders) > mostFolders {
		t.Errorf("%d folders, over %d: %q", len(folders), mostFolders, folders)
	}
}
