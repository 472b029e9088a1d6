//go:build unix

package integration

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// documents are those whose shell blocks are run, as a reader types them in a fresh clone.
var documents = []struct {
	path string
	each bool // every block works alone in a clone; otherwise they follow each other in one terminal
}{
	{"README.md", true},
	{"README.es.md", true},
	{"docs/OPERATIONS.md", false},
	{"docs/QUINIELA.md", true},
	{"docs/QUINIELA.es.md", true},
}

// block is a fenced block of shell commands. A comment before the fence says what its commands need:
//
//	<!-- needs: docker -->       Docker with compose v2
//	<!-- needs: root -->         root; it changes a copy of the system, which is thrown away
//	<!-- not run: REASON -->     no test can run it: its syntax is checked, and that the files it names exist
type block struct {
	line   int // of its first command, from 1
	text   string
	needs  string
	notRun string
}

var fence = regexp.MustCompile("(?m)^(?:<!-- (needs|not run): (.*) -->\n\n?)?```sh\n((?s:.*?))^```$")

// blocks returns the shell blocks of a document.
func blocks(t *testing.T, text string) []block {
	t.Helper()
	var all []block
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		b := block{line: 1 + strings.Count(text[:m[6]], "\n"), text: text[m[6]:m[7]]}
		if m[2] >= 0 {
			kind, what := text[m[2]:m[3]], text[m[4]:m[5]]
			switch {
			case kind == "not run":
				b.notRun = what
			case what == "docker" || what == "root":
				b.needs = what
			default:
				t.Fatalf("line %d: the block needs %q; docker and root are known", b.line, what)
			}
		}
		all = append(all, b)
	}
	if want := strings.Count(text, "```sh\n"); len(all) != want || want == 0 {
		t.Fatalf("found %d of %d shell blocks", len(all), want)
	}
	return all
}

// Every shell block of the README, in both languages, and of the runbook goes through as the document has it.
func TestTheDocumentsShellBlocksRun(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not with -short")
	}
	if err := touchSources(); err != nil {
		t.Fatal(err)
	}
	// The two READMEs differ in their comments only. What differs in more is run.
	comment, ran := regexp.MustCompile(`(?m)(^|\s+)#.*$`), map[string]string{}
	for _, d := range documents {
		t.Run(d.path, func(t *testing.T) {
			all := blocks(t, readFile(t, filepath.Join("..", d.path)))
			if !d.each {
				runBlocks(t, all)
				return
			}
			for _, b := range all {
				t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
					commands := comment.ReplaceAllString(b.text, "")
					if where := ran[commands]; where != "" {
						t.Logf("the same commands, without their comments, ran in %s", where)
						return
					}
					runBlocks(t, []block{b})
					ran[commands] = d.path
				})
			}
		})
	}
}

// runBlocks types blocks into one shell in a fresh clone.
func runBlocks(t *testing.T, all []block) {
	t.Helper()
	system := false // whether a block changes the system
	var script strings.Builder
	script.WriteString("set -e\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait || true' EXIT\n")
	for _, b := range all {
		switch {
		case b.notRun != "":
			wantPlausible(t, b)
			continue
		case b.needs == "docker":
			needDocker(t)
		case b.needs == "root" && !canOverlay():
			t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
				t.Skip("this block changes the system, which takes root and an overlay file system to throw away")
			})
			continue
		case b.needs == "root":
			system = true
		}
		fmt.Fprintf(&script, "echo '== line %d'\n%s", b.line, b.text)
	}
	if !strings.Contains(script.String(), "== line") {
		return
	}
	clone := freshClone(t)
	runShell(t, clone, script.String(), system)
	if left, err := command(t, in(clone), "git", "status", "--porcelain"); err != nil || left != "" {
		t.Errorf("git does not ignore what the commands left behind (%v):\n%s", err, left)
	}
}

// runShell runs a script. Where this process is root, the script has a network of its own, so that the ports it names are
// free, and it runs without root's rights, or, if it is to change the system, on an overlay of the file system.
func runShell(t *testing.T, dir, script string, system bool) {
	t.Helper()
	args := []string{"bash", "-c", script}
	switch {
	case system:
		args = append([]string{"unshare", "--net", "--mount", "bash", "-c", overlay, "overlay"}, args...)
	case os.Geteuid() == 0 && works("unshare", "--net", "unshare", "--user", "--map-user=1000", "ip", "link"):
		const user = `ip link set lo up && exec unshare --user --map-user=1000 --map-group=1000 "$@"`
		args = append([]string{"unshare", "--net", "bash", "-c", user, "user"}, args...)
	}
	// Images are built in it. At the end of that time all that it started is killed.
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v, after the last of these lines:\n%s", err, out[max(0, len(out)-6000):])
	}
}

