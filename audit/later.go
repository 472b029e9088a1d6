package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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
	case have == nil && a.early(d, us):
	case have == nil:
		a.files.finding("%s%s is missing", d.dir(), file)
	case !bytes.Equal(have, want):
		a.files.finding("%s%s is not what the log has", d.dir(), file)
	}
	return nil
}

// early reports whether a draw's files that follow an entry of the given time may be missing, and notes that they are.
func (a *auditor) early(d *drawn, us uint64) bool {
	early := !d.whole && a.recent(us)
	d.pending = d.pending || early
	return early
}

// heldBack says why the log's last entries are not there.
func (a *auditor) heldBack() error {
	if a.held < 0 {
		return nil
	}
	why := fmt.Sprintf("the entries from %d to %d are held back until the draws that were open then are closed", a.held, a.top.Size-1)
	for _, c := range []*Check{a.entries, a.order, a.seals, a.numbers, a.bets, a.winners} {
		c.Not = why
	}
	if a.names == nil || a.anyOpen() {
		a.wait("%s", why)
		return nil
	}
	shown, err := a.mustShow()
	if err != nil {
		return err
	}
	if shown {
		a.files.finding("the entries from %d on are missing, and no draw is open that they would have to wait for", a.held)
		return nil
	}
	a.wait("%s; no such draw is published yet: it may have opened a moment ago", why)
	return nil
}

// anyOpen reports whether there is a draw that has been opened and not sealed.
func (a *auditor) anyOpen() bool {
	for name := range a.names {
		if dir, ok := strings.CutSuffix(name, "/open"); ok {
			if _, sealed := a.names[dir+"/seal"]; !sealed {
				return true
			}
		}
	}
	return false
}

// mustShow reports whether an entry that is held back was sealed long ago: with no draw open it has to be shown.
func (a *auditor) mustShow() (bool, error) {
	for name := range a.names {
		dir, ok := strings.CutSuffix(name, "/sealed.checkpoint")
		if !ok {
			continue
		}
		signed, err := a.read(name)
		if err != nil {
			return false, err
		}
		data, err := a.read(dir + "/seal")
		if err != nil {
			return false, err
		}
		opened, bad := a.policy.VerifyCheckpoint(signed)
		s, err := receipt.ParseSeal(data)
		if bad == nil && err == nil && opened.Size > a.held && !a.recent(s.Sealed) {
			return true, nil
		}
	}
	return false, nil
}

// maybeLater reports whether a file may belong to entries or draws that cannot be checked yet.
func (a *auditor) maybeLater(name string) bool {
	later := a.held >= 0 || a.grown
	rest, ofDraw := strings.CutPrefix(name, "draws/")
	id, _, _ := strings.Cut(rest, "/")
	switch {
	case ofDraw && later && !a.ids[id]:
		return true
	case ofDraw:
		return a.unfinished(id, later)
	case a.held >= 0 && strings.HasPrefix(name, "tile/entries/"):
		return true
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

// unfinished reports whether more may follow of a draw that the log has.
func (a *auditor) unfinished(id string, later bool) bool {
	for _, d := range a.draws {
		if d.open.ID == id {
			return d.pending || later && d.result == nil
		}
	}
	return false
}
