// Package central assembles a lottery's central out of its parts: the journal, the ledger over it, the agencies' server, the
// page with its API, and the publisher of the public log. The server command, the demo and the tests run the same one. It
// holds the order in which the parts start and stop, and who owns each; what a part does is its own package's affair.
package central

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quiniela/internal/agencies"
	"quiniela/internal/certs"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/publish"
	"quiniela/internal/server"
)

// Options say what a central consists of. Dir and Server are needed; start from DefaultOptions.
type Options struct {
	Dir        string         // the data folder: the state, the keys, the registry of agencies, and a local journal
	Journal    JournalOptions // where the journal is
	QueueBytes int            // the most that waits for the disk; 0: the ledger's default
	Server     server.Options // Open sets Metrics, and Guard and TLS where they are nil
	TLS        TLS            // of the agencies' port; without a certificate it speaks plain TCP
	Seed       *ledger.Seed   // the draw that opens by itself in an empty journal; nil: none does
	Schedule   string         // file of the recurring draws that open by themselves, in place of Seed; "": none do
	PublicLog  *PublicLog     // nil: new draws are in no public log, and nothing is published
	Relays     []string       // of the beacon, asked in turn for the rounds that draws wait for; none: rounds are entered by hand
	Backups    *Backups       // nil: none are made by themselves
	Site       *Site          // nil: no page, no API, no operator's socket, no figures
	Now        func() time.Time
	Log        *slog.Logger
}

// TLS names the files of a server's certificate. They are read again when they change.
type TLS struct {
	Cert, Key string // PEM
	ClientCA  string // authority of the agencies' certificates, PEM; "" where agencies have none
}

// DefaultOptions returns the settings of a central in dir that has no page, no public log and no draw, logs nothing, and
// listens on a free port of this machine.
func DefaultOptions(dir string) Options {
	o := Options{Dir: dir, Server: server.DefaultOptions(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	o.Server.Address = "127.0.0.1:0"
	return o
}

// Central is a lottery's central.
//
// Its life has three parts. Open takes all that a central needs: folders, files, ports, keys. Nobody is answered meanwhile;
// the kernel holds who connects. Serve answers, and starts every goroutine of this package; it returns when all of them have
// ended. Close gives back what Open took, in the opposite order, the journal last.
//
// The parts have goroutines of their own: the ledger's committer and its draws, from ledger.Open to Ledger.Close; the
// server's sessions, within Server.Serve.
type Central struct {
	Ledger    *ledger.Ledger     // set by Open
	Journal   journal.Journal    // set by Open
	Publisher *publish.Publisher // set by Open; nil where nothing is published

	options   Options
	log       *slog.Logger
	onlookers int                  // connections of the page at once
	figures   *prometheus.Registry // nil without a site
	operators *operators.Guard     // nil without a site
	timetable *timetable           // nil without a schedule
	server    *server.Server
	site      *site
	backups   *backups // nil: none are made by themselves

	certificates []*certs.Files // in use
}

// Open opens a central. A start that fails decides nothing for the next one, which may have other settings. So what can fail
// comes first, and what cannot be taken back comes last: limits, the folder's rights, the registry, the certificates and the schedule; the
// journal and the ledger; the backups; the ports; the operators' registry; the folder of the public log, its key, and what is signed with it; and at the end
// the draws that open by themselves.
//
// After an error nothing is left open. ctx ends a start that takes long, with its error. It also bounds the life of a shared
// journal's connections, so it must last until Close: they end Server.Drain after it.
func Open(ctx context.Context, o Options) (*Central, error) {
	c := &Central{options: o, log: o.Log}
	if err := c.open(ctx); err != nil {
		_ = c.Close() // has logged what failed; the cause is err
		return nil, err
	}
	return c, nil
}

func (c *Central) open(ctx context.Context) error {
	if err := c.fitDescriptors(); err != nil {
		return err
	}
	if err := c.keepPrivate(); err != nil {
		return err
	}
	if err := c.admitAgencies(); err != nil {
		return err
	}
	if err := c.readSchedule(); err != nil {
		return err
	}
	if err := c.openLedger(ctx); err != nil {
		return err
	}
	if err := c.openBackups(); err != nil {
		return err
	}
	s, err := server.Listen(c.options.Server, c.Ledger, c.log)
	if err != nil {
		return err
	}
	c.server = s
	if err := c.openSite(); err != nil {
		return err
	}
	if err := c.openPublisher(ctx); err != nil {
		return err
	}
	if c.timetable != nil {
		return c.startSchedule(ctx)
	}
	return c.openSeed(ctx)
}

// admitAgencies reads the registry of agencies and the certificates.
func (c *Central) admitAgencies() (err error) {
	s := &c.options.Server
	if s.Guard == nil {
		if s.Guard, err = agencies.NewGuard(filepath.Join(c.options.Dir, agencies.FileName), c.log); err != nil {
			return err
		}
	}
	if s.Guard.Open() {
		c.log.Warn("agencies", "result", "success", "registered", 0,
			"access", "open: whoever reaches the port can bet for any agency; close it with `quiniela agency add`")
	}
	if c.options.TLS.Cert != "" && s.TLS == nil {
		s.TLS, err = c.certificate(c.options.TLS)
	}
	return err
}

// certificate reads the files of a certificate, whose expiry is a figure.
func (c *Central) certificate(t TLS) (*tls.Config, error) {
	f, err := certs.Open(t.Cert, t.Key, t.ClientCA, c.log)
	if err != nil {
		return nil, err
	}
	c.certificates = append(c.certificates, f)
	return f.Config(), nil
}

// openLedger opens the journal, and the ledger over it with its state in the data folder.
func (c *Central) openLedger(ctx context.Context) error {
	o := ledger.Options{
		Dir: c.options.Dir, QueueBytes: c.options.QueueBytes, Logger: c.log, Public: c.options.PublicLog != nil, Now: c.options.Now,
	}
	if c.options.Site != nil {
		c.figures = newFigures(c.options.Dir)
		o.Metrics, c.options.Server.Metrics = c.figures, c.figures
	}
	late := lateContext(ctx, c.options.Server.Drain)
	j, err := OpenJournal(late, c.options.Dir, c.options.Journal, c.log)
	if err != nil {
		return err
	}
	c.Journal = j
	if c.Ledger, err = ledger.Open(ctx, j, o); err != nil {
		return fmt.Errorf("open the data folder %s: %w", c.options.Dir, err)
	}
	return nil
}

// lateContext returns a context that ends grace after ctx, so that requests in hand can be finished once ctx has ended.
func lateContext(ctx context.Context, grace time.Duration) context.Context {
	late, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, end) })
	return late
}

