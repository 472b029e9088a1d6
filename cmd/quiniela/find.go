package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"quiniela"
	"quiniela/internal/web"
)

type findCommand struct {
	adminFlags
	Document string `help:"The person's document: digits; dots and blanks are left out." required:"" placeholder:"N"`
	Draw     string `help:"Only in this draw; without it in all that are not forgotten." placeholder:"NAME"`
	formatFlags
}

func (c *findCommand) Run(e env) error {
	document := strings.NewReplacer(".", "", " ", "").Replace(c.Document)
	if document == "" {
		return usageError{errors.New("--document needs the digits of a document")}
	}
	a, err := c.open()
	if err != nil {
		return err
	}
	var answer struct {
		Bets []web.FoundBet
		More bool
	}
	if err := a.call(e.ctx, http.MethodPost, "/api/v1/find", map[string]string{"document": document, "draw": c.Draw}, &answer); err != nil {
		return err
	}
	switch {
	case c.JSON:
		return errors.Join(printJSON(e.stdout, map[string]any{"bets": answer.Bets}), c.more(e, answer.More))
	case c.CSV:
		return errors.Join(printFound(e, answer.Bets), c.more(e, answer.More))
	case len(answer.Bets) == 0:
		_, err := io.WriteString(e.stdout, e.say("No bet of that document. What is forgotten is not found.")+"\n")
		return err
	}
	t := &listing{columns: []column{{head: e.say("DRAW")}, {e.say("AGENCY"), true}, {e.say("BATCH"), true}, {e.say("LINE"), true}, {head: e.say("RECEIVED")}, {head: e.say("BET")}, {head: e.say("RESULT")}}}
	for _, b := range answer.Bets {
		t.add(b.Draw, digits(b.Agency), strconv.FormatUint(b.Batch, 10), strconv.Itoa(b.Line), stamp(&b.Received), b.Bet, e.result(b))
	}
	return errors.Join(t.write(e.stdout, widthOf(e.stdout)), c.more(e, answer.More))
}

// result says whether a bet won, and in the game quiniela what it is paid.
func (e env) result(b web.FoundBet) string {
	switch {
	case b.Won && b.Hits == 1:
		return fmt.Sprintf(e.say("won %s"), e.money(b.Paid))
	case b.Won && b.Hits > 1:
		return fmt.Sprintf(e.say("won %s, hits: %d"), e.money(b.Paid), b.Hits)
	case b.Won:
		return e.say("won")
	case b.Drawn:
		return e.say("did not win")
	}
	return e.say("not drawn yet")
}

// numberOf returns a bet's number for programs: with four digits, or in the game quiniela, where 7 and 07 are two numbers, as it was typed.
func numberOf(b web.FoundBet) string {
	if cells := strings.Split(b.Bet, ","); len(cells) > quiniela.Fields {
		return cells[quiniela.Fields-1]
	}
	return fourDigits(&b.Number)
}

func printFound(e env, bets []web.FoundBet) error {
	var rows [][]string
	for _, b := range bets {
		rows = append(rows, []string{
			b.Draw, digits(b.Agency), strconv.FormatUint(b.Batch, 10), strconv.Itoa(b.Line), instant(&b.Received), b.Bet, numberOf(b), strconv.FormatBool(b.Drawn), strconv.FormatBool(b.Won),
		})
	}
	return printCSV(e.stdout, "draw,agency,batch,line,received,bet,number,drawn,won", rows)
}

func (c *findCommand) more(e env, more bool) error {
	if !more {
		return nil
	}
	_, err := io.WriteString(e.stderr, e.say("There are more: name a draw with --draw.")+"\n")
	return err
}
