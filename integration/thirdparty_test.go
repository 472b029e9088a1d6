//go:build unix

package integration

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// checker builds the log checker of github.com/transparency-dev/tessera, which has a module of its own so that the program
// needs none of what it needs.
func checker(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("not with -short")
	}
	path := filepath.Join(t.TempDir(), "fsck")
	build := exec.Command("go", "build", "-o", path, "github.com/transparency-dev/tessera/cmd/fsck")
	build.Dir = "thirdparty"
	if out, err := build.CombinedOutput(); err != nil {
		skipOrFail(t, "QUINIELA_REQUIRE_THIRDPARTY", "this test needs another project's checker, which cannot be built here: "+lastLine(string(out)))
	}
	return path
}

// accepts reports whether the checker accepts a published log. It exits with 0 also where it does not: what counts is that it
// says so within some seconds, as it goes on trying where a log is not in order.
func accepts(t *testing.T, checker, url, key string, size int, within string) bool {
	t.Helper()
	out, _ := exec.Command("timeout", within, checker, "--storage_url", url, "--public_key", key, "--ui=false").CombinedOutput()
	t.Logf("%s", tail(string(out)))
	return strings.Contains(string(out), "Successfully fsck'd log with size "+strconv.Itoa(size)+" ")
}

// Somebody else's program, which knows nothing of lotteries, reads the log from the web server and from the folder, finds
// all of it in order, and notices one changed bit.
func TestAThirdPartyAcceptsTheLog(t *testing.T) {
	t.Parallel()
	fsck := checker(t)
	l := &lab{t, t.TempDir()}
	l.launch("generate", "--agencies", "3", "--bets", "30000", "--out", ".data").wait()
	server, address := l.serve("--http-addr", "127.0.0.1:0", "--agencies", "3")
	page := server.await(`page: (\S+)`)
	var clients []*process
	for id := 1; id <= 3; id++ {
		clients = append(clients, l.launch("client", "--id", strconv.Itoa(id), "--server", address))
	}
	for _, c := range clients {
		c.wait()
	}
	const size = 1 + 3*200 + 2 // an opening, 200 batches of each, a seal and a result
	public := filepath.Join(l.dir, "data", "public")
	await(t, "outcome.json is written", func() bool {
		answer, err := http.Get(page + "log/draws/1/outcome.json")
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	await(t, "all entries are published", func() bool {
		_, err := os.Stat(filepath.Join(public, "tile/entries/002.p/"+strconv.Itoa(size%256)))
		return err == nil
	})
	key := filepath.Join(public, "log.vkey")
	if !accepts(t, fsck, page+"log/", key, size, "60") {
		t.Error("the log is not accepted over HTTP")
	}
	if !accepts(t, fsck, "file://"+public+"/", key, size, "60") {
		t.Error("the log is not accepted as a folder")
	}
	bundle := filepath.Join(public, "tile/entries/000")
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	data[500] ^= 1
	if err := os.WriteFile(bundle, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if accepts(t, fsck, "file://"+public+"/", key, size, "5") {
		t.Error("a changed entry is accepted: the checker cannot refuse")
	}
}
