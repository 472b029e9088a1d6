package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sync/errgroup"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/agencies"
	"quiniela/internal/central"
	"quiniela/internal/client"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/publish"
	"quiniela/internal/sample"
	"quiniela/receipt"
	"quiniela/verify"
)

type demoCommand struct {
	Agencies int    `help:"How many agencies." default:"5"`
	Bets     int    `help:"Bets of each." default:"20000"`
	Data     string `help:"Folder with agency-1.csv and so on to send, in place of made-up bets." placeholder:"DIR"`
	Seed     uint64 `help:"Of the made-up bets." default:"1"`
	Number   int    `help:"Winning number, 0 to 9999." name:"winner-number" default:"7574"`
	Verbose  bool   `help:"Show the server's log."`
}

func (c *demoCommand) Run(e env) (err error) {
	if c.Agencies < 1 || c.Bets < 0 || c.Number < 0 || c.Number > int(quiniela.MaxNumber) {
		return usageError{errors.New("want at least one agency, no negative number of bets, and a winning number 0 to 9999")}
	}
	work, err := os.MkdirTemp("", "quiniela-demo-")
	if err != nil {
		return fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	files, err := c.files(work)
	if err != nil {
		return err
	}
	d := demo{env: e, number: quiniela.Number(c.Number), files: files, log: slog.New(slog.DiscardHandler)}
	if c.Verbose {
		handler := logline.New(e.stderr, slog.LevelInfo)
		defer func() { err = errors.Join(err, handler.Close()) }()
		d.log = slog.New(handler)
	}
	return d.run(filepath.Join(work, "data"))
}

// files returns the agencies' files, agency 1's first.
func (c *demoCommand) files(work string) ([]string, error) {
	if c.Data == "" {
		return sample.Files(filepath.Join(work, "agencies"), c.Agencies, c.Bets, c.Seed, func(int) {})
	}
	var files []string
	for {
		path := filepath.Join(c.Data, sample.Name(len(files)+1))
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) && len(files) > 0 {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the folder %s has no agency files: %w; `quiniela generate --out %s` makes some", c.Data, err, c.Data)
		}
		files = append(files, path)
	}
}

// demo is a run of the whole lottery in one process, over real sockets and a real disk.
type demo struct {
	env
	number   quiniela.Number
	files    []string
	log      *slog.Logger
	tokens   []string // of the agencies, agency 1's first
	reports  []client.Report
	receipts [][]byte      // of agency 1's bets
	proofs   string        // the file of agency 1's proofs
	outcome  []byte        // the draw's, as it is published
	key      []byte        // the published log's
	sent     time.Duration // until the last agency had every bet acknowledged
}

