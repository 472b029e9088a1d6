package main

import (
	"fmt"
	"math/bits"
	"strings"

	"quiniela"
	"quiniela/internal/web"
)

// This file is what the commands take and say of the game quiniela: its terms, its money, its extract.

// gameFlags are the game of a new draw and its terms. What is nil was not given.
type gameFlags struct {
	Game        string  `help:"The draw's game: ${enum}. In quiniela bets have stakes, and twenty numbers are drawn." default:"specified" enum:"specified,quiniela" placeholder:"NAME"`
	Multipliers *string `help:"quiniela: how many times its stake a bet on 1, 2, 3 and 4 digits is paid. Without it 7,70,600,3500." placeholder:"LIST"`
	MinStake    *string `help:"quiniela: the least stake of a bet, in pesos. Without it 1.00." placeholder:"PESOS"`
	MaxStake    *string `help:"quiniela: the greatest stake of a bet, in pesos; 0, or without it: none." placeholder:"PESOS"`
	Cap         *uint32 `help:"quiniela: how many times what was staked all prizes together may come to; over it each prize is paid at the same share. 0, or without it: no cap." placeholder:"N"`
}

// terms returns the terms of the game; nil is the specification's game. Its errors name the flag.
func (f gameFlags) terms(source string) (*quiniela.Terms, error) {
	if f.Game != quiniela.GameQuiniela {
		if given := f.given(); len(given) > 0 {
			return nil, fmt.Errorf("%s: for --game %s only, the game %s has no stakes and no prizes in money", strings.Join(given, ", "), quiniela.GameQuiniela, quiniela.GameSpecified)
		}
		return nil, nil
	}
	if source == quiniela.SourceFixed {
		return nil, fmt.Errorf("the source fixed gives one number, and the game %s needs %d: say --source notary or --source beacon", quiniela.GameQuiniela, quiniela.PrizeCount)
	}
	t := quiniela.DefaultTerms()
	var err error
	if f.Multipliers != nil {
		if t.Multipliers, err = quiniela.ParseMultipliers(*f.Multipliers); err != nil {
			return nil, fmt.Errorf("--multipliers: %w", err)
		}
	}
	if f.MinStake != nil {
		if t.MinStake, err = quiniela.ParseCents(*f.MinStake); err != nil {
			return nil, fmt.Errorf("--min-stake: %w", err)
		}
	}
	if f.MaxStake != nil {
		if t.MaxStake, err = quiniela.ParseCents(*f.MaxStake); err != nil {
			return nil, fmt.Errorf("--max-stake: %w", err)
		}
	}
	if f.Cap != nil {
		t.Cap = *f.Cap
	}
	if err := t.Check(); err != nil { // it begins with the name of a term, such as min_stake
		return nil, fmt.Errorf("--%s", strings.Replace(err.Error(), "_", "-", 1))
	}
	return &t, nil
}

// given returns the flags of terms that were given.
func (f gameFlags) given() (flags []string) {
	for _, one := range []struct {
		flag  string
		given bool
	}{
		{"--multipliers", f.Multipliers != nil}, {"--min-stake", f.MinStake != nil}, {"--max-stake", f.MaxStake != nil}, {"--cap", f.Cap != nil},
	} {
		if one.given {
			flags = append(flags, one.flag)
		}
	}
	return flags
}

// setGame writes terms of a game into those of a new draw. In those of the specification's game nothing is written: a server of an older
// version knows no games.
func setGame(to *web.Terms, t *quiniela.Terms) {
	if t != nil {
		to.Game = t.Game()
		to.Terms = &web.GameTerms{Multipliers: t.Multipliers[:], MinStake: &t.MinStake, MaxStake: t.MaxStake, Cap: t.Cap}
	}
}

// hasStakes reports whether a draw is of the game quiniela.
func hasStakes(d web.Draw) bool { return d.Terms != nil }

// money writes an amount of cents in pesos as the person who reads it does.
func (e env) money(cents uint64) string { return e.lang.Money(cents) }

// termFields says a draw's game and terms in words.
func (e env) termFields(t *quiniela.Terms) []field {
	return []field{{e.say("game"), t.Game()}, {e.say("pays"), e.pays(t)}, {e.say("stakes"), e.stakes(t)}, {e.say("cap"), e.capped(t)}}
}

func (e env) pays(t *quiniela.Terms) string {
	m := t.Multipliers
	return fmt.Sprintf(e.say("%s times the stake for 1 digit, %s for 2, %s for 3, %s for 4"),
		e.count(uint64(m[0])), e.count(uint64(m[1])), e.count(uint64(m[2])), e.count(uint64(m[3])))
}

func (e env) stakes(t *quiniela.Terms) string {
	if t.MaxStake == 0 {
		return fmt.Sprintf(e.say("%s a bet or more"), e.money(t.MinStake))
	}
	return fmt.Sprintf(e.say("%s to %s a bet"), e.money(t.MinStake), e.money(t.MaxStake))
}

func (e env) capped(t *quiniela.Terms) string {
	if t.Cap == 0 {
		return e.say("none: every prize is paid in full")
	}
	return fmt.Sprintf(e.say("all prizes together at most %s times what was staked; over that, the same share of each"), e.count(uint64(t.Cap)))
}

// share says which part of each prize is paid, where the cap leaves pool for all that is due. The part as a decimal is rounded down, and
// nothing is computed with it.
func (e env) share(pool, due uint64) string {
	// pool is below due, so that the quotient is below 10,000.
	high, low := bits.Mul64(pool, 10_000)
	part, _ := bits.Div64(high, low, due)
	return fmt.Sprintf(e.say("%s (rounded down) of each prize: %s of %s"), e.lang.Fraction(part, 4), e.money(pool), e.money(due))
}

// extractTable shows the numbers of an extract in two columns.
func extractTable(e env, extract []uint16) *listing {
	t := &listing{columns: []column{{e.say("PRIZE"), true}, {head: e.say("NUMBER")}, {e.say("PRIZE"), true}, {head: e.say("NUMBER")}}}
	rows := (len(extract) + 1) / 2
	cell := func(i int) (prize, number string) {
		if i >= len(extract) {
			return "", ""
		}
		return fmt.Sprint(i + 1), fourDigits(&extract[i])
	}
	for i := range rows {
		prize, number := cell(i)
		other, last := cell(i + rows)
		t.add(prize, number, other, last)
	}
	return t
}

// extractOf returns the numbers of an extract as the API has them.
func extractOf(prizes []quiniela.Number) (extract []uint16) {
	for _, n := range prizes {
		extract = append(extract, uint16(n))
	}
	return extract
}
