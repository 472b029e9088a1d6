package main

import (
	"cmp"
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
	Game     string `help:"Game that is played: specified, or quiniela with stakes and twenty prizes." default:"specified" enum:"specified,quiniela"`
	Agencies *int   `help:"How many agencies: 5 where nothing else is said, and 2 in the game quiniela."`
	Bets     *int   `help:"Bets of each: 20000 where nothing else is said, and 2000 in the game quiniela."`
	Data     string `help:"Folder with agency-1.csv and so on to send, in place of made-up bets." placeholder:"DIR"`
	Seed     uint64 `help:"Of the made-up bets." default:"1"`
	Number   *int   `help:"Winning number of the specified game, 0 to 9999: 7574 where nothing else is said." name:"winner-number"`
	Extract  string `help:"File with the extract of the game quiniela: a line with four digits for each of the twenty prizes." placeholder:"FILE"`
	Cap      uint32 `help:"Cap of the game quiniela: the prizes come to at most so many times what is staked; 0 is no cap." default:"0"`
	Page     bool   `help:"Also show the draw on a page of this machine, until the demo is interrupted."`
	Verbose  bool   `help:"Show the server's log."`
}

// usual sets what was not said to what is usual in the game.
func (c *demoCommand) usual() {
	agencies, bets, number := 5, 20000, 7574
	if c.Game == quiniela.GameQuiniela {
		agencies, bets = 2, 2000
	}
	c.Agencies, c.Bets = cmp.Or(c.Agencies, &agencies), cmp.Or(c.Bets, &bets)
	c.Number = cmp.Or(c.Number, &number)
}

