package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"quiniela/internal/backup"
	"quiniela/internal/central"
	"quiniela/internal/fsck"
	"quiniela/internal/web"
)

type rehearseCommand struct {
	Backup string `arg:"" help:"Folder of the backup. It stays as it is."`
	Temp   string `help:"Folder to restore in, with room for the backup; empty is the system's for temporary files." placeholder:"DIR"`
}

// rehearsal is one try of a backup.
type rehearsal struct {
	e       env
	backup  string
	data    string // the restored data folder
	made    *backup.Manifest
	holds   *fsck.Report // what the restored journal holds, by the code of fsck
	wrong   int          // differences that were told
	address net.Addr     // of the server on it
}

func (c *rehearseCommand) Run(e env) (err error) {
	began := time.Now()
	made, err := backup.ReadManifest(c.Backup)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(c.Temp, "quiniela-rehearsal-") // for its owner alone
	if err != nil {
		return fmt.Errorf("make a folder to restore in: %w; name another place with --temp", err)
	}
	defer func() { err = errors.Join(err, removed(work)) }()
	r := &rehearsal{e: e, backup: c.Backup, data: filepath.Join(work, "data"), made: made}
	if err := r.run(); err != nil {
		if e.ctx.Err() != nil {
			return errors.New("the rehearsal was interrupted, and what it had restored is removed; nothing is known of the backup")
		}
		return err
	}
	if r.wrong > 0 {
		return fmt.Errorf("%s: a server on it does not say what its journal says, in %d places: keep it, rehearse the one before, and report this with the lines above", c.Backup, r.wrong)
	}
	_, err = printf(e.stdout, "\nThe backup can be restored. This took %s, and what was restored here is removed again.\n", time.Since(began).Round(10*time.Millisecond))
	return err
}

// removed removes the folder of a rehearsal, which has who bet in it.
func removed(work string) error {
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("remove what the rehearsal restored, which has bettors' names: %w; delete %s", err, work)
	}
	return nil
}

func (r *rehearsal) run() error {
	r.row("backup", "%s, made %s", r.backup, stamp(&r.made.Made))
	if err := r.restore(); err != nil {
		return err
	}
	return r.serve()
}

// row prints a line of the report.
func (r *rehearsal) row(name, format string, args ...any) {
	_, _ = printf(r.e.stdout, "%-11s "+format+"\n", append([]any{name}, args...)...)
}

// restore restores the backup, which checks its files, each entry of its journal and the newest checkpoint.
func (r *rehearsal) restore() (err error) {
	shown := newProgress(r.e.stderr)
	r.holds, err = backup.Restore(r.e.ctx, r.backup, r.data, nil, shown.add("check", "entries", int64(r.made.Last)).entries)
	shown.end()
	if err != nil {
		return fmt.Errorf("%w; keep it, and rehearse the backup before it", err)
	}
	r.row("files", "%d, each as it was written", len(r.made.SHA256))
	r.row("journal", "%s entries with %s bets in %s batches: nothing is wrong",
		humanize.Comma(int64(r.holds.Entries)), humanize.Comma(int64(r.holds.Bets)), humanize.Comma(int64(r.holds.Batches)))
	if r.made.Log > 0 {
		r.row("public log", "the journal gives the %s entries of the newest signed checkpoint", humanize.Comma(r.made.Log))
	} else {
		r.row("public log", "nothing was signed yet")
	}
	return nil
}

