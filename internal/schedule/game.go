package schedule

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"quiniela"
)

// This file reads the game of a draw, and the terms that the game quiniela has.

func (r *reader) game(n *yaml.Node) string {
	if n.Value != quiniela.GameSpecified && n.Value != quiniela.GameQuiniela {
		r.fail(n, "the game %q: want %s or %s", quiniela.Clip(n.Value), quiniela.GameSpecified, quiniela.GameQuiniela)
		return quiniela.GameQuiniela // with which the keys of its terms are not wrong too
	}
	return n.Value
}

// multipliers reads 7,70,600,3500 or a list of the four. It leaves the terms as they are where that is wrong, as cents does.
func (r *reader) multipliers(n *yaml.Node, to *quiniela.Terms) {
	text := n.Value
	if n.Kind == yaml.SequenceNode {
		var words []string
		for _, one := range n.Content {
			words = append(words, one.Value)
		}
		text = strings.Join(words, ",")
	}
	m, err := quiniela.ParseMultipliers(text)
	if err != nil {
		r.fail(n, "%w", err)
		return
	}
	to.Multipliers = m
}

// cents reads an amount from the text that the file has: a number of YAML would be a fraction.
func (r *reader) cents(n *yaml.Node, to *uint64) {
	cents, err := quiniela.ParseCents(n.Value)
	if err != nil {
		r.fail(n, "%w", err)
		return
	}
	*to = cents
}

// check refuses terms that no draw can have, at the key that gives them, and takes others in their place, so that nothing is said twice.
// values are the keys of the draw or of the file at n.
func (r *reader) check(rule *rule, n *yaml.Node, values map[string]*yaml.Node, others quiniela.Terms) {
	err := rule.terms.Check()
	if err == nil {
		return
	}
	key, _, _ := strings.Cut(err.Error(), ":")
	at := values[key]
	for _, key := range terms { // where it does not go with a key of the whole file: the draw's own key
		if at == nil {
			at = values[key]
		}
	}
	if at == nil {
		at = n
	}
	r.fail(at, "%w", err)
	rule.terms = others
}

// refuseTerms refuses the keys of terms where no draw has a game with them.
func (r *reader) refuseTerms(values map[string]*yaml.Node, which string) {
	for _, key := range terms {
		if n := values[key]; n != nil {
			r.fail(n, "%s: %s of the game %s, which has no stakes and no prizes in money: leave the key out, or write game: %s", key, which, quiniela.GameSpecified, quiniela.GameQuiniela)
		}
	}
}

// useless refuses the terms of a whole file in which no draw has a game with them.
func (r *reader) useless(s *Schedule, values map[string]*yaml.Node) {
	if len(s.rules) > 0 && !slices.ContainsFunc(s.rules, func(one rule) bool { return one.game == quiniela.GameQuiniela }) {
		r.refuseTerms(values, "all draws are")
	}
}