func (c *demoCommand) Run(e env) (err error) {
	game, err := c.game()
	if err != nil {
		return err
	}
	if c.usual(); *c.Agencies < 1 || *c.Bets < 0 || *c.Number < 0 || *c.Number > int(quiniela.MaxNumber) {
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
	d := demo{env: e, game: game, number: quiniela.Number(*c.Number), files: files, onPage: c.Page, log: slog.New(slog.DiscardHandler)}
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
		return sample.GameFiles(filepath.Join(work, "agencies"), c.Game, *c.Agencies, *c.Bets, c.Seed, func(int) {})
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
	game     *game // nil: the specification's
	number   quiniela.Number
	files    []string
	onPage   bool
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
	l, err := d.open(dir)
	if err != nil {
		return err
	}
	d.printf(d.say("A central on %s, and %d agencies sending their bets to it.")+"\n\n", l.Addr(), len(d.files))
	ctx, stop := context.WithCancel(d.ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	began := time.Now()
	err = d.agencies(ctx, l)
	total := time.Since(began)
	if err == nil && ctx.Err() == nil {
		err = d.makeReceipts(ctx, filepath.Join(dir, publish.FolderName))
	}
	if err == nil && ctx.Err() == nil && d.game != nil {
		err = d.collect(l.Ledger)
	}
	shown := d.onPage && err == nil && ctx.Err() == nil
	if shown {
		if err = d.result(total); err == nil {
			d.keepPage(l)
		}
	}
	stop()
	if err = errors.Join(err, <-served, l.Close()); err != nil || shown {
		return err
	}
	if d.ctx.Err() != nil {
		return errors.New("the demo was interrupted before the draw")
	}
	return d.result(total)
}

// open opens the central, and the draw.
func (d *demo) open(dir string) (*central.Central, error) {
	o := central.DefaultOptions(dir)
	o.PublicLog = &central.PublicLog{Interval: 50 * time.Millisecond} // at most: a demo is short
	if d.game == nil {
		o.Seed = &ledger.Seed{ID: "1", Agencies: uint32(len(d.files)), Rule: draw.FixedNumber(d.number)}
	}
	if d.onPage {
		o.Site = &central.Site{Address: "127.0.0.1:0"}
	}
	o.Log = d.log
	l, err := central.Open(d.ctx, o)
	if err == nil && d.game != nil {
		if err = d.openEvening(l); err != nil {
			err = errors.Join(err, l.Close())
		}
	}
	return l, err
}

// drawID returns the name of the draw.
func (d *demo) drawID() string {
	if d.game != nil {
		return eveningDraw
	}
	return "1"
}

// result tells what came of the draw, and checks the receipts.
func (d *demo) result(total time.Duration) error {
	if err := d.tell(total); err != nil {
		return err
	}
	if err := d.checkReceipts(); err != nil {
		return err
	}
	d.printf("%s\n", d.say("Next: `quiniela server` and `quiniela client --id 1` run it for real; see README.md."))
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
	if d.game != nil {
		c.Winners = d.winnersOf(i)
	}
	return c
}

// agencies runs them in parallel, until each has its winners.
func (d *demo) agencies(ctx context.Context, l *central.Central) error {
	shown := newProgress(d.stdout)
	defer shown.end()
	d.reports = make([]client.Report, len(d.files))
	began := time.Now()
	var mu sync.Mutex // protects d.sent, and keeps lines of d.stdout whole
	g, ctx := errgroup.WithContext(ctx)
	if d.game != nil {
		g.Go(func() error { return d.enterExtract(ctx, l.Ledger) })
	}
	for i := range d.files {
		b := shown.add(fmt.Sprintf("agency %-3d", i+1), "bets", 0)
		g.Go(func() (err error) {
			c := d.agency(i, l.Addr().String())
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
					d.printf(d.say("agency %d: %s bets acknowledged")+"\n", i+1, d.count(uint64(p.Bets)))
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
		d.outcome, err = os.ReadFile(filepath.Join(public, "draws", d.drawID(), "outcome.json"))
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the draw's outcome is not published after a minute: %w", err)
		}
	}
	return nil
}

// checkReceipts verifies the receipts, which asks no central.
func (d *demo) checkReceipts() error {
	if len(d.receipts) == 0 {
		return nil
	}
	won, paid := 0, uint64(0)
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
		if r.Paid != nil {
			paid += *r.Paid
		}
	}
	checked := d.count(uint64(len(d.receipts)))
	if d.game == nil {
		d.printf(d.say("Agency 1 has the receipts of its first %s bets. All are proven, without asking the server, and %d of these bets won.")+"\n", checked, won)
		return nil
	}
	d.printf(d.say("Agency 1 has the receipts of its first %s bets. All are proven, without asking the server: %d of these bets won, and are paid %s.")+"\n", checked, won, d.money(paid))
	return nil
}

func (d *demo) printf(format string, args ...any) { _, _ = printf(d.stdout, format, args...) }

// mostDocuments is how many winners a row of the table shows.
const mostDocuments = 5

func (d *demo) tell(total time.Duration) error {
	tell := d.tellNumber
	if d.game != nil {
		tell = d.tellGame
	}
	if err := tell(); err != nil {
		return err
	}
	bets := 0
	for _, r := range d.reports {
		bets += r.Bets
	}
	rate := 0
	if d.sent > 0 {
		rate = int(float64(bets) / d.sent.Seconds())
	}
	d.printf("\n"+d.say("%s bets in %.2f s (%s bets/s), each on the disk before it was acknowledged; %.2f s with the draw.")+"\n",
		d.count(uint64(bets)), d.sent.Seconds(), d.count(uint64(rate)), total.Seconds())
	return nil
}

// tellNumber prints the draw of the specification's game.
func (d *demo) tellNumber() error {
	d.printf("\n"+d.say("The draw: number %04d.")+"\n\n", d.number)
	w := tabwriter.NewWriter(d.stdout, 0, 0, 3, ' ', 0)
	_, _ = printf(w, "%s\t%s\t%s\t%s\n", d.say("AGENCY"), d.say("BETS"), d.say("WINNERS"), d.say("DOCUMENTS"))
	for i, r := range d.reports {
		shown := r.Documents
		more := ""
		if len(shown) > mostDocuments {
			more = fmt.Sprintf(d.say(" … and %d more"), len(shown)-mostDocuments)
			shown = shown[:mostDocuments]
		}
		_, _ = printf(w, "%d\t%s\t%d\t%s%s\n", i+1, d.count(uint64(r.Bets)), len(r.Documents), strings.Join(shown, " "), more)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the winners: %w", err)
	}
	return nil
}
