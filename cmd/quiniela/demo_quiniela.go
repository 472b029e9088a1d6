package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/ledger"
	"quiniela/internal/web"
)

// This file is the demo of the game quiniela: the evening draw, its extract, and what each agency is paid.

// eveningDraw is the draw's name.
const eveningDraw = "nocturna"

// usualExtract is what is drawn where no file is named: that of the worked examples in docs/QUINIELA.md.
var usualExtract = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// game is what the demo of the game quiniela has besides.
type game struct {
	terms   quiniela.Terms
	extract []quiniela.Number
	draw    ledger.Draw // once it is drawn
	payouts []web.Payouts
	winners [][]winner // the first ones of each agency, agency 1's first
}

// winner is a bet that won, as the agency's client has written it to its file of winners.
type winner struct {
	document string
	play     quiniela.Play
	paid     uint64 // in cents
}

// game returns the game that is played; nil is the specification's.
func (c *demoCommand) game() (*game, error) {
	if c.Game != quiniela.GameQuiniela {
		if c.Cap != 0 || c.Extract != "" {
			return nil, usageError{errors.New("a cap and twenty prizes belong to the other game: add --game quiniela")}
		}
		return nil, nil
	}
	if c.Number != nil {
		return nil, usageError{errors.New("--winner-number belongs to the specified game: the game quiniela has twenty prizes, which --extract FILE names")}
	}
	g := &game{terms: quiniela.DefaultTerms(), extract: usualExtract}
	g.terms.Cap = c.Cap
	if err := g.terms.Check(); err != nil {
		return nil, usageError{err}
	}
	if c.Extract == "" {
		return g, nil
	}
	text, err := os.ReadFile(c.Extract)
	if err != nil {
		return nil, fmt.Errorf("read the extract: %w", err)
	}
	if g.extract, err = draw.ParseExtract(text); err != nil {
		return nil, usageError{fmt.Errorf("the extract in %s: %w", c.Extract, err)}
	}
	return g, nil
}

// byDemo is who opens the draw and enters the extract.
var byDemo = ledger.Actor{Name: "server:demo"}

// openEvening opens the evening draw.
func (d *demo) openEvening(l *central.Central) error {
	_, err := l.Ledger.OpenDraw(d.ctx, byDemo, ledger.Terms{
		ID: eveningDraw, Agencies: uint32(len(d.files)), Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &d.game.terms,
	})
	return err
}

