package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quiniela"
)

// This file is the part of the form for a new draw that has its game and the terms of the game quiniela.

// games are those of the form, in its order.
var games = []string{quiniela.GameSpecified, quiniela.GameQuiniela}

// timesFields are the fields of the multipliers, for 1 to 4 digits.
var timesFields = [quiniela.MaxDigits]string{"times-1", "times-2", "times-3", "times-4"}

// termFields are the fields of a draw's game.
var termFields = append([]string{"game", "min", "max", "cap"}, timesFields[:]...)

// prefill sets the game of a new draw, and its terms: those of the last draw, or the usual ones where that had none.
func (f *form) prefill(t texts, last *quiniela.Terms) {
	terms := quiniela.DefaultTerms()
	if last != nil {
		terms = *last
	}
	f.Typed["game"], f.Typed["min"] = last.Game(), t.typed(terms.MinStake)
	for i, m := range terms.Multipliers {
		f.Typed[timesFields[i]] = strconv.FormatUint(uint64(m), 10)
	}
	if terms.MaxStake != 0 {
		f.Typed["max"] = t.typed(terms.MaxStake)
	}
	if terms.Cap != 0 {
		f.Typed["cap"] = strconv.FormatUint(uint64(terms.Cap), 10)
	}
}

// game reads a new draw's game and its terms, and notes what is wrong with them. The terms of the game specified are not looked at: it has none.
func (f *form) game(t texts, v *Terms) {
	if v.Game = f.Typed["game"]; v.Game == "" {
		v.Game = quiniela.GameSpecified
	}
	if !slices.Contains(games, v.Game) {
		f.reject("game", t.WrongGame)
	}
	if v.Game != quiniela.GameQuiniela {
		return
	}
	least := f.pesos(t, "min", 1)
	v.Terms = &GameTerms{MinStake: &least}
	for _, name := range timesFields {
		v.Terms.Multipliers = append(v.Terms.Multipliers, f.times(t, name))
	}
	if f.Typed["max"] != "" {
		v.Terms.MaxStake = f.pesos(t, "max", max(least, 1))
	}
	if f.Typed["cap"] != "" {
		v.Terms.Cap = f.times(t, "cap")
	}
}

// times reads a multiplier, or the cap.
func (f *form) times(t texts, name string) uint32 {
	n, err := quiniela.ParseUint(f.Typed[name], 32)
	if err != nil || n < 1 || n > quiniela.MaxMultiplier {
		f.reject(name, t.WrongTimes)
	}
	return uint32(n)
}

// pesos reads a stake, in cents, which is at least some cents. Both decimal signs are taken: there are no thousands to take one for.
func (f *form) pesos(t texts, name string, least uint64) uint64 {
	cents, err := quiniela.ParseCents(strings.Replace(f.Typed[name], ",", ".", 1))
	switch {
	case err != nil:
		f.reject(name, t.WrongPesos)
	case cents < least || cents > quiniela.MaxStake:
		f.reject(name, fmt.Sprintf(t.WrongBetween, t.Pesos(least), t.Pesos(quiniela.MaxStake)))
	}
	return cents
}
