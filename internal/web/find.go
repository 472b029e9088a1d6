package web

import (
	"fmt"
	"net/http"
	"time"

	"quiniela"
	"quiniela/internal/journal"
	"quiniela/internal/logline"
)

// FoundBet is a person's bet.
type FoundBet struct {
	Draw     string    `json:"draw"`
	Agency   uint32    `json:"agency"`
	Batch    uint64    `json:"batch"`
	Line     int       `json:"line"` // in the batch, from 1
	Bet      string    `json:"bet"`  // the line as it was sent
	Number   uint16    `json:"number"`
	Received time.Time `json:"received"`
	Drawn    bool      `json:"drawn"` // the draw has its result
	Won      bool      `json:"won"`
	Hits     int       `json:"hits,omitempty"` // at how many prizes, in the game quiniela
	Paid     uint64    `json:"paid,omitempty"` // in cents, in the game quiniela
}

// mostFound is the most bets of a person in an answer.
const mostFound = 1000

// find answers with a person's bets. That somebody looked for them is in the trail before they are shown, with a document of which only
// the end is there: the trail is never forgotten.
func (s *Site) find(r *http.Request) (any, error) {
	var body struct {
		Document string `json:"document"`
		Draw     string `json:"draw"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	document, err := quiniela.ParseUint(body.Document, 32)
	if err != nil || len(body.Document) > quiniela.MaxDocumentDigits {
		return nil, quiniela.Refuse(quiniela.Invalid, "document %q: want 1 to %d digits", body.Document, quiniela.MaxDocumentDigits)
	}
	found, err := s.Ledger.FindBets(r.Context(), body.Draw, uint32(document), mostFound+1)
	if err != nil {
		return nil, err
	}
	more := len(found) > mostFound
	found = found[:min(len(found), mostFound)]
	by := visitorOf(r).actor
	act := journal.Act{
		What: journal.ActFind, Who: by.Name, From: by.From, Draw: body.Draw, About: "document " + logline.Mask(body.Document), Note: fmt.Sprintf("%d bets shown", len(found)),
	}
	if err := s.Ledger.Record(r.Context(), act); err != nil {
		return nil, err
	}
	s.Log.Info("find", "result", "success", "who", by.Name, "ip", by.From, "bets", len(found))
	bets := make([]FoundBet, len(found))
	for i, b := range found {
		bets[i] = FoundBet{
			Draw: b.Draw.ID, Agency: uint32(b.Agency), Batch: b.Batch, Line: b.Line, Bet: b.Text, Number: uint16(b.Play.Number),
			Received: time.UnixMicro(b.Received).UTC(), Drawn: b.Draw.Result != nil, Won: b.Won(),
		}
		if b.Draw.Game != nil {
			bets[i].Hits, bets[i].Paid = b.Draw.Pays(b.Play)
		}
	}
	return map[string]any{"bets": bets, "more": more}, nil
}
