package web

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// This file is what people do to draws and to the journal, by the API and by the pages' forms.

// Terms are the terms of a new draw.
type Terms struct {
	ID       string     `json:"id"`
	Agencies uint32     `json:"agencies"`
	Closes   *time.Time `json:"closes,omitempty"`
	Source   string     `json:"source"`
	Number   *uint16    `json:"number,omitempty"` // the winning number, if the source is fixed
	// Two says whether two people must enter a notary's number; absent: if two are registered who may.
	Two   *bool      `json:"two_people,omitempty"`
	Game  string     `json:"game,omitempty"`  // specified or quiniela; absent: specified
	Terms *GameTerms `json:"terms,omitempty"` // of the game quiniela; absent: those that are usual
}

// GameTerms are the terms of a new draw of the game quiniela. What is absent is as usual, see quiniela.DefaultTerms.
type GameTerms struct {
	Multipliers []uint32 `json:"multipliers,omitempty"` // for 1, 2, 3 and 4 digits
	MinStake    *uint64  `json:"min_stake,omitempty"`   // of a bet, in cents
	MaxStake    uint64   `json:"max_stake,omitempty"`   // of a bet, in cents; 0: none
	Cap         uint32   `json:"cap,omitempty"`         // times what was staked; 0: none
}

// game returns the terms of the game of a new draw; nil is the specification's, which has none.
func (t Terms) game() (*quiniela.Terms, error) {
	switch t.Game {
	case "", quiniela.GameSpecified:
		if t.Terms != nil {
			return nil, quiniela.Refuse(quiniela.Invalid, "terms: the game %s has none; they are for \"game\": %q", quiniela.GameSpecified, quiniela.GameQuiniela)
		}
		return quiniela.Specified, nil
	case quiniela.GameQuiniela:
	default:
		return nil, quiniela.Refuse(quiniela.Invalid, "game: %q: want %s or %s", quiniela.Clip(t.Game), quiniela.GameSpecified, quiniela.GameQuiniela)
	}
	game := quiniela.DefaultTerms()
	if t.Terms == nil {
		return &game, nil
	}
	if m := t.Terms.Multipliers; m != nil {
		if len(m) != len(game.Multipliers) {
			return nil, quiniela.Refuse(quiniela.Invalid, "terms: %d multipliers: want %d, for 1 to %d digits", len(m), len(game.Multipliers), len(game.Multipliers))
		}
		game.Multipliers = [quiniela.MaxDigits]uint32(m)
	}
	if t.Terms.MinStake != nil {
		game.MinStake = *t.Terms.MinStake
	}
	game.MaxStake, game.Cap = t.Terms.MaxStake, t.Terms.Cap
	return &game, nil
}

func (s *Site) openDraw(r *http.Request) (any, error) {
	var t Terms
	if err := readBody(r, &t); err != nil {
		return nil, err
	}
	d, err := s.open(r, t)
	return newDraw(d, true), err
}

// open opens a draw for a request's visitor.
func (s *Site) open(r *http.Request, t Terms) (ledger.Draw, error) {
	terms := ledger.Terms{ID: t.ID, Agencies: t.Agencies, Rule: draw.Rule{Source: draw.Source(t.Source)}}
	if t.Closes != nil {
		terms.Closes = *t.Closes
	}
	if t.Number != nil {
		number := quiniela.Number(*t.Number)
		terms.Rule.Fixed = &number
	}
	var err error
	if terms.Game, err = t.game(); err != nil {
		return ledger.Draw{}, err
	}
	if terms.Two, err = s.twoPeople(t); err != nil {
		return ledger.Draw{}, err
	}
	d, err := s.Ledger.OpenDraw(r.Context(), visitorOf(r).actor, terms)
	s.done(r, "draw_open", t.ID, err)
	return d, err
}

// twoPeople says whether two people must enter the number of a new draw.
func (s *Site) twoPeople(t Terms) (bool, error) {
	may := s.whoMayEnter()
	switch {
	case t.Two == nil:
		return t.Source == string(quiniela.SourceNotary) && may >= 2, nil
	case *t.Two && may < 2:
		return false, quiniela.Refuse(quiniela.Invalid, "two people are to enter the number of draw %s, and %d may: register them with `quiniela operator add`", t.ID, may)
	}
	return *t.Two, nil
}

