package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"quiniela"
	"quiniela/internal/wire"
)

// Standing is where an agency stands in its draw, and how its file compares with what is stored.
type Standing struct {
	wire.Progress
	Game *quiniela.Terms // of the draw; nil: the game is the specification's
	Paid uint64          // once a draw of the game quiniela is drawn: to the agency's bets, in cents
	Sent *Sent           // nil: there is no file to compare with
}

// Sent is how an agency's file compares with what is stored of it.
type Sent struct {
	Bets  int   // of the file
	Other error // not nil: the file is not the one whose beginning is stored
}

// Missing returns how many bets of the file are not stored.
func (s Standing) Missing() int {
	if s.Sent == nil || s.Sent.Other != nil {
		return 0
	}
	return s.Sent.Bets - int(s.Bets)
}

// Stand asks the server where an agency stands, and compares Options.File, unless that is empty. It changes nothing.
func Stand(ctx context.Context, c Options, log *slog.Logger) (standing Standing, err error) {
	a := newAgency(ctx, c, log)
	if err := a.guardToken(strings.Split(a.Address, ",")...); err != nil {
		return standing, err
	}
	if a.File != "" {
		if a.file, err = openChecked(ctx, a.File, a.SkipBadLines, true, func(int) {}); err != nil {
			return standing, err
		}
		defer func() { err = errors.Join(err, a.file.Close()) }()
	}
	conn, err := a.dial()
	if err != nil {
		return standing, err
	}
	s := a.open(conn)
	defer s.close()
	stored, err := s.hello()
	if err == nil {
		standing.Progress, err = s.progress()
	}
	if standing.Game = stored.Game; err == nil && standing.Game != nil && standing.State == wire.Drawn {
		standing.Paid, err = s.paid()
	}
	if err != nil {
		return standing, a.refused(err)
	}
	if a.file != nil {
		if standing.Sent = new(Sent); stored.Game.Game() != a.file.game.Game() && a.file.bets > 0 {
			standing.Sent.Other = a.otherFile(fmt.Sprintf("its bets are of the game %s, and draw %s is of %s", a.file.game.Game(), a.Draw, stored.Game.Game()))
		} else if err := a.file.under(ctx, a.Draw, stored.Game); err != nil {
			return standing, err
		} else {
			_, standing.Sent.Other = a.skipStored(stored)
		}
		standing.Sent.Bets = a.file.bets
	}
	return standing, nil
}

// progress asks where the agency stands in the connection's draw.
func (s *session) progress() (wire.Progress, error) {
	if err := s.request(wire.AppendStatus(nil, s.a.Agency), answerTimeout); err != nil {
		return wire.Progress{}, err
	}
	p, err := wire.ReadProgress(s.r)
	switch {
	case quiniela.CodeOf(err) == quiniela.Unknown:
		return p, fmt.Errorf("the server %s does not say where an agency stands: it is of an older version (%w)", s.a.Address, err)
	case err != nil:
		return p, fmt.Errorf("ask where agency %d stands: %w", s.a.Agency, err)
	}
	return p, nil
}

// paid returns what the agency's bets are paid, all together, in cents.
func (s *session) paid() (cents uint64, err error) {
	err = s.eachPrize(func(p wire.Prize) { cents += p.Cents })
	return cents, err
}