// overlay runs "$@" on a copy of the file system whose changes are in memory. The folders that are worth keeping are themselves.
const overlay = `set -e
ip link set lo up
top=$(mktemp -d)
mount -t tmpfs none "$top"
mkdir "$top/changes" "$top/work" "$top/root"
mount -t overlay -o "lowerdir=/,upperdir=$top/changes,workdir=$top/work" none "$top/root"
for kept in /proc /dev /sys "$PWD" "$(go env GOROOT)" "$(go env GOCACHE)" "$(go env GOMODCACHE)"; do
	mkdir -p "$top/root$kept"
	mount --rbind "$kept" "$top/root$kept"
done
exec chroot "$top/root" bash -c 'cd "$0" && exec "$@"' "$PWD" "$@"`

// canOverlay reports whether this process may change an overlay of the system.
var canOverlay = sync.OnceValue(func() bool {
	return os.Geteuid() == 0 && works("unshare", "--net", "--mount", "bash", "-c", overlay, "overlay", "true")
})

func works(args ...string) bool { return exec.Command(args[0], args[1:]...).Run() == nil }

// in makes a command run in a folder.
func in(dir string) func(*exec.Cmd) { return func(cmd *exec.Cmd) { cmd.Dir = dir } }

// wantPlausible checks of a block that cannot be run what can be checked.
func wantPlausible(t *testing.T, b block) {
	t.Helper()
	if out, err := exec.Command("bash", "-n", "-c", b.text).CombinedOutput(); err != nil {
		t.Errorf("line %d: %v\n%s", b.line, err, out)
	}
	for _, path := range regexp.MustCompile(`(?m)(?:^|\s)((?:\./)?(?:cmd|deploy|docs|server|client)/\S+)`).FindAllStringSubmatch(b.text, -1) {
		if _, err := os.Stat(filepath.Join("..", path[1])); err != nil {
			t.Errorf("line %d: %v", b.line, err)
		}
	}
}

// freshClone returns a repository with what is in this one, committed or not, and nothing that git ignores. It has the same path each
// time, so that Go's build cache serves it, and belongs to one test at a time.
func freshClone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "quiniela-documents")
	lockFile(t, dir+".lock")
	list, err := command(t, in(".."), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Skipf("this test clones the repository, which this folder is not: %v: %s", err, lastLine(list))
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		copyTo(t, filepath.Join("..", name), filepath.Join(dir, name))
	}
	const commit = "git init -q && git add -A && git -c user.name=test -c user.email=test@example.com commit -qm test"
	if out, err := command(t, in(dir), "sh", "-c", commit); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// copyTo copies a file with its mode. One that was deleted and not committed is left out.
func copyTo(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(from)
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, info.Mode())); err != nil {
		t.Fatal(err)
	}
}

// written are folders that the program writes, not folders of the repository.
var written = []string{"bin", "data", ".data", "dist", "tls", "public", "journal", "state", "draws", "tile", "receipts", "backups"}

// Whatever looks like a file, a folder or a test of the repository, in back quotes or as a link, is one.
func TestTheDocumentsNameFilesThatExist(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	names, tests := namesOf(t)
	path := regexp.MustCompile("`((?:[\\w.-]+/)+[\\w.-]*|[\\w-]+\\.(?:go|md|sh|yaml|txtar|svg|png))`")
	test := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)\\w+)`")
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, document := range append(documents, "../README.md", "../README.es.md", "../CHANGELOG.md") {
		text := readFile(t, document)
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			first, _, inFolder := strings.Cut(strings.TrimPrefix(m[1], "./"), "/")
			if !inFolder && names[first] || inFolder && slices.Contains(written, first) {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names %s: %v", document, m[1], err)
			}
		}
		for _, m := range test.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which is no test", document, m[1])
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), m[1])); err != nil {
				t.Errorf("%s has a link to %s: %v", document, m[1], err)
			}
		}
	}
}

// namesOf returns the name of every file in the repository, without its folder, and the name of every test function.
func namesOf(t *testing.T) (files, tests map[string]bool) {
	t.Helper()
	files, tests = map[string]bool{}, map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		files[d.Name()] = true
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, m := range function.FindAllStringSubmatch(readFile(t, path), -1) {
			tests[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, tests
}
