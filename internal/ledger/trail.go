package ledger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2"

	"quiniela"
	"quiniela/internal/journal"
)

// This file is the audit trail: who did what, in the journal, where nobody can remove it without breaking the chain. What a person does is
// recorded in the same commit as what it changes.

// Actor is who acts on the lottery, and from where. The zero value is the lottery itself, which leaves no act in the trail.
type Actor struct {
	// Name is an operator's, or "local:" and a user of the operating system who has the data folder, or "server" and a part of the lottery
	// that acts for its operator, as in "server:schedule".
	Name       string
	From       string // a network address, or "socket"
	Registered bool   // Name is an operator's who has shown a key
}

// maxField is the most bytes of a field of an act.
const maxField = 300

// act appends an act of somebody to the group. What the lottery does by itself is none.
func (g *group) act(ctx context.Context, by Actor, a journal.Act) error {
	if by.Name == "" {
		return nil
	}
	a.Who, a.From, a.At = by.Name, by.From, g.l.now().UnixMicro()
	return g.addAct(ctx, a)
}

func (g *group) addAct(ctx context.Context, a journal.Act) error {
	for _, field := range []*string{&a.What, &a.Who, &a.From, &a.Draw, &a.About, &a.Note, &a.Failed, &a.Registry} {
		*field = cutField(*field)
	}
	return g.add(ctx, journal.Encode(a), a, nil, nil)
}

// cutField returns a printable text of maxField bytes at most.
func cutField(s string) string {
	s = quiniela.Printable(s)
	if len(s) <= maxField {
		return s
	}
	end := maxField - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// Record writes acts into the trail, durably and in order. A change of a registry that is there already is left out.
func (l *Ledger) Record(ctx context.Context, acts ...journal.Act) error {
	if len(acts) == 0 {
		return nil
	}
	return l.do(ctx, &request{acts: acts})
}

func (g *group) decideActs(ctx context.Context, acts []journal.Act) error {
	for _, a := range acts {
		if a.Registry != "" && a.Change <= g.t.lastChange(a.Registry) {
			continue
		}
		if a.At == 0 {
			a.At = g.l.now().UnixMicro()
		}
		if err := g.addAct(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// LastChange returns the number of the last change of a registry that the trail has; 0: none.
func (l *Ledger) LastChange(registry string) uint64 {
	l.state.mu.RLock()
	defer l.state.mu.RUnlock()
	return l.state.changes[registry]
}

func (t *transaction) lastChange(registry string) uint64 {
	if n, ok := t.changes[registry]; ok {
		return n
	}
	return t.s.changes[registry]
}

// addAct keeps an act where Trail finds it.
func (t *transaction) addAct(a journal.Act) error {
	if a.Registry != "" {
		if last := t.lastChange(a.Registry); a.Change <= last {
			return fmt.Errorf("change %d of registry %s is recorded, where %d is the last", a.Change, a.Registry, last)
		}
		t.changes[a.Registry] = a.Change
	}
	row, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return t.batch.Set(actKey(t.next), row, nil)
}

func actKey(position uint64) []byte { return binary.BigEndian.AppendUint64([]byte{keyAct}, position) }

func changeKey(registry string) []byte { return append([]byte{keyChange}, registry...) }

func (s *state) loadChange(k, v []byte) error {
	if len(v) != 8 {
		return fmt.Errorf("a registry's row of %d bytes", len(v))
	}
	s.changes[string(k[1:])] = binary.BigEndian.Uint64(v)
	return nil
}

// Recorded is an act with its place in the journal.
type Recorded struct {
	Position uint64 // of its entry
	journal.Act
}

// Trail returns the acts before a position, or the last ones where it is 0, the newest first and most of them at most. Those that match
// does not want, where it is not nil, are left out. before is where the next, older ones are asked for; 0: there are none.
func (l *Ledger) Trail(ctx context.Context, from uint64, most int, match func(journal.Act) bool) (acts []Recorded, before uint64, err error) {
	if err := l.fresh(ctx); err != nil {
		return nil, 0, err
	}
	end := after([]byte{keyAct})
	if from != 0 {
		end = actKey(from)
	}
	it, err := l.state.db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyAct}, UpperBound: end})
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.Last(); ok; ok = it.Prev() {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, 0, err
		}
		r := Recorded{Position: binary.BigEndian.Uint64(it.Key()[1:])}
		if err := json.Unmarshal(v, &r.Act); err != nil {
			return nil, 0, fmt.Errorf("the act at %d: %w", r.Position, err)
		}
		if match != nil && !match(r.Act) {
			continue
		}
		if len(acts) == most {
			return acts, acts[most-1].Position, nil
		}
		acts = append(acts, r)
	}
	return acts, 0, it.Error()
}
