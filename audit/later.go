package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"quiniela/receipt"
	"quiniela/tlog"
)

// An honest log is not published all at once: a draw's files follow the checkpoint that has its entries, and entries wait
// for the draws that are open. An audit at such a moment must report that it is too early, not that something is wrong.

// ErrNoLog says that what was given is no published log.
var ErrNoLog = errors.New("there is no public log")

// overdue is how long the files of a draw may be on their way: a draw of a hundred million bets is written in minutes.
const overdue = time.Hour

// recent reports whether what follows from an entry of this time may still be on its way.
func (a *auditor) recent(us uint64) bool {
	at := micros(us)
	return at.After(a.Now.Add(-overdue)) && at.Before(a.Now.Add(tolerance))
}

// wait notes what is not published yet.
func (a *auditor) wait(format string, args ...any) {
	a.report.Pending = append(a.report.Pending, fmt.Sprintf(format, args...))
}

// isPage reports whether data is a web page, with which many servers answer whatever they are asked for.
func isPage(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) }

// elsewhere says where the log may be, when it is not where it was looked for.
func (a *auditor) elsewhere() error {
	for _, below := range []string{"log", "public", "data/public"} {
		signed, err := a.Source.Read(a.ctx, below+"/checkpoint")
		if err == nil && !isPage(signed) {
			return fmt.Errorf("%w here, but there is one below it: add %s/ to what you gave", ErrNoLog, below)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%w here: want the folder public of a server's data folder, or the URL that ends in /log/", ErrNoLog)
}

// grew notes whether the log has a newer checkpoint than when the audit began.
func (a *auditor) grew() error {
	signed, err := a.Source.Read(a.ctx, "checkpoint")
	if err != nil {
		return err
	}
	newest, err := a.policy.VerifyCheckpoint(signed)
	a.grown = err == nil && newest.Size > a.top.Size
	return nil
}

// follows compares a file of a draw with what it must have. It is published after the entry of the given time.
func (a *auditor) follows(d *drawn, file string, want []byte, us uint64) error {
	have, err := a.read(d.dir() + file)
	if err != nil {
		return err
	}
	a.files.Checked++
	switch {
	case have == nil && a.isEarly(d, us):
	case have == nil:
		a.files.finding("%s%s is missing", d.dir(), file)
	case !bytes.Equal(have, want):
		a.files.finding("%s%s is not what the log has", d.dir(), file)
	}
	return nil
}

// isEarly reports whether a draw's files that follow an entry of the given time may be missing, and notes that they are.
func (a *auditor) isEarly(d *drawn, us uint64) bool {
	early := !d.whole && a.recent(us)
	d.pending = d.pending || early
	return early
}

// maybeLater reports whether a file may belong to entries or draws that cannot be checked yet.
func (a *auditor) maybeLater(name string) bool {
	later := a.unknown > 0 || a.grown
	rest, ofDraw := strings.CutPrefix(name, "draws/")
	id, file, _ := strings.Cut(rest, "/")
	switch {
	case ofDraw && !a.ids[id]:
		return later || a.opensLater(id)
	case ofDraw:
		return a.unfinished(id, file, later)
	}
	t, err := tlog.ParseTilePath(name)
	if err != nil || (t.N*tlog.TileWidth+int64(t.W))<<(8*max(t.L, 0)) <= a.top.Size {
		return false
	}
	// Tiles are written before the checkpoint that speaks of them.
	if !a.grown {
		a.grown = true
		a.wait("%s is of entries that the checkpoint does not have yet", name)
	}
	return true
}

// opensLater reports whether a draw is published that the checkpoint does not have yet.
func (a *auditor) opensLater(id string) bool {
	entry, err := a.peek("draws/" + id + "/open")
	if err != nil {
		return false
	}
	o, err := receipt.ParseDrawOpen(entry)
	if err != nil || o.ID != id || o.Draw < a.next() {
		return false
	}
	if !a.early[id] {
		a.early[id] = true
		a.wait("draw %s has been opened, and the checkpoint does not have it yet", id)
	}
	return true
}

// unfinished reports whether a file of a draw that the log has may be of what the checkpoint does not have yet: files are published as soon
// as the ledger has what they are made of.
func (a *auditor) unfinished(id, file string, later bool) bool {
	for _, d := range a.draws {
		if d.open.ID != id {
			continue
		}
		if d.pending || later && d.result == nil {
			return true
		}
		name, _, _ := strings.Cut(file, "/")
		if d.result != nil || !slices.Contains([]string{"totals", "seal", "sealed.checkpoint", "sealed.unwitnessed", "beacon.json", "winners", "result", "batches", "outcome.json"}, name) {
			return false
		}
		if !a.early[id] {
			a.early[id] = true
			a.wait("%s%s is of what the checkpoint does not have yet", d.dir(), file)
		}
		return true
	}
	return false
}
