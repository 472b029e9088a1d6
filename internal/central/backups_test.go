package central_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela/internal/backup"
	"quiniela/internal/central"
	"quiniela/internal/logline"
)

// keeper is a central that makes backups by itself, with a clock that the test sets.
type keeper struct {
	t       *testing.T
	options central.Options
	place   string

	mu  sync.Mutex // protects what follows
	now time.Time
	log bytes.Buffer
}

func newKeeper(t *testing.T) *keeper {
	k := &keeper{t: t, options: central.DefaultOptions(t.TempDir()), place: t.TempDir()}
	k.options.Backups = &central.Backups{Dir: k.place, At: 4 * time.Hour, Keep: 2}
	k.options.Site = &central.Site{Admin: "127.0.0.1:0"}
	k.options.Now = func() time.Time {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.now
	}
	k.options.Log = slog.New(logline.New(k, slog.LevelInfo))
	return k
}

// Write implements io.Writer for the log.
func (k *keeper) Write(line []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.log.Write(line)
}

// at sets the clock, which is three hours behind UTC.
func (k *keeper) at(day, hour, minute int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = time.Date(2026, 11, day, hour, minute, 0, 0, time.FixedZone("-03", -3*60*60))
}

// serve runs the central until the function that it returns is called.
func (k *keeper) serve() (stop func()) {
	k.t.Helper()
	c, err := central.Open(k.t.Context(), k.options)
	if err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-served, c.Close()); err != nil {
			k.t.Error(err)
		}
	})
}

// await waits for a line of the log, and returns it.
func (k *keeper) await(pattern string) []string {
	k.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		k.mu.Lock()
		log := k.log.String()
		k.mu.Unlock()
		if m := regexp.MustCompile("(?m)" + pattern).FindStringSubmatch(log); m != nil {
			return m
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("no line of the log is %s:\n%s", pattern, log)
		}
	}
}

// wants checks the names in the folder for backups, and that each is whole.
func (k *keeper) wants(names ...string) {
	k.t.Helper()
	entries, err := os.ReadDir(k.place)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
		if _, bad := backup.Verify(k.t.Context(), filepath.Join(k.place, e.Name())); bad != nil {
			err = errors.Join(err, bad)
		}
	}
	if err != nil || !cmp.Equal(got, names) {
		k.t.Errorf("the backups are %q, %v; want %q", got, err, names)
	}
}

// figure returns what the central says of one of its figures.
func (k *keeper) figure(name string) string {
	k.t.Helper()
	answer, err := http.Get(k.await(`metrics: (http://\S+)`)[1])
	if err != nil {
		k.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		k.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(string(text))
	if m == nil {
		k.t.Fatalf("no figure %s", name)
	}
	return m[1]
}

// The first start makes a backup at once, and each day has one, whatever is started again. Old ones go. A place that is not there
// is an error of the log and of the figures, and the backup is made once the place is there again.
func TestBackupsByThemselves(t *testing.T) {
	k := newKeeper(t)
	k.at(24, 15, 0)
	stop := k.serve()
	k.await(`action: backup \| result: success \| dir: .*/auto-2026-11-24T180000Z \| .*removed: 0 \| next: 2026-11-25T04:00:00-03:00`)
	stop()
	k.at(25, 3, 59)
	stop = k.serve() // has one since yesterday at four
	k.await(`action: backups \| result: success .*at: 04:00 \| keep: 2 \| there: 1 \| next: 2026-11-25T04:00:00-03:00`)
	k.wants("auto-2026-11-24T180000Z")
	k.at(25, 4, 1)
	k.await(`dir: .*/auto-2026-11-25T070100Z`)
	k.wants("auto-2026-11-24T180000Z", "auto-2026-11-25T070100Z")
	stop()
	k.at(26, 8, 0) // was down at four
	stop = k.serve()
	defer func() { stop() }()
	k.await(`dir: .*/auto-2026-11-26T110000Z \| .*removed: 1`)
	k.wants("auto-2026-11-25T070100Z", "auto-2026-11-26T110000Z")

	k.mu.Lock()
	k.log.Reset() // the metrics' address below is the running one's
	k.mu.Unlock()
	stop()
	stop = k.serve()
	if got := k.figure("quiniela_backups"); got != "2" {
		t.Errorf("%s backups are there, want 2", got)
	}
	away := k.place + ".away"
	if err := os.Rename(k.place, away); err != nil {
		t.Fatal(err)
	}
	k.at(27, 4, 0)
	k.await(`ERROR +action: backup \| result: fail \| .*is not there: make it, or mount its disk \| again: 2026-11-27T04:10:00-03:00`)
	if failed, failures := k.figure("quiniela_backup_failed"), k.figure("quiniela_backup_failures_total"); failed != "1" || failures != "1" {
		t.Errorf("failed %s, failures %s; want 1 and 1", failed, failures)
	}
	if got, want := k.figure("quiniela_backup_last_success_timestamp_seconds"), "1.7956908e+09"; got != want { // 2026-11-26T11:00:00Z
		t.Errorf("the newest was made at %s, want %s", got, want)
	}
	if err := os.Rename(away, k.place); err != nil {
		t.Fatal(err)
	}
	k.at(27, 4, 10)
	k.await(`dir: .*/auto-2026-11-27T071000Z \| .*removed: 1`)
	if failed := k.figure("quiniela_backup_failed"); failed != "0" {
		t.Errorf("failed %s, want 0", failed)
	}
	k.wants("auto-2026-11-26T110000Z", "auto-2026-11-27T071000Z")
}

// A backup that was made while the clock was years ahead keeps none from being made afterwards.
func TestAClockThatWasAhead(t *testing.T) {
	k := newKeeper(t)
	k.at(24+30*365, 15, 0)
	stop := k.serve()
	k.await(`action: backup \| result: success \| dir: .*/auto-2056-`)
	k.at(24, 15, 0)
	k.await(`action: backup \| result: success \| dir: .*/auto-2026-11-24T180000Z`)
	stop()
	defer k.serve()()
	k.await(`action: backups .*there: 2 \| next: 2026-11-25T04:00:00-03:00`)
}

// A backup takes no room from the bets.
func TestNoBackupOnADiskThatIsNearlyFull(t *testing.T) {
	k := newKeeper(t)
	k.options.Journal.Reserve = 1 << 50
	k.at(24, 15, 0)
	stop := k.serve()
	defer stop()
	k.await(`ERROR +action: backup \| result: fail \| .* has .* free, and a backup is made where 1.0 PiB are: make room, or name a folder on another disk with SERVER_BACKUP_DIR`)
	k.wants()
}

// Backups in the data folder would be lost with it, and in public/ would be published.
func TestBackupsAreOutsideOfTheDataFolder(t *testing.T) {
	o := central.DefaultOptions(t.TempDir())
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(o.Dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{o.Dir, filepath.Join(o.Dir, "public"), link} {
		o.Backups = &central.Backups{Dir: dir, Keep: 1}
		if _, err := central.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "is in the data folder, and is lost with it") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
