// Package client is the agency's side: it checks the agency's file of bets, sends it in batches, and asks for the winners.
// After a lost connection, or in a later run, it goes on from where the central says. It reports a bet as sent only when the central has
// acknowledged it. All that it writes to disk is the operator's signed proofs of what it has sent, from which it makes receipts. Flags and exit codes are not its affair.
package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/wire"
)

// Options says what an agency sends, and where. Start from DefaultOptions.
type Options struct {
	Agency       quiniela.Agency
	Address      string         // host:port of the central, or several with commas: servers of one central, tried in turn
	TLS          *tls.Config    // nil: plain TCP
	Draw         string         // the draw's name; empty: the current draw
	Token        string         // shows that the agency is itself; empty where the server asks for none, or for a certificate
	TokenInClear bool           // send the token without TLS; otherwise that is ErrInClear, unless the server is on this machine
	MaskDNI      bool           // hide documents in the log, but for their last three digits
	File         string         // the agency's bets, CSV
	BatchBets    int            // the most bets in a batch, which is never over 8192 bytes either
	Plain        bool           // the specification's own form: a connection per unnumbered batch, no login, and no way to resume
	Lines        bool           // with Plain: the form of the specification's exercise 6, whose requests are bet lines alone
	SkipBadLines bool           // send the good lines of a file that has bad ones
	AllowEmpty   bool           // the file may have no bet; otherwise that is an error
	Window       int            // the most batches of a session that are unanswered at once, from 1
	Timeout      time.Duration  // the longest that the server may stay unreachable; 0: no limit
	Tries        int            // how often to ask for the winners, a second apart; 0: wait for the draw, without limit
	Proofs       string         // file for the operator's proofs of all batches, from which receipts are made; empty: they are not asked for
	Winners      string         // file for the agency's winning bets, rows of its own file; empty: it is not written
	LogKey       string         // the log's verifier key, whose signature the proofs must have; empty: it is not checked, and the log says so
	Progress     func(Progress) // may be nil
}

// Progress says how far an agency is. Options.Progress is called from the goroutine of Run: once when a stage begins, then
// at most every 50 ms.
type Progress struct {
	Stage string    // check; connect, while the server is not there or refuses for now; connected; send; wait, for the draw; or done
	Since time.Time // when the stage began; of wait: when the agency had finished
	Bets  int       // checked so far, or stored
	Total int       // in the file; 0 where it is not known
	Cause error     // of connect: why it is tried again
}

// Report is what came of a run.
type Report struct {
	Bets      int       // acknowledged, those of earlier runs included
	Batches   int       // likewise
	Skipped   []BadLine // the first 1000 of them
	Documents []string  // the winners, in the order of their bets
}

// DefaultOptions returns the settings that hold when nothing else is configured.
func DefaultOptions() Options {
	return Options{Address: "localhost:12345", BatchBets: 150, Window: 16, Timeout: time.Minute}
}

// ErrInterrupted is wrapped by the error of a run that was asked to stop before all was done.
var ErrInterrupted = errors.New("interrupted")

// Run sends an agency's file, says that the agency has finished, and waits for the winners. When ctx ends it closes
// everything: what was acknowledged stays stored, and the next Run goes on from there. The error is then an ErrInterrupted,
// unless the agency has finished: in that case only the winners are left to ask for, and Run returns nil.
func Run(ctx context.Context, c Options, log *slog.Logger) (Report, error) {
	a := newAgency(ctx, c, log)
	err := a.refused(a.run())
	interrupted := ctx.Err() != nil && (errors.Is(err, ctx.Err()) || lost(err))
	if interrupted {
		err = a.interrupted()
	}
	return a.report, err
}

// interrupted says what was acknowledged, and whether a further run goes on from there.
func (a *agency) interrupted() error {
	done := fmt.Sprintf("%d batches with %d bets of agency %d are acknowledged", a.report.Batches, a.report.Bets, a.Agency)
	switch {
	case a.finished:
		a.log.Warn("wait", "result", "in_progress", "error", "interrupted before the draw; "+done+", which is all: run it again to ask for the winners")
		return nil
	case a.file == nil:
		return fmt.Errorf("%w while the file was checked: nothing was sent; run it again", ErrInterrupted)
	case a.Plain:
		return fmt.Errorf("%w: %s, and one more batch may be stored; another run would send all of them again, as a plain client cannot "+
			"ask what is stored", ErrInterrupted, done)
	case !a.resumed:
		return fmt.Errorf("%w before the server said what it has of agency %d: nothing was sent; run it again", ErrInterrupted, a.Agency)
	}
	return fmt.Errorf("%w: %s; run it again with the same file, and it goes on after what is stored", ErrInterrupted, done)
}

