package central

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/dustin/go-humanize"
	"github.com/prometheus/client_golang/prometheus"

	"quiniela/internal/backup"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/web"
)

// Backups say where and when a central makes backups by itself. They need a local journal.
type Backups struct {
	Dir  string        // an existing folder, outside of the data folder
	At   time.Duration // the time of the day, since midnight in the zone of the central's clock
	Keep int           // how many are kept, at least 1
}

const (
	backupStep  = time.Second      // between two looks at the clock
	backupRetry = 10 * time.Minute // after a failure
)

// backups makes a backup each day. One that fails is tried again and again, and stops nothing else.
type backups struct {
	central *Central
	options Backups
	journal *local.Journal
	kept    backup.Kept

	mu       sync.Mutex    // protects what follows
	tried    time.Time     // when the last one was begun
	newest   time.Time     // when the newest backup was made that is there; zero: there is none
	count    int           // how many are there
	failed   bool          // the last one that was begun was not made
	failures int           // how often that was so since the start
	took     time.Duration // what the last one took that was made
}

// openBackups prepares the backups, if the settings want them. A place that takes none is no error here: the lottery runs without backups
// rather than not at all, and run says so.
func (c *Central) openBackups() error {
	o := c.options.Backups
	if o == nil {
		return nil
	}
	j, ok := c.Journal.(*local.Journal)
	if !ok {
		return errors.New("backups: the journal is not in the data folder: back up the database")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("backups: %w", err)
	}
	data, err := filepath.Abs(c.options.Dir)
	if err != nil {
		return fmt.Errorf("backups: %w", err)
	}
	if inside(data, dir) {
		return fmt.Errorf("backups: %s is in the data folder, and is lost with it: name a folder elsewhere, on another disk if you can", dir)
	}
	b := &backups{central: c, options: *o, journal: j, kept: backup.Kept{Data: data, Dir: dir}}
	if err := b.look(); err != nil {
		c.log.Warn("backup", "result", "fail", "error", err)
	}
	if c.figures != nil {
		c.figures.MustRegister(backupFigures{b})
	}
	c.backups = b
	next := b.next(c.options.Now())
	if now := c.options.Now(); next.Before(now) {
		next = now
	}
	c.log.Info("backups", "result", "success", "dir", dir, "at", clock(o.At), "keep", o.Keep, "there", b.count, "next", next.Format(time.RFC3339))
	return nil
}

