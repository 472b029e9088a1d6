package client

import (
	"context"
	"fmt"
	"log/slog"

	"quiniela"
	"quiniela/internal/wire"
)

// Receipts asks for the receipts of an agency's stored bets, in stored order, and hands each to save: those of one batch, or
// of all if batch is 0. line counts from 1 within its batch. It returns how many receipts were saved. They are as the server
// sent them: Receipts verifies nothing.
func Receipts(ctx context.Context, c Options, batch uint64, log *slog.Logger, save func(batch uint64, line uint32, receipt []byte) error) (int, error) {
	a := newAgency(ctx, c, log)
	conn, err := a.dial()
	if err != nil {
		return 0, err
	}
	s := a.open(conn)
	defer s.close()
	resume, err := s.hello()
	if err != nil {
		return 0, err
	}
	first, last := batch, batch
	if batch == 0 {
		first, last, a.total = 1, resume.Next-1, int(resume.Bets)
	}
	if last >= resume.Next {
		return 0, fmt.Errorf("agency %d has %d batches stored, and no batch %d", a.Agency, resume.Next-1, batch)
	}
	saved := 0
	for n := first; n <= last; n++ {
		ofBatch, err := s.receipts(n, save)
		saved += ofBatch
		a.progress("fetch", saved)
		if err != nil {
			return saved, fmt.Errorf("the receipts of batch %d: %w", n, err)
		}
	}
	a.progress("done", saved)
	return saved, nil
}

// receipts saves those of one batch and returns how many it saved. The server does not say how many bets the batch has: the
// first line without a receipt is past the last bet.
func (s *session) receipts(batch uint64, save func(uint64, uint32, []byte) error) (saved int, err error) {
	for line := uint32(1); ; line++ {
		if err := s.request(wire.AppendReceipt(nil, s.a.Agency, batch, line), answerTimeout); err != nil {
			return saved, err
		}
		receipt, err := wire.ReadReceiptReply(s.r)
		if line > 1 && quiniela.CodeOf(err) == quiniela.Absent {
			return saved, nil
		}
		if err != nil {
			return saved, err
		}
		if err := save(batch, line, receipt); err != nil {
			return saved, err
		}
		saved++
	}
}
