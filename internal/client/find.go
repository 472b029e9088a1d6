package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"quiniela"
)

// Found is a bet of the agency's file.
type Found struct {
	Line   int      // of the file, from 1
	Cells  []string // of the line, as the file has them: quiniela.Fields, and in the game quiniela one or two more
	Draw   string   // where there are proofs: the draw that has the bet
	Batch  uint64   // likewise: the batch that the bet came in, from 1
	Entry  uint64   // likewise: the index of the batch's entry in the log
	Signed string   // likewise: the origin of the log
}

// Find hands the bets of a document to found, in the order of the agency's file, and returns how many there are. Documents are compared
// as numbers: 00000042 is 42. With proofs, which may be nil, it checks them all against the file, as Receipts does, and says of each bet
// where it is stored. Of Options it needs File and, for the proofs, Proofs and LogKey. Lines that are no bet are left out; bad is how
// many.
func Find(ctx context.Context, o Options, proofs io.Reader, log *slog.Logger, document uint32, found func(Found) error) (bets, bad int, err error) {
	o.SkipBadLines = true
	f, err := openChecked(ctx, o.File, true, true, func(int) {})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	bad = len(f.bad) + f.worse
	if proofs != nil {
		err = eachProven(ctx, o, proofs, log, func(b provenBatch) error {
			i := 0
			for line := range quiniela.StoredLines(b.bets) {
				n, err := pick(b.head.Game, line, document, Found{Line: b.lines[i], Draw: b.head.Draw, Batch: b.number, Entry: b.proof.Index, Signed: b.log.Origin}, found)
				if bets += n; err != nil {
					return err
				}
				i++
			}
			return nil
		})
		return bets, bad, err
	}
	for lines := f.lines(); ; {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return bets, bad, nil
		}
		if err != nil {
			return bets, bad, err
		}
		n, err := pick(f.game, line, document, Found{Line: lines.line}, found)
		if bets += n; err != nil {
			return bets, bad, err
		}
	}
}

// pick hands a bet to found if it is of the document, and returns how many it handed over.
func pick(game *quiniela.Terms, line []byte, document uint32, bet Found, found func(Found) error) (int, error) {
	parsed, err := game.StoredBet(line)
	if err != nil {
		return 0, fmt.Errorf("line %d: %w", bet.Line, err)
	}
	if parsed.Document != document {
		return 0, nil
	}
	bet.Cells = strings.Split(string(line), ",")
	return 1, found(bet)
}