// agency is one run. It belongs to one goroutine.
type agency struct {
	Options
	log      *slog.Logger
	ctx      context.Context // the run's; its end makes every wait, read and write end
	backoff  *backoff
	file     *checked
	game     *quiniela.Terms // of the draw, once the server has said it; nil: the specification's
	reader   *bufio.Reader   // of a connection with one request: exchange's, for one after the other
	total    int             // see Progress
	resumed  bool            // the server has said what is stored, and report says so
	finished bool            // the server has acknowledged that the agency has finished
	report   Report
	toldAt   time.Time // when Progress was called last
	told     Progress  // what it was called with
	waiting  time.Time // since when the agency waits for the draw
}

func newAgency(ctx context.Context, c Options, log *slog.Logger) *agency {
	return &agency{Options: c, log: log, ctx: ctx, backoff: newBackoff(), reader: bufio.NewReader(nil)}
}

func (a *agency) run() error {
	if err := a.guardToken(strings.Split(a.Address, ",")...); err != nil {
		return err
	}
	if err := a.tryFiles(); err != nil {
		return err
	}
	f, err := openChecked(a.ctx, a.File, a.SkipBadLines, a.AllowEmpty, func(bets int) { a.progress("check", bets) })
	if err != nil {
		return err
	}
	defer func() { a.closed("file", f.Close(), "name", f.Name()) }()
	a.file, a.total = f, f.bets
	a.skips()
	send := a.sendSession
	if a.Plain {
		send = a.sendPlain
	}
	if err := send(); err != nil {
		return err
	}
	if a.Plain && a.Lines {
		a.log.Info("apuesta_enviada", "result", "success", "cantidad", a.report.Bets) // this form has no winners
	} else {
		a.log.Info("consulta_ganadores", "result", "success", "cant_ganadores", len(a.report.Documents))
	}
	a.progress("done", a.report.Bets)
	return nil
}

// skips reports the bad lines that are left out, and logs those that it has not logged before.
func (a *agency) skips() {
	for _, bad := range a.file.bad {
		if !slices.Contains(a.report.Skipped, bad) {
			a.log.Warn("skip_line", "result", "success", "line", bad.Line, "reason", bad.Field)
		}
	}
	a.report.Skipped = a.file.bad
}

// play takes a draw's game and its terms from the reply to hello, and checks the file against them before anything is sent.
func (a *agency) play(resume wire.Resume) error {
	a.game = resume.Game
	if a.finished {
		return nil // it was checked, and sent
	}
	if err := a.file.under(a.ctx, a.Draw, a.game); err != nil {
		return err
	}
	a.total = a.file.bets
	a.skips()
	return nil
}

const progressEvery = 50 * time.Millisecond

// progress tells how far the agency is.
func (a *agency) progress(stage string, bets int) {
	now := time.Now()
	p := Progress{Stage: stage, Since: now, Bets: bets}
	if stage == "wait" {
		if a.waiting.IsZero() {
			a.waiting = now
		}
		p.Since = a.waiting
	}
	a.tell(p)
}

// stalled tells that the server is not there, or refuses for now.
func (a *agency) stalled(cause error) {
	a.tell(Progress{Stage: "connect", Since: time.Now(), Bets: a.report.Bets, Cause: cause})
}

// tell calls Progress when the stage is new or the last call was long enough ago.
func (a *agency) tell(p Progress) {
	if a.Progress == nil {
		return
	}
	now := time.Now()
	if p.Stage == a.told.Stage {
		if now.Sub(a.toldAt) < progressEvery {
			return
		}
		p.Since = a.told.Since
	}
	p.Total = a.total
	a.told, a.toldAt = p, now
	a.Progress(p)
}

// closed logs that something was closed. What was closed before, by the end of the context, is no failure.
func (a *agency) closed(what string, err error, args ...any) {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		a.log.Warn("close_"+what, append([]any{"result", "fail", "error", err}, args...)...)
		return
	}
	level := slog.LevelDebug
	if a.ctx.Err() != nil {
		level = slog.LevelInfo // the specification wants a line for each resource when the client is asked to stop
	}
	a.log.Log(context.Background(), level, "close_"+what, append([]any{"result", "success"}, args...)...)
}