// whoMayEnter is how many people are registered who may enter a number.
func (s *Site) whoMayEnter() int {
	if s.Operators == nil {
		return 0
	}
	return s.Operators.Count(operators.Notary)
}

// done logs an operator's action and how it ended.
func (s *Site) done(r *http.Request, action, id string, err error) {
	by := visitorOf(r).actor
	if err != nil {
		s.Log.Warn(action, "result", "fail", "draw", id, "who", by.Name, "ip", by.From, "error", err)
		return
	}
	s.Log.Info(action, "result", "success", "draw", id, "who", by.Name, "ip", by.From)
}

func (s *Site) closeDraw(r *http.Request) (any, error) {
	var body struct {
		Note string `json:"note"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	d, err := s.close(r, body.Note)
	return newDraw(d, true), err
}

// close closes the draw that a request's address names, for its visitor.
func (s *Site) close(r *http.Request, note string) (ledger.Draw, error) {
	d, err := s.Ledger.CloseDraw(r.Context(), visitorOf(r).actor, r.PathValue("id"), note)
	s.done(r, "draw_close", r.PathValue("id"), err)
	return d, err
}

// enterNumber enters a notary's number, all twenty of an extract, or a round of the beacon.
func (s *Site) enterNumber(r *http.Request) (any, error) {
	var body struct {
		Number  *uint16           `json:"number"`
		Prizes  []quiniela.Number `json:"prizes"`
		Extract string            `json:"extract"`
		Beacon  json.RawMessage   `json:"beacon"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	given := 0
	for _, is := range []bool{body.Number != nil, body.Prizes != nil, body.Beacon != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, quiniela.Refuse(quiniela.Invalid, "the body must have one of a number, prizes and a beacon")
	}
	if body.Beacon != nil {
		return s.enterBeacon(r, body.Beacon)
	}
	extract, err := hex.DecodeString(body.Extract)
	if err != nil {
		return nil, quiniela.Refuse(quiniela.Invalid, "extract: want the SHA-256 of the official extract, in hexadecimal")
	}
	if body.Number != nil {
		body.Prizes = []quiniela.Number{quiniela.Number(*body.Number)}
	}
	d, err := s.enter(r, body.Prizes, extract)
	return newDraw(d, true), err
}

// enter enters numbers for the draw that a request's address names, for its visitor: the winning number alone, or the twenty of an extract.
// extract is the SHA-256 of the official extract, or nil.
func (s *Site) enter(r *http.Request, numbers []quiniela.Number, extract []byte) (d ledger.Draw, err error) {
	id, by := r.PathValue("id"), visitorOf(r).actor
	if len(numbers) == 1 {
		d, err = s.Ledger.EnterNumber(r.Context(), by, id, numbers[0], extract)
	} else {
		d, err = s.Ledger.EnterPrizes(r.Context(), by, id, numbers, extract)
	}
	s.done(r, "draw_enter", id, err)
	return d, err
}

func (s *Site) enterBeacon(r *http.Request, round []byte) (any, error) {
	b, err := draw.ParseBeacon(round)
	if err != nil {
		return nil, quiniela.Refuse(quiniela.Invalid, "%v", err)
	}
	id := r.PathValue("id")
	d, err := s.Ledger.EnterBeacon(r.Context(), visitorOf(r).actor, id, b)
	s.done(r, "draw_enter", id, err)
	return newDraw(d, true), err
}

func (s *Site) backup(r *http.Request) (any, error) {
	var body struct {
		Dir string `json:"dir"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	switch {
	case s.Backup == nil:
		return nil, quiniela.Refuse(quiniela.Absent, "the journal is not in this server's data folder: back up the database")
	case !filepath.IsAbs(body.Dir):
		return nil, quiniela.Refuse(quiniela.Invalid, "the folder %q is not an absolute path", body.Dir)
	}
	last, err := s.Backup(r.Context(), filepath.Clean(body.Dir))
	s.record(r, visitorOf(r), journal.Act{What: journal.ActBackup, About: body.Dir}, err)
	if err != nil {
		return nil, quiniela.Refuse(quiniela.Invalid, "the backup was not made: %v", err)
	}
	return map[string]any{"dir": body.Dir, "last": last}, nil
}
