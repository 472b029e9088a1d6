package client

import (
	"context"
	"fmt"
	"log/slog"

	"quiniela"
	"quiniela/internal/wire"
)

// Receipts asks for the receipts of an agency's stored bets, in order, and hands each to save: of one batch, or where batch
// is 0 of all. It returns how many there were. The receipts are as the server sent them: nothing of them is verified.
func Receipts(ctx context.Context, c Options, batch uint64, log *slog.Logger, save func(batch uint64, line uint32, receipt []byte) error) (int, error) {
	a := &agency{Options: c, ctx: ctx, log: log}
	conn, err := dial(ctx, &a.Options, newBackoff(), log)
	if err != nil {
		return 0, err
	}
	s := a.open(conn)
	defer s.close()
	resume, err := s.hello()
	if err != nil {
		return 0, err
	}
	from, to := batch, batch
	if batch == 0 {
		from, to = 1, resume.Next-1
	}
	if to >= resume.Next {
		return 0, fmt.Errorf("agency %d has %d batches stored, and no batch %d", a.Agency, resume.Next-1, batch)
	}
	saved := 0
	for n := from; n <= to; n++ {
		bets, err := s.receipts(n, save)
		if saved += bets; err != nil {
			return saved, fmt.Errorf("the receipts of batch %d: %w", n, err)
		}
	}
	return saved, nil
}

// receipts asks for those of one batch: line after line, until there is none.
func (s *session) receipts(batch uint64, save func(uint64, uint32, []byte) error) (int, error) {
	for line := uint32(1); ; line++ {
		_, _ = s.w.Write(wire.AppendFrame(nil, wire.AppendReceipt(nil, s.a.Agency, batch, line))) // Flush tells
		if err := s.ask(answerTimeout); err != nil {
			return int(line - 1), err
		}
		receipt, err := wire.ReadReceiptReply(s.r)
		if line > 1 && quiniela.CodeOf(err) == quiniela.Absent {
			return int(line - 1), nil
		}
		if err == nil {
			err = save(batch, line, receipt)
		}
		if err != nil {
			return int(line - 1), err
		}
	}
}
