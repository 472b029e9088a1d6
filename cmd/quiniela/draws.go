package main

import (
	"fmt"
	"net/http"
	"strconv"

	"quiniela"
	"quiniela/internal/web"
)

// This file shows draws: their list, and how far a draw's agencies are.

type drawShowCommand struct {
	adminFlags
	ID string `arg:"" help:"Name of the draw."`
	formatFlags
}

// states are an agency's in a draw, by their names in the API.
var states = map[string]string{"finished": "finished", "sending": "sending", "waiting": "no bets yet", "missing": "missing"}

func (c *drawShowCommand) Run(e env) error {
	a, err := c.open()
	if err != nil {
		return err
	}
	d, err := a.draw(e, http.MethodGet, drawPath(c.ID), nil)
	if err != nil {
		return err
	}
	agencies, err := all[web.Agency](e, a, drawPath(c.ID)+"/agencies", "agencies")
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return printJSON(e.stdout, map[string]any{"draw": d, "agencies": agencies})
	case c.CSV:
		return printHowFar(e, d, agencies)
	}
	if err := describe(e, d); err != nil {
		return err
	}
	t := &listing{long: 1, columns: []column{{head: e.say("AGENCY")}, {head: e.say("NAME")}, {e.say("BATCHES"), true}, {e.say("BETS"), true}, {e.say("STAKED"), true}, {head: e.say("STATE")}}}
	for _, agency := range agencies {
		staked := "" // in no row: below leaves the column out
		if hasStakes(d) {
			staked = e.money(agency.Staked)
		}
		t.add(digits(agency.Agency), agency.Name, e.count(agency.Batches), e.count(agency.Bets), staked, e.say(states[agency.State]))
	}
	return t.below(e)
}

// printHowFar prints how far a draw's agencies are for programs.
func printHowFar(e env, d web.Draw, agencies []web.Agency) error {
	columns := "draw,agency,name,batches,bets,state"
	if hasStakes(d) {
		columns += ",staked"
	}
	var rows [][]string
	for _, agency := range agencies {
		row := []string{d.ID, digits(agency.Agency), agency.Name, digits(agency.Batches), digits(agency.Bets), agency.State}
		if hasStakes(d) {
			row = append(row, quiniela.FormatCents(agency.Staked))
		}
		rows = append(rows, row)
	}
	return printCSV(e.stdout, columns, rows)
}

// digits writes a whole number.
func digits[N uint32 | uint64](n N) string { return strconv.FormatUint(uint64(n), 10) }

type drawListCommand struct {
	adminFlags
	formatFlags
}

func (c *drawListCommand) Run(e env) error {
	a, err := c.open()
	if err != nil {
		return err
	}
	draws, err := all[web.Draw](e, a, "/api/v1/draws", "draws")
	if err != nil {
		return err
	}
	for _, d := range draws {
		if err := a.complete(d); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return printJSON(e.stdout, map[string]any{"draws": append([]web.Draw{}, draws...)})
	case c.CSV:
		return printCSV(e.stdout, "id,state,agencies,finished,batches,bets,source,opened,closes,sealed,sealed_by,number,winners,drawn,note", drawRows(draws))
	case len(draws) == 0:
		_, err := printf(e.stdout, "%s\n", e.say("No draws yet; open one with `quiniela draw open`."))
		return err
	}
	t := &listing{columns: []column{{head: e.say("DRAW")}, {head: e.say("STATE")}, {e.say("BETS"), true}, {e.say("DONE"), true},
		{head: e.say("CLOSES")}, {head: e.say("NUMBER")}, {e.say("WINNERS"), true}, {e.say("STAKED"), true}, {e.say("PAID"), true}}}
	for _, d := range draws {
		closes, number, winners := "-", "-", "-"
		if d.Closes != nil {
			closes = d.Closes.Local().Format("2006-01-02 15:04")
		}
		if d.Number != nil {
			number = fourDigits(d.Number)
		}
		if d.Winners != nil {
			winners = e.count(*d.Winners)
		}
		staked, paid := "", "" // in the specification's game
		if hasStakes(d) {
			staked, paid = e.money(d.Staked), "-"
		}
		if d.Payout != nil {
			paid = e.money(d.Paid)
		}
		t.add(d.ID, e.say(d.State), e.count(d.Bets), fmt.Sprintf("%d/%d", d.Finished, d.Agencies), closes, number, winners, staked, paid)
	}
	t.dropEmpty()
	return t.write(e.stdout, widthOf(e.stdout))
}

// drawRows are draws for programs.
func drawRows(draws []web.Draw) (rows [][]string) {
	for _, d := range draws {
		winners := ""
		if d.Winners != nil {
			winners = digits(*d.Winners)
		}
		rows = append(rows, []string{d.ID, d.State, digits(d.Agencies), digits(d.Finished), digits(d.Batches), digits(d.Bets), d.Source,
			instant(d.Opened), instant(d.Closes), instant(d.Sealed), d.SealedBy, fourDigits(d.Number), winners, instant(d.Drawn), d.Note})
	}
	return rows
}