func (d *demo) run(dir string) error {
	d.proofs = filepath.Join(dir, "agency-1.proofs")
	if err := d.register(filepath.Join(dir, agencies.FileName)); err != nil {
		return err
	}
	o := central.DefaultOptions(dir)
	o.PublicLog = &central.PublicLog{Interval: 50 * time.Millisecond} // at most: a demo is short
	o.Seed = &ledger.Seed{ID: "1", Agencies: uint32(len(d.files)), Rule: draw.FixedNumber(d.number)}
	o.Log = d.log
	l, err := central.Open(d.ctx, o)
	if err != nil {
		return err
	}
	d.printf("A central on %s, and %d agencies sending their bets to it.\n\n", l.Addr(), len(d.files))
	ctx, stop := context.WithCancel(d.ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	began := time.Now()
	err = d.agencies(ctx, l.Addr().String())
	total := time.Since(began)
	if err == nil && ctx.Err() == nil {
		err = d.makeReceipts(ctx, filepath.Join(dir, publish.FolderName))
	}
	stop()
	if err = errors.Join(err, <-served, l.Close()); err != nil {
		return err
	}
	if d.ctx.Err() != nil {
		return errors.New("the demo was interrupted before the draw")
	}
	if err := d.tell(total); err != nil {
		return err
	}
	if err := d.checkReceipts(); err != nil {
		return err
	}
	d.printf("Next: `quiniela server` and `quiniela client --id 1` run it for real; see README.md.\n")
	return nil
}

// register registers the agencies. They show their tokens: only so can they have proofs.
func (d *demo) register(path string) error {
	return agencies.Change(path, func(r *agencies.Registry) error {
		for i := range d.files {
			token, err := r.Add(quiniela.Agency(i+1), "", "", time.Now())
			if err != nil {
				return err
			}
			d.tokens = append(d.tokens, token)
		}
		return nil
	})
}

// agency returns the options of the ith agency's client, from 0.
func (d *demo) agency(i int, address string) client.Options {
	c := client.DefaultOptions()
	c.Agency, c.Address, c.Token, c.File, c.AllowEmpty = quiniela.Agency(i+1), address, d.tokens[i], d.files[i], true
	if i == 0 {
		c.Proofs = d.proofs
	}
	return c
}

// agencies runs them in parallel.
func (d *demo) agencies(ctx context.Context, address string) error {
	shown := newProgress(d.stdout)
	defer shown.end()
	d.reports = make([]client.Report, len(d.files))
	began := time.Now()
	var mu sync.Mutex // protects d.sent, and keeps lines of d.stdout whole
	g, ctx := errgroup.WithContext(ctx)
	for i := range d.files {
		b := shown.add(fmt.Sprintf("agency %-3d", i+1), "bets", 0)
		g.Go(func() (err error) {
			c := d.agency(i, address)
			c.Progress = func(p client.Progress) {
				b.of(int64(p.Total))
				if p.Stage != "check" {
					b.set(int64(p.Bets))
				}
				if p.Stage != "wait" {
					return
				}
				b.finish()
				mu.Lock()
				defer mu.Unlock()
				d.sent = max(d.sent, time.Since(began))
				if !terminal(d.stdout) {
					d.printf("agency %d: %s bets acknowledged\n", i+1, humanize.Comma(int64(p.Bets)))
				}
			}
			d.reports[i], err = client.Run(ctx, c, d.log)
			if err == nil || errors.Is(err, client.ErrInterrupted) { // run tells that, once for all of them
				return nil
			}
			return fmt.Errorf("agency %d: %w", i+1, err)
		})
	}
	return g.Wait()
}

// mostReceipts is how many bets of agency 1 have their receipt checked.
const mostReceipts = 150

// makeReceipts makes those of agency 1's first bets from its own file and the proofs that it has kept, and waits for what they are checked
// against: the public folder's key and outcome.
func (d *demo) makeReceipts(ctx context.Context, public string) (err error) {
	if d.reports[0].Bets == 0 {
		return nil
	}
	if d.key, err = os.ReadFile(filepath.Join(public, publish.VerifierName)); err != nil {
		return fmt.Errorf("read the log's key: %w", err)
	}
	proofs, err := os.Open(d.proofs)
	if err != nil {
		return fmt.Errorf("agency 1: %w", err)
	}
	o := client.Options{File: d.files[0], Proofs: d.proofs, LogKey: string(d.key)}
	enough := errors.New("enough")
	_, err = client.Receipts(ctx, o, proofs, d.log, client.Wanted{}, func(_ int, r *receipt.Receipt) error {
		text, err := r.Encode()
		d.receipts = append(d.receipts, text)
		if err == nil && len(d.receipts) == mostReceipts {
			return enough
		}
		return err
	})
	if errors.Is(err, enough) {
		err = nil
	}
	if err = errors.Join(err, proofs.Close()); err != nil && ctx.Err() == nil { // run tells of an interruption
		return fmt.Errorf("agency 1: %w", err)
	}
	for deadline := time.Now().Add(time.Minute); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		d.outcome, err = os.ReadFile(filepath.Join(public, "draws", "1", "outcome.json"))
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the draw's outcome is not published after a minute: %w", err)
		}
	}
	return nil
}

// checkReceipts verifies the receipts. The central has ended, and is not asked.
func (d *demo) checkReceipts() error {
	if len(d.receipts) == 0 {
		return nil
	}
	won := 0
	for i, receipt := range d.receipts {
		r, err := verify.Check(verify.Options{Receipt: receipt, Outcome: d.outcome, Key: d.key})
		if err != nil {
			return fmt.Errorf("check a receipt: %w", err)
		}
		if r.Won == nil {
			return fmt.Errorf("the receipt of bet %d of agency 1 is not proven: %s", i+1, r.Verdict)
		}
		if *r.Won {
			won++
		}
	}
	d.printf("Agency 1 has the receipts of its first %s bets. All are proven, without asking the server, and %d of these bets won.\n",
		humanize.Comma(int64(len(d.receipts))), won)
	return nil
}

func (d *demo) printf(format string, args ...any) { _, _ = printf(d.stdout, format, args...) }

// mostDocuments is how many winners a row of the table shows.
const mostDocuments = 5

func (d *demo) tell(total time.Duration) error {
	d.printf("\nThe draw: number %04d.\n\n", d.number)
	w := tabwriter.NewWriter(d.stdout, 0, 0, 3, ' ', 0)
	_, _ = printf(w, "AGENCY\tBETS\tWINNERS\tDOCUMENTS\n")
	bets := 0
	for i, r := range d.reports {
		bets += r.Bets
		shown := r.Documents
		more := ""
		if len(shown) > mostDocuments {
			more = fmt.Sprintf(" … and %d more", len(shown)-mostDocuments)
			shown = shown[:mostDocuments]
		}
		_, _ = printf(w, "%d\t%s\t%d\t%s%s\n", i+1, humanize.Comma(int64(r.Bets)), len(r.Documents), strings.Join(shown, " "), more)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the winners: %w", err)
	}
	rate := 0
	if d.sent > 0 {
		rate = int(float64(bets) / d.sent.Seconds())
	}
	d.printf("\n%s bets in %.2f s (%s bets/s), each on the disk before it was acknowledged; %.2f s with the draw.\n",
		humanize.Comma(int64(bets)), d.sent.Seconds(), humanize.Comma(int64(rate)), total.Seconds())
	return nil
}