// enterExtract waits until all agencies have finished, and enters the extract as a notary does.
func (d *demo) enterExtract(ctx context.Context, l *ledger.Ledger) error {
	for {
		now, err := l.FindDraw(ctx, eveningDraw)
		if err == nil && now.State() != "open" {
			_, err = l.EnterPrizes(ctx, byDemo, eveningDraw, d.game.extract, nil)
			return err
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // an agency failed, or the demo was interrupted: run tells it
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// mostWinners is how many winners of each agency are shown.
const mostWinners = 5

// collect takes what is to be told out of the ledger and out of the agencies' files of winners.
func (d *demo) collect(l *ledger.Ledger) (err error) {
	g := d.game
	if g.draw, err = l.FindDraw(d.ctx, eveningDraw); err != nil {
		return err
	}
	paid, err := l.Payouts(d.ctx, eveningDraw, 1, len(d.files))
	if err != nil {
		return err
	}
	for _, p := range paid {
		g.payouts = append(g.payouts, web.Payouts{Agency: uint32(p.Agency), Batches: p.Batches, Bets: p.Bets, Staked: p.Staked, Winners: p.Winners, Due: p.Due, Paid: p.Paid})
	}
	for i := range d.files {
		first, err := g.readWinners(d.winnersOf(i))
		if err != nil {
			return fmt.Errorf("the winners of agency %d: %w", i+1, err)
		}
		g.winners = append(g.winners, first)
	}
	return nil
}

// winnersOf returns where the client of the ith agency, from 0, writes its winning bets.
func (d *demo) winnersOf(i int) string {
	return filepath.Join(filepath.Dir(d.proofs), fmt.Sprintf("agency-%d.winners", i+1))
}

// readWinners reads the first rows of a client's file of winners: each is a bet line whose range may be empty, with its hits and what it is
// paid behind it.
func (g *game) readWinners(path string) (first []winner, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	for rows := bufio.NewScanner(f); len(first) < mostWinners; {
		if !rows.Scan() {
			return first, rows.Err()
		}
		fields := strings.Split(rows.Text(), ",")
		line := []byte(strings.TrimSuffix(strings.Join(fields[:len(fields)-2], ","), ","))
		w := winner{document: string(quiniela.DocumentOf(line))}
		if w.play, err = g.terms.PlayOf(line); err != nil {
			return nil, err
		}
		if w.paid, err = quiniela.ParseCents(fields[len(fields)-1]); err != nil {
			return nil, err
		}
		first = append(first, w)
	}
	return first, nil
}

// tellGame prints the draw.
func (d *demo) tellGame() error {
	g := d.game
	fields := append([]field{{d.say("draw"), eveningDraw}}, d.termFields(&g.terms)...)
	if p := g.draw.Payout(); p != nil && p.Pool < p.Due {
		fields = append(fields, field{d.say("share"), d.share(p.Pool, p.Due)})
	}
	d.printf("\n")
	err := writeFields(d.stdout, fields, widthOf(d.stdout))
	if err == nil {
		err = extractTable(d.env, extractOf(g.extract)).below(d.env)
	}
	if err == nil {
		err = payouts(d.env, g.payouts).below(d.env)
	}
	for i := range d.files {
		if err == nil {
			err = d.tellWinners(i)
		}
	}
	if err != nil {
		return fmt.Errorf("print the draw: %w", err)
	}
	return nil
}

// tellWinners prints the first winners of the ith agency, from 0.
func (d *demo) tellWinners(i int) error {
	all := uint64(len(d.reports[i].Documents))
	if all == 0 {
		d.printf("\n"+d.say("Agency %d has no winner.")+"\n", i+1)
		return nil
	}
	head := d.say("Winners of agency %d: %s.")
	if all > mostWinners {
		head = d.say("Winners of agency %d: %s. The first of them:")
	}
	d.printf("\n"+head+"\n", i+1, d.count(all))
	t := &listing{long: 1, columns: []column{{d.say("DOCUMENT"), true}, {head: d.say("PLAYED")}, {d.say("HITS"), true}, {head: d.say("AT PRIZES")}, {d.say("PAID"), true}}}
	for _, w := range d.game.winners[i] {
		places := draw.Hits(d.game.extract, w.play)
		words := make([]string, len(places))
		for k, place := range places {
			words[k] = strconv.Itoa(place)
		}
		t.add(w.document, d.played(w.play), strconv.Itoa(len(places)), strings.Join(words, ", "), d.money(w.paid))
	}
	return t.write(d.stdout, widthOf(d.stdout))
}

// played says what a bet is on.
func (d *demo) played(p quiniela.Play) string {
	switch {
	case p.To == 1:
		return fmt.Sprintf(d.say("%s at the head, for %s"), p.Appearance(), d.money(p.Stake))
	case p.From == p.To:
		return fmt.Sprintf(d.say("%s at prize %d, for %s"), p.Appearance(), p.From, d.money(p.Stake))
	}
	return fmt.Sprintf(d.say("%s at prizes %d to %d, for %s"), p.Appearance(), p.From, p.To, d.money(p.Stake))
}

// keepPage says where the page is, and keeps the central up until the demo is interrupted.
func (d *demo) keepPage(l *central.Central) {
	page := "http://" + l.PageAddr().String()
	d.printf("\n"+d.say("The draw on the page, until you press Ctrl-C:")+"\n  %s/draws/%s\n  %s/resultados/%s\n", page, d.drawID(), page, d.drawID())
	<-d.ctx.Done()
}
