package main

import (
	"fmt"
	"net/http"
	"strconv"

	"quiniela/internal/web"
)

// This file shows draws: their list, how far a draw's agencies are, and who won.

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
		var rows [][]string
		for _, agency := range agencies {
			rows = append(rows, []string{d.ID, digits(agency.Agency), agency.Name, digits(agency.Batches), digits(agency.Bets), agency.State})
		}
		return printCSV(e.stdout, "draw,agency,name,batches,bets,state", rows)
	}
	if err := describe(e, d); err != nil {
		return err
	}
	t := &listing{long: 1, columns: []column{{head: e.say("AGENCY")}, {head: e.say("NAME")}, {e.say("BATCHES"), true}, {e.say("BETS"), true}, {head: e.say("STATE")}}}
	for _, agency := range agencies {
		t.add(digits(agency.Agency), agency.Name, e.count(agency.Batches), e.count(agency.Bets), e.say(states[agency.State]))
	}
	return t.below(e)
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
		{head: e.say("CLOSES")}, {head: e.say("NUMBER")}, {e.say("WINNERS"), true}}}
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
		t.add(d.ID, e.say(d.State), e.count(d.Bets), fmt.Sprintf("%d/%d", d.Finished, d.Agencies), closes, number, winners)
	}
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

type drawResultsCommand struct {
	adminFlags
	ID string `arg:"" help:"Name of the draw."`
	formatFlags
}

// agencyResult is an agency's winners, with the API's names.
type agencyResult struct {
	web.Winners
	Documents []string `json:"documents"` // in the order of the bets
}

func (c *drawResultsCommand) Run(e env) error {
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