// inside reports whether path is dir or below it, also by way of links.
func inside(dir, path string) bool {
	for _, resolve := range []func(string) (string, error){filepath.Abs, filepath.EvalSymlinks} {
		d, bad := resolve(dir)
		p, absent := resolve(path)
		if bad != nil || absent != nil {
			continue
		}
		if below, err := filepath.Rel(d, p); err == nil && below != ".." && !strings.HasPrefix(below, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// clock writes a time of the day as the settings have it.
func clock(at time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(at.Hours()), int(at.Minutes())%60)
}

// look sees which backups are there.
func (b *backups) look() error {
	own, err := b.kept.List()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count = len(own)
	if len(own) > 0 {
		b.newest = own[len(own)-1].Made
	}
	return err
}

// run makes the backups until ctx ends. One that is being made then is given up.
func (b *backups) run(ctx context.Context) {
	tick := time.NewTicker(backupStep)
	defer tick.Stop()
	for {
		if now := b.central.options.Now(); !now.Before(b.next(now)) {
			b.make(ctx, now)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// next returns when the next backup is due, which may have passed: the last time of the day, unless there is a backup since then. A
// server that was down at that time makes one at its start, and one that is restarted makes no second one.
func (b *backups) next(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.onDay(now, 0)
	if now.Before(last) {
		last = b.onDay(now, -1)
	}
	switch {
	case !b.newest.Before(last) && b.newest.Before(now.AddDate(0, 0, 1)): // one from further ahead was made under a wrong clock
		return b.onDay(last, 1)
	case b.failed:
		return b.tried.Add(backupRetry)
	}
	return last
}

// state is what the page shows of the backups.
func (b *backups) state(now time.Time) web.Backups {
	next := b.next(now)
	b.mu.Lock()
	defer b.mu.Unlock()
	return web.Backups{Newest: b.newest, Next: next, Count: b.count, Failed: b.failed}
}

// onDay returns the time of the day, some days after a time.
func (b *backups) onDay(t time.Time, days int) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d+days, int(b.options.At.Hours()), int(b.options.At.Minutes())%60, 0, 0, t.Location())
}

// make makes a backup, removes what is too old, and says how that went.
func (b *backups) make(ctx context.Context, now time.Time) {
	log, began := b.central.log, time.Now()
	path, last, err := b.add(ctx, now)
	if ctx.Err() != nil && err != nil {
		return // the server is going down; the next start makes it
	}
	again := b.noteTry(now, time.Since(began), err != nil)
	if err == nil || !again {
		b.record(path, err)
	}
	if err != nil {
		log.Error("backup", "result", "fail", "dir", path, "error", err, "again", b.next(now).Format(time.RFC3339))
		return
	}
	removed, err := b.kept.Prune(b.options.Keep)
	err = errors.Join(err, b.look())
	log.Info("backup", "result", "success", "dir", path, "last", last, "removed", len(removed), "next", b.next(now).Format(time.RFC3339))
	if err != nil {
		log.Warn("backup_prune", "result", "fail", "error", err)
	}
}

// noteTry notes how an attempt ended, and returns whether the one before had failed.
func (b *backups) noteTry(now time.Time, took time.Duration, failed bool) (again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	again, b.tried, b.failed = b.failed, now, failed
	if failed {
		b.failures++
		return again
	}
	b.newest, b.took = now, took
	return again
}

// record writes into the audit trail that a backup was made, or why not.
func (b *backups) record(path string, failed error) {
	a := journal.Act{What: journal.ActBackup, Who: "server:backup", About: path}
	if failed != nil {
		a.Failed = failed.Error()
	}
	if err := b.central.Ledger.Record(context.Background(), a); err != nil {
		b.central.log.Error("trail", "result", "fail", "act", a.What, "who", a.Who, "error", err)
	}
}

// add makes one backup. It leaves the lottery room on the disk: bets are refused where there is less than the reserve.
func (b *backups) add(ctx context.Context, now time.Time) (path string, last uint64, err error) {
	usage, err := vfs.Default.GetDiskUsage(b.kept.Dir)
	if need := b.journal.Size() + b.central.options.Journal.Reserve; err == nil && usage.AvailBytes < need {
		return b.kept.Dir, 0, fmt.Errorf("the disk of %s has %s free, and a backup is made where %s are: make room, or name a folder on another disk with SERVER_BACKUP_DIR",
			b.kept.Dir, humanize.IBytes(usage.AvailBytes), humanize.IBytes(need))
	}
	path, m, err := b.kept.Add(ctx, b.journal, now)
	if err != nil {
		return b.kept.Dir, 0, err
	}
	return path, m.Last, nil
}

// backupFigures are the figures of the backups.
type backupFigures struct{ b *backups }

func backupFigure(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("quiniela_backup"+name, help, nil, nil)
}

var (
	backupsFigure        = backupFigure("s", "Backups that the server made by itself and that are there.")
	backupNewestFigure   = backupFigure("_last_success_timestamp_seconds", "When the newest of them was made; 0 where there is none.")
	backupFailedFigure   = backupFigure("_failed", "1 if the last backup that was due was not made.")
	backupFailuresFigure = backupFigure("_failures_total", "Backups that were due and were not made, each attempt, since the start.")
	backupTookFigure     = backupFigure("_duration_seconds", "How long the last backup took that was made since the start.")
	backupFreeFigure     = backupFigure("_disk_free_bytes", "Bytes free on the disk of the backups.")
)

// Describe implements prometheus.Collector.
func (f backupFigures) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{backupsFigure, backupNewestFigure, backupFailedFigure, backupFailuresFigure, backupTookFigure, backupFreeFigure} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (f backupFigures) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	if usage, err := vfs.Default.GetDiskUsage(f.b.kept.Dir); err == nil {
		gauge(backupFreeFigure, float64(usage.AvailBytes))
	}
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	newest, failed := 0.0, 0.0
	if !f.b.newest.IsZero() {
		newest = float64(f.b.newest.Unix())
	}
	if f.b.failed {
		failed = 1
	}
	gauge(backupsFigure, float64(f.b.count))
	gauge(backupNewestFigure, newest)
	gauge(backupFailedFigure, failed)
	gauge(backupTookFigure, f.b.took.Seconds())
	c <- prometheus.MustNewConstMetric(backupFailuresFigure, prometheus.CounterValue, float64(f.b.failures))
}