// openSeed opens the draw that opens by itself, or checks that the settings are still those it was opened with.
func (c *Central) openSeed(ctx context.Context) error {
	if c.options.Seed == nil {
		return nil
	}
	if err := c.Ledger.OpenSeed(ctx, c.options.Seed); err != nil {
		return fmt.Errorf("the data folder %s: %w", c.options.Dir, err)
	}
	return nil
}

// Addr returns the address that agencies are served on.
func (c *Central) Addr() net.Addr { return c.server.Addr() }

// PageAddr returns the address that the page is served on; nil where there is none.
func (c *Central) PageAddr() net.Addr {
	if c.site == nil || c.site.page == nil {
		return nil
	}
	return c.site.page.Addr()
}

// Serve serves the agencies, and whoever watches, until ctx ends or the ledger fails; then it lets the requests in hand finish
// and returns nil, or why the ledger failed. It is called once.
//
// The agencies stop first. The page says from the end of ctx on that the server is going down, and answers until they have.
// A backup that is being made is given up then. The publisher goes on last, so that it publishes what the last agency was told.
func (c *Central) Serve(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var workers sync.WaitGroup
	if c.Publisher != nil {
		workers.Go(func() { c.Publisher.Run(background) })
	}
	if len(c.options.Relays) > 0 {
		workers.Go(func() { c.fetchRounds(background) })
	}
	workers.Go(func() { c.recordChanges(background) })
	if c.timetable != nil {
		workers.Go(func() { c.timetable.keep(background) })
	}
	serving, ended := context.WithCancel(ctx) // also when the ledger fails
	defer ended()
	if c.backups != nil {
		workers.Go(func() { c.backups.run(serving) })
	}
	c.site.serve(ctx)
	err := c.server.Serve(ctx)
	ended()
	err = errors.Join(err, c.site.close())
	stop()
	workers.Wait()
	return err
}

// Close closes the ports, the ledger and the journal, with a line of the log for the last two. It is called once, after Serve
// has returned, or without Serve. Where the ledger has failed its error is that failure again.
func (c *Central) Close() (err error) {
	if c.server != nil {
		err = c.server.Close()
	}
	err = errors.Join(err, c.site.close())
	if c.Ledger != nil {
		err = errors.Join(err, c.closeLogged("ledger", c.Ledger))
	}
	if c.Journal != nil {
		err = errors.Join(err, c.closeLogged("journal", c.Journal))
	}
	return err
}

func (c *Central) closeLogged(what string, part io.Closer) error {
	if err := part.Close(); err != nil {
		c.log.Error("close_"+what, "result", "fail", "error", err)
		return err
	}
	c.log.Info("close_"+what, "result", "success")
	return nil
}
