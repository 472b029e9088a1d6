package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"quiniela/internal/web"
)

type findCommand struct {
	adminFlags
	Document string `help:"The person's document: digits; dots and blanks are left out." required:"" placeholder:"N"`
	Draw     string `help:"Only in this draw; without it in all that are not forgotten." placeholder:"NAME"`
	JSON     bool   `name:"json" help:"One JSON object a line."`
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
	if c.JSON {
		out := json.NewEncoder(e.stdout)
		for _, b := range answer.Bets {
			if err := out.Encode(b); err != nil {
				return err
			}
		}
		return c.more(e, answer.More)
	}
	if len(answer.Bets) == 0 {
		_, err := printf(e.stdout, "No bet of that document. What is forgotten is not found.\n")
		return err
	}
	w := table(e, "DRAW\tAGENCY\tBATCH\tLINE\tRECEIVED\tBET\tRESULT")
	for _, b := range answer.Bets {
		result := "not drawn yet"
		switch {
		case b.Won:
			result = "won"
		case b.Drawn:
			result = "did not win"
		}
		_, _ = printf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", b.Draw, b.Agency, b.Batch, b.Line, stamp(&b.Received), b.Bet, result)
	}
	return errors.Join(w.Flush(), c.more(e, answer.More))
}

func (c *findCommand) more(e env, more bool) error {
	if !more {
		return nil
	}
	_, err := printf(e.stderr, "There are more: name a draw with --draw.\n")
	return err
}