// serve starts a server on the restored folder, for this machine alone and on a free port, asks it as an agency and as its operator, and
// stops it. It has no page, publishes nothing and asks no beacon, and its clock stands still at the time of the backup, so that no
// closing time comes.
func (r *rehearsal) serve() error {
	o := central.DefaultOptions(r.data)
	o.Site = &central.Site{} // the operator's socket
	o.Server.Connections = 100
	o.Now = func() time.Time { return r.made.Made }
	l, err := central.Open(r.e.ctx, o)
	if err != nil {
		return fmt.Errorf("start a server on what was restored: %w", err)
	}
	ctx, stop := context.WithCancel(r.e.ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	r.address = l.Addr()
	err = r.ask()
	stop()
	return errors.Join(err, <-served, l.Close())
}

// ask compares what the server says with what the journal holds.
func (r *rehearsal) ask() error {
	conn, err := net.DialTimeout("tcp", r.address.String(), mostWait)
	if err != nil {
		return fmt.Errorf("the server on the restored folder does not answer: %w", err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(mostWait)) // the reads tell
	if err := greet(conn); err != nil {
		return err
	}
	r.row("server", "it starts on the restored folder and answers agencies, here at %s", r.address)
	a, err := adminFlags{Data: r.data}.open()
	if err != nil {
		return err
	}
	draws, err := all[web.Draw](r.e, a, "/api/v1/draws", "draws")
	if err != nil {
		return err
	}
	if len(draws) != len(r.holds.Draws) {
		r.differs("the server", "draws", uint64(len(draws)), uint64(len(r.holds.Draws)))
	}
	for i := range min(len(draws), len(r.holds.Draws)) {
		if err := a.complete(draws[i]); err != nil {
			return err
		}
		r.compare(draws[i], r.holds.Draws[i])
	}
	switch {
	case len(draws) == 0:
		r.row("draws", "none yet")
	case r.wrong == 0:
		r.row("draws", "%d, each with the bets, the number and the winners of the journal", len(draws))
	}
	return r.list(draws)
}

// mostWait is how long the server has for its first answer.
const mostWait = 10 * time.Second

// compare compares a draw of the server with the same one as fsck counted it.
func (r *rehearsal) compare(d web.Draw, want fsck.Draw) {
	what := "draw " + want.ID
	if d.ID != want.ID || d.State != want.State && !r.wentOn(d.State, want) {
		r.tellWrong("%s: the server says draw %s, %s; the journal says %s, %s", what, d.ID, d.State, want.ID, want.State)
	}
	r.differs(what, "batches", d.Batches, want.Batches)
	r.differs(what, "bets", d.Bets, want.Bets)
	r.differs(what, "cents that are staked", d.Staked, want.Staked)
	if d.Number != nil && want.Number != nil {
		r.differs(what, "its number", uint64(*d.Number), uint64(*want.Number))
	}
	if want.State == "drawn" || want.State == "forgotten" {
		if d.Number == nil || want.Number == nil || d.Winners == nil {
			r.tellWrong("%s: it has a result in the journal, and the server gives none", what)
			return
		}
		r.differs(what, "winners", *d.Winners, want.Winners)
		var paid web.Payout // none in the specification's game
		if d.Payout != nil {
			paid = *d.Payout
		}
		r.differs(what, "cents that are due", paid.Due, want.Due)
		r.differs(what, "cents that are paid", paid.Paid, want.Paid)
	}
}

// wentOn reports whether a draw may be in a later state at a server than in the backup: the server goes on with what was due at that moment.
func (r *rehearsal) wentOn(state string, want fsck.Draw) bool {
	switch want.State {
	case "forgotten":
		return state == "drawn" // the API's word for both
	case "sealed":
		return state == "drawn" && want.Number != nil
	case "open":
		due := !want.Closes.IsZero() && !r.made.Made.Before(want.Closes)
		return due && (state == "sealed" || state == "drawn" && want.Number != nil)
	}
	return false
}

// differs tells a difference of two counts, where there is one.
func (r *rehearsal) differs(what, unit string, got, want uint64) {
	if got != want {
		r.tellWrong("%s: %s: %d, and it should be %d", what, unit, got, want)
	}
}

func (r *rehearsal) tellWrong(format string, args ...any) {
	r.wrong++
	r.row("DIFFERENT", format, args...)
}

// list prints the draws as the server gives them.
func (r *rehearsal) list(draws []web.Draw) error {
	if len(draws) == 0 {
		return nil
	}
	w := table(r.e, "\nDRAW\tSTATE\tBETS\tNUMBER\tWINNERS")
	for _, d := range draws {
		number, winners := "-", "-"
		if d.Number != nil {
			number = fmt.Sprintf("%04d", *d.Number)
		}
		if d.Winners != nil {
			winners = humanize.Comma(int64(*d.Winners))
		}
		_, _ = printf(w, "%s\t%s\t%s\t%s\t%s\n", d.ID, d.State, humanize.Comma(int64(d.Bets)), number, winners)
	}
	return w.Flush()
}
