package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"quiniela"
	"quiniela/internal/logline"
	"quiniela/internal/wire"
)

// exchange sends one request on a connection of its own and reads its reply. With a token, but never in a plain form, the
// request is framed and a hello goes before it. Only connecting is tried again: once something was sent, it is unknown what became of it.
func exchange(ctx context.Context, c *Options, b *backoff, a *agency, request []byte, read func(*bufio.Reader) error) error {
	conn, err := dial(ctx, c, b, a.log)
	if err != nil {
		return err
	}
	defer func() { a.closed("connection", conn.Close(), "server_address", c.Address) }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(pollTime)) // the reads tell
	if err := ctx.Err(); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	login := c.Token != "" && !c.Plain
	if login {
		hello := wire.AppendFrame(nil, wire.AppendHello(nil, c.Agency, c.Token, ""))
		request = append(hello, wire.AppendFrame(nil, request)...)
	}
	if err := send(conn, request); err != nil {
		return err
	}
	if login {
		if _, err := wire.ReadResume(r); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
	}
	if err := read(r); err != nil {
		return err
	}
	b.alive()
	return nil
}

func send(conn stream, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	return conn.CloseWrite()
}

// sendPlain sends the file as the specification's own client does: a connection per unnumbered batch. The form of its
// exercise 6 ends there; exercise 7 has the finish and the winners.
func (a *agency) sendPlain() error {
	b := newBackoff()
	if err := a.plainBatches(b); err != nil {
		return err
	}
	if err := a.file.unchanged(); err != nil || a.Lines {
		return err
	}
	finish := wire.AppendFrame(nil, wire.AppendFinish(nil, a.Agency, 0))
	if err := exchange(a.ctx, &a.Options, b, a, finish, wire.ReadFinishReply); err != nil {
		return fmt.Errorf("say that agency %d has finished: %w", a.Agency, err)
	}
	a.finished = true
	return a.plainWinners(b)
}

func (a *agency) plainBatches(b *backoff) error {
	cut := batcher{lines: a.file.lines(), bets: a.BatchBets, bytes: maxBody - len("8192;")}
	a.progress("send", 0)
	var body []byte
	for {
		body = body[:0]
		if !a.Lines {
			body = wire.AppendBatchHeader(body, a.Agency, 0)
		}
		var bets int
		var err error
		if body, bets, err = cut.next(body); err != nil || bets == 0 {
			return err
		}
		request := body
		if !a.Lines {
			request = wire.AppendFrame(nil, body)
		}
		if err := a.plainBatch(b, request, bets); err != nil {
			return err
		}
		a.report.Bets += bets
		a.report.Batches++
		a.progress("send", a.report.Bets)
	}
}

func (a *agency) plainBatch(b *backoff, request []byte, bets int) error {
	n := 0
	err := exchange(a.ctx, &a.Options, b, a, request, func(r *bufio.Reader) (err error) {
		n, err = wire.ReadBatchReply(r)
		return err
	})
	first := a.report.Bets + 1
	switch {
	case err != nil && lost(err):
		return fmt.Errorf("the connection was lost with bets %d to %d on their way (%w): it is unknown whether they were stored, "+
			"and a plain client cannot ask; without --plain it could", first, first+bets-1, err)
	case err != nil:
		return fmt.Errorf("bets %d to %d of agency %d: %w", first, first+bets-1, a.Agency, err)
	case n != bets:
		return fmt.Errorf("bets %d to %d of agency %d: the server acknowledged %d of %d", first, first+bets-1, a.Agency, n, bets)
	}
	return nil
}

func (a *agency) plainWinners(b *backoff) error {
	a.progress("wait", a.report.Bets)
	query := wire.AppendFrame(nil, wire.AppendQuery(nil, a.Agency, false))
	for try := 1; ; try++ {
		drawn := false
		err := exchange(a.ctx, &a.Options, b, a, query, func(r *bufio.Reader) (err error) {
			a.report.Documents, drawn, err = wire.ReadWinnersReply(r)
			return err
		})
		switch {
		case err != nil && lost(err):
			err = b.pause(a.ctx, &a.Options, err) // asking again harms nobody
		case err != nil:
			return fmt.Errorf("ask for the winners of agency %d: %w", a.Agency, err)
		case drawn:
			return nil
		default:
			err = a.asked(try)
		}
		if err != nil {
			return err
		}
	}
}

// BetFields are a single bet as the specification's environment has it.
type BetFields struct{ FirstName, LastName, Document, Birthdate, Number string }

// variables names where each field comes from.
var variables = map[string]string{
	"first_name": "NOMBRE", "last_name": "APELLIDO", "document": "DOCUMENTO", "birthdate": "NACIMIENTO", "number": "NUMERO",
}

// Bet sends one bet and returns when it is durable. In a plain form it does not name its agency, as specified.
func Bet(ctx context.Context, c Options, f BetFields, log *slog.Logger) error {
	fields := [quiniela.Fields]string{f.FirstName, f.LastName, f.Document, f.Birthdate, f.Number}
	var raw [quiniela.Fields][]byte
	for i, s := range fields {
		raw[i] = []byte(s)
	}
	if _, bad := quiniela.CheckFields(raw, quiniela.DayOf(time.Now())); bad != nil {
		return fmt.Errorf("%s (the variable %s): %s; nothing was sent", bad.Field, variables[bad.Field], bad.Reason)
	}
	a := &agency{Options: c, log: log, ctx: ctx}
	from := c.Agency
	if c.Plain {
		from = quiniela.Unattributed
	}
	var document string
	var number quiniela.Number
	err := exchange(ctx, &c, newBackoff(), a, wire.AppendBet(nil, from, fields), func(r *bufio.Reader) (err error) {
		document, number, err = wire.ReadBetReply(r)
		return err
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: it is unknown whether the bet was stored", ErrInterrupted)
	}
	if err == nil && document != f.Document {
		err = errors.New("the server acknowledged another bet")
	}
	dni := f.Document
	if c.MaskDNI {
		dni = logline.Mask(dni)
	}
	if err != nil {
		log.Error("apuesta_enviada", "result", "fail", "dni", dni, "numero", f.Number)
		return fmt.Errorf("send the bet: %w", err)
	}
	log.Info("apuesta_enviada", "result", "success", "dni", dni, "numero", number)
	return nil
}
