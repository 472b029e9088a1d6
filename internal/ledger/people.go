package ledger

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"quiniela"
	"quiniela/internal/journal"
)

// This file has the rule of two people: a notary's number takes effect when two have entered the same, the second without seeing what the
// first has entered.

// decideOneOfTwo takes a number from the first of two people, or from the second.
func (g *group) decideOneOfTwo(ctx context.Context, r *request, d Draw, e enterRequest) error {
	if !r.by.Registered {
		r.err = quiniela.Refuse(quiniela.Denied, "draw %s needs two people for its number, and each must show who they are: give the key of a registered operator", d.ID)
		return nil
	}
	one := journal.Entered{Draw: d.Seq, Number: e.number, Prizes: e.prizes, Extract: e.extract, Who: r.by.Name, At: g.l.now().UnixMicro()}
	switch first := d.First; {
	case first == nil || first.Who == one.Who:
		if err := g.add(ctx, journal.Encode(one), one, nil, nil); err != nil {
			return err
		}
		return g.act(ctx, r.by, journal.Act{What: journal.ActEnter, Draw: d.ID, Note: "the first of two"})
	case !sameEntry(*first, one):
		r.err = quiniela.Refuse(quiniela.Conflict, "the two people have entered different numbers or extracts for draw %s, and neither counts: look at the official extract together, "+
			"and both enter it again", d.ID)
		if err := g.add(ctx, journal.Encode(one), one, nil, nil); err != nil {
			return err
		}
		return g.act(ctx, r.by, journal.Act{What: journal.ActDiffer, Draw: d.ID, Note: fmt.Sprintf("%s and %s entered %s", first.Who, one.Who, difference(*first, one))})
	default:
		n := journal.Number{Draw: d.Seq, Number: e.number, Prizes: e.prizes, Extract: e.extract, By: []string{first.Who, one.Who}, At: one.At}
		return g.enter(ctx, r, d, n)
	}
}

func sameEntry(a, b journal.Entered) bool {
	return a.Number == b.Number && slices.Equal(a.Prizes, b.Prizes) && bytes.Equal(a.Extract, b.Extract)
}

// difference says in what two people differ, and not what they entered: both enter it again, and neither is to see the other's. The journal
// has it.
func difference(a, b journal.Entered) string {
	if a.Number != b.Number || !slices.Equal(a.Prizes, b.Prizes) {
		return "different numbers"
	}
	return "different extracts"
}

// addEntered applies what one of two people has entered.
func (t *transaction) addEntered(e journal.Entered) error {
	d, ok := t.draw(e.Draw)
	if !ok || !d.Sealed || d.Entered != nil || !d.Two || e.Who == "" {
		return fmt.Errorf("%q enters a number of draw %d, which does not wait for two people", e.Who, e.Draw)
	}
	if err := checkEntered(d, e.Number, e.Prizes); err != nil {
		return err
	}
	switch {
	case d.First == nil || d.First.Who == e.Who:
		d.First = &e
	case sameEntry(*d.First, e):
		return fmt.Errorf("the second person enters the same number of draw %d, and it has no effect", e.Draw)
	default:
		d.First = nil
	}
	t.draws[e.Draw] = d
	return nil
}

// checkPeople reports a number that was not entered by as many people as its draw needs.
func (d Draw) checkPeople(n journal.Number) error {
	if !d.Two {
		if len(n.By) > 1 {
			return fmt.Errorf("the number of draw %d was entered by %d people, and it needs one", n.Draw, len(n.By))
		}
		return nil
	}
	first := d.First
	if first == nil || len(n.By) != 2 || n.By[0] != first.Who || n.By[1] == first.Who || n.By[1] == "" || first.Number != n.Number || !slices.Equal(first.Prizes, n.Prizes) || !bytes.Equal(first.Extract, n.Extract) {
		return fmt.Errorf("the number of draw %d was not entered by two people", n.Draw)
	}
	return nil
}
