package main

import (
	"fmt"
	"strings"
	"time"

	"quiniela/internal/web"
)

// This file says all that is known of a draw.

// stamp formats a time in local time; nil is "-".
func stamp(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

// closers are those who can close a draw, by their names in the API.
var closers = map[string]string{"agencies": "the last agency's finish", "time": "its closing time", "operator": "an operator"}

// description is what is said of a draw, line by line.
type description struct {
	e      env
	fields []field
}

func (to *description) row(name, format string, args ...any) {
	to.fields = append(to.fields, field{to.e.say(name), fmt.Sprintf(to.e.say(format), args...)})
}

// describe prints all that the server says about a draw.
func describe(e env, d web.Draw) error {
	to := &description{e: e}
	to.row("draw", "%s", d.ID)
	to.row("state", "%s", e.say(d.State))
	if hasStakes(d) {
		to.fields = append(to.fields, e.termFields(d.Terms)...)
	}
	to.row("agencies", "%d of %d have finished", d.Finished, d.Agencies)
	to.row("bets", "%s, batches: %s", e.count(d.Bets), e.count(d.Batches))
	to.row("opened", "%s", stamp(d.Opened))
	if d.Closes != nil {
		to.row("closes", "%s", stamp(d.Closes))
	}
	if d.Sealed != nil {
		to.row("closed", "%s, by %s", stamp(d.Sealed), e.say(closers[d.SealedBy]))
	}
	if d.Note != "" {
		to.row("note", "%s", d.Note)
	}
	if hasStakes(d) {
		to.extract(d)
	} else {
		to.number(d)
	}
	if len(d.By) > 0 {
		to.row("entered by", "%s", strings.Join(d.By, e.say(" and ")))
	}
	if hasStakes(d) {
		to.money(d)
	}
	if err := writeFields(e.stdout, to.fields, widthOf(e.stdout)); err != nil || len(d.Prizes) == 0 {
		return err
	}
	return extractTable(e, d.Prizes).below(e)
}

// number says what the winning number is, or where it comes from.
func (to *description) number(d web.Draw) {
	switch {
	case d.Winners != nil:
		to.row("number", "%s, winners: %s", fourDigits(d.Number), to.e.count(*d.Winners))
	case d.Number != nil:
		to.row("number", "%04d; the winners are being found: quiniela draw results %s", *d.Number, d.ID)
	case d.State == "sealed" && d.Source == "beacon":
		to.row("number", "of the beacon's round %d, signed at %s", d.Round, stamp(d.RoundAt))
	case d.First != "":
		to.row("number", "entered by %s; a second person must enter the same: quiniela draw enter %s NUMBER", d.First, d.ID)
	case d.State == "sealed" && d.Two:
		to.row("number", "not entered yet, and two people must: quiniela draw enter %s NUMBER", d.ID)
	case d.State == "sealed" && d.Source == "notary":
		to.row("number", "not entered yet: quiniela draw enter %s NUMBER", d.ID)
	case d.Source == "beacon":
		to.row("number", "of the beacon's round %d, to be signed at %s", d.Round, stamp(d.RoundAt))
	case d.Two:
		to.row("number", "a notary's, which two people enter once the draw is closed")
	case d.Source == "notary":
		to.row("number", "a notary's, once the draw is closed")
	default:
		to.row("number", "fixed when the draw opened")
	}
}

// extract says of a draw of the game quiniela how many bets won, or where its twenty numbers come from. The numbers have a table of their
// own.
func (to *description) extract(d web.Draw) {
	switch {
	case d.Winners != nil:
		to.row("winners", "%s", to.e.count(*d.Winners))
	case d.Number != nil:
		to.row("extract", "it is there; the winners are being found: quiniela draw results %s", d.ID)
	case d.State == "sealed" && d.Source == "beacon":
		to.row("extract", "of the beacon's round %d, signed at %s", d.Round, stamp(d.RoundAt))
	case d.First != "":
		to.row("extract", "entered by %s; a second person must enter the same: quiniela draw enter %s --extract FILE", d.First, d.ID)
	case d.State == "sealed" && d.Two:
		to.row("extract", "not entered yet, and two people must: quiniela draw enter %s --extract FILE", d.ID)
	case d.State == "sealed":
		to.row("extract", "not entered yet: quiniela draw enter %s --extract FILE", d.ID)
	case d.Source == "beacon":
		to.row("extract", "of the beacon's round %d, to be signed at %s", d.Round, stamp(d.RoundAt))
	case d.Two:
		to.row("extract", "a notary's, which two people enter once the draw is closed")
	default:
		to.row("extract", "a notary's, once the draw is closed")
	}
}

// money says what is staked in a draw of the game quiniela, and once it is drawn what is paid.
func (to *description) money(d web.Draw) {
	to.row("staked", "%s", to.e.money(d.Staked))
	p := d.Payout
	if p == nil {
		return
	}
	to.row("prizes due", "%s", to.e.money(p.Due))
	if p.Pool > 0 && p.Pool < p.Due {
		to.row("share", "%s", to.e.share(p.Pool, p.Due))
	}
	to.row("prizes paid", "%s", to.e.money(p.Paid))
}
