package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"quiniela"
	"quiniela/internal/web"
)

// This file shows the results of draws: who won, and in the game quiniela what is paid.

type drawResultsCommand struct {
	adminFlags
	ID       string `arg:"" help:"Name of the draw."`
	Agencies bool   `help:"In the game quiniela, with --csv: a line for each agency, in place of one for each bet that won."`
	formatFlags
}

// agencyResult is an agency's winners, with the API's names.
type agencyResult struct {
	web.Winners
	Documents []string `json:"documents"` // in the order of the bets
}

func (c *drawResultsCommand) Run(e env) error {
	if c.Agencies && !c.CSV {
		return usageError{errors.New("--agencies goes with --csv; without it the agencies are shown, and --json has them")}
	}
	a, err := c.open()
	if err != nil {
		return err
	}
	d, err := a.draw(e, http.MethodGet, drawPath(c.ID), nil)
	if err != nil {
		return err
	}
	if d.Winners == nil {
		return fmt.Errorf("draw %s has no result yet: it is %s; see `quiniela draw show %s`", d.ID, d.State, d.ID)
	}
	switch {
	case hasStakes(d):
		return c.paid(e, a, d)
	case c.Agencies:
		return fmt.Errorf("draw %s is of the game %s, in which nothing is paid: leave --agencies out", d.ID, quiniela.GameSpecified)
	}
	results, err := c.results(e, a)
	if err != nil {
		return err
	}
	var winners [][]string
	for _, r := range results {
		for _, document := range r.Documents {
			winners = append(winners, []string{digits(r.Agency), r.Name, document})
		}
	}
	switch {
	case c.JSON:
		return printJSON(e.stdout, map[string]any{"draw": d, "winners": results})
	case c.CSV:
		for i, w := range winners {
			winners[i] = append([]string{d.ID, fourDigits(d.Number)}, w...)
		}
		return printCSV(e.stdout, "draw,number,agency,name,document", winners)
	}
	if err := describe(e, d); err != nil || len(winners) == 0 {
		return err
	}
	t := &listing{long: 1, columns: []column{{head: e.say("AGENCY")}, {head: e.say("NAME")}, {head: e.say("DOCUMENT")}}}
	for _, w := range winners {
		t.add(w...)
	}
	return t.below(e)
}

// results asks for the winners of every agency.
func (c *drawResultsCommand) results(e env, a *admin) ([]agencyResult, error) {
	winners, err := all[web.Winners](e, a, drawPath(c.ID)+"/winners", "winners")
	if err != nil {
		return nil, err
	}
	results := []agencyResult{}
	for _, w := range winners {
		documents, err := all[string](e, a, fmt.Sprintf("%s/winners/%d", drawPath(c.ID), w.Agency), "documents")
		if err != nil {
			return nil, err
		}
		results = append(results, agencyResult{w, append([]string{}, documents...)})
	}
	return results, nil
}

// paid shows the results of a draw of the game quiniela.
func (c *drawResultsCommand) paid(e env, a *admin, d web.Draw) error {
	if c.CSV && !c.Agencies {
		return c.prizes(e, a)
	}
	agencies, err := all[web.Payouts](e, a, drawPath(c.ID)+"/payouts", "agencies")
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		results, err := c.results(e, a)
		if err != nil {
			return err
		}
		return printJSON(e.stdout, map[string]any{"draw": d, "agencies": append([]web.Payouts{}, agencies...), "winners": results})
	case c.CSV:
		var rows [][]string
		for _, p := range agencies {
			rows = append(rows, []string{d.ID, digits(p.Agency), p.Name, digits(p.Batches), digits(p.Bets), quiniela.FormatCents(p.Staked),
				digits(p.Winners), quiniela.FormatCents(p.Due), quiniela.FormatCents(p.Paid)})
		}
		return printCSV(e.stdout, "draw,agency,name,batches,bets,staked,winners,due,paid", rows)
	}
	if err := describe(e, d); err != nil {
		return err
	}
	return payouts(e, agencies).below(e)
}

// payouts is the table of what agencies brought to a draw and are paid. Its last line has their sums.
func payouts(e env, agencies []web.Payouts) *listing {
	t := &listing{long: 1, columns: []column{{head: e.say("AGENCY")}, {head: e.say("NAME")}, {e.say("BETS"), true}, {e.say("STAKED"), true},
		{e.say("WINNERS"), true}, {e.say("DUE"), true}, {e.say("PAID"), true}}}
	var sum web.Payouts
	add := func(agency string, p web.Payouts) {
		t.add(agency, p.Name, e.count(p.Bets), e.money(p.Staked), e.count(p.Winners), e.money(p.Due), e.money(p.Paid))
	}
	for _, p := range agencies {
		add(digits(p.Agency), p)
		sum.Bets, sum.Staked, sum.Winners, sum.Due, sum.Paid = sum.Bets+p.Bets, sum.Staked+p.Staked, sum.Winners+p.Winners, sum.Due+p.Due, sum.Paid+p.Paid
	}
	add(e.say("total"), sum)
	return t
}

// prizeColumns are those of the table of winning bets.
const prizeColumns = "draw,agency,name,batch,line,number,prizes,stake,hits,due,prize"

// prizes prints each bet that won, as the server sends them. A table that the server does not send whole is an error, after what came of it.
func (c *drawResultsCommand) prizes(e env, a *admin) error {
	response, err := a.ask(e.ctx, http.MethodGet, drawPath(c.ID)+"/prizes.csv", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	from, to := csv.NewReader(response.Body), csv.NewWriter(e.stdout)
	head, err := from.Read()
	if err != nil || !slices.Equal(head, strings.Split(prizeColumns, ",")) {
		return errors.Join(fmt.Errorf("the server at %s sends no table of prizes: is it a quiniela of this version?", a.where), err)
	}
	for row := head; err == nil; row, err = from.Read() {
		for i, cell := range row {
			row[i] = quiniela.Cell(cell)
		}
		if err := to.Write(row); err != nil {
			return err
		}
	}
	to.Flush()
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the table of prizes of draw %s broke off, and what was written is not all of it: ask again (%w)", c.ID, err)
	}
	return to.Error()
}
