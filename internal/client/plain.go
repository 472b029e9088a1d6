package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"quiniela"
	"quiniela/internal/logline"
	"quiniela/internal/wire"
)

// exchange sends one request on a connection of its own and reads its reply. With a token, and not in a plain form, the
// request is framed and a hello precedes it. Only connecting is tried again: once something was sent, nobody knows whether it
// was stored.
func (a *agency) exchange(request []byte, read func(*bufio.Reader) error) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	defer func() { a.closed("connection", conn.Close(), "server_address", a.Address) }()
	stop := context.AfterFunc(a.ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(pollTime)); err != nil {
		return err
	}
	if err := a.ctx.Err(); err != nil {
		return err // if it ended just now, its deadline was overwritten
	}
	login := a.Token != "" && !a.Plain
	if login {
		hello := wire.AppendFrame(nil, wire.AppendHello(nil, a.Agency, a.Token, ""))
		request = append(hello, wire.AppendFrame(nil, request)...)
	}
	if err := sendAll(conn, request); err != nil {
		return err
	}
	a.reader.Reset(conn)
	if login {
		if _, err := wire.ReadResume(a.reader); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
	}
	if err := read(a.reader); err != nil {
		return err
	}
	a.backoff.alive()
	if a.told.Stage == "connect" {
		a.tell(Progress{Stage: "connected", Since: time.Now(), Bets: a.report.Bets})
	}
	return nil
}

// sendAll sends a request and ends the sending side of the connection, which tells the server that no more follows.
func sendAll(conn net.Conn, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	return conn.(interface{ CloseWrite() error }).CloseWrite() // TCP and TLS connections both have it
}

// sendPlain sends the file as the specification's own client does: a connection per unnumbered batch. The form of its
// exercise 6 (Lines) has nothing after the batches; exercise 7 adds the finish and the winners.
func (a *agency) sendPlain() error {
	if err := a.plainBatches(); err != nil {
		return err
	}
	if err := a.file.unchanged(); err != nil {
		return err
	}
	if a.Lines {
		return nil
	}
	finish := wire.AppendFrame(nil, wire.AppendFinish(nil, a.Agency, 0))
	if err := a.exchange(finish, wire.ReadFinishReply); err != nil {
		return fmt.Errorf("say that agency %d has finished: %w", a.Agency, err)
	}
	a.finished, a.file.sent = true, true
	return a.plainWinners()
}

func (a *agency) plainBatches() error {
	cut := batcher{lines: a.file.lines(), bets: a.BatchBets, bytes: maxBody - len("8192;")}
	a.progress("send", 0)
	var body, frame []byte
	for {
		body = body[:0]
		if !a.Lines {
			body = wire.AppendBatchHeader(body, a.Agency, 0)
		}
		bets := 0
		var err error
		if body, bets, err = cut.next(body); err != nil {
			return err
		}
		if bets == 0 {
			return nil
		}
		request := body
		if !a.Lines {
			frame = wire.AppendFrame(frame[:0], body)
			request = frame
		}
		if err := a.plainBatch(request, bets); err != nil {
			return err
		}
		a.report.Bets += bets
		a.report.Batches++
		a.progress("send", a.report.Bets)
	}
}

// plainBatch sends one batch, and returns once it is acknowledged.
func (a *agency) plainBatch(request []byte, bets int) error {
	acknowledged := 0
	err := a.exchange(request, func(r *bufio.Reader) (err error) {
		acknowledged, err = wire.ReadBatchReply(r)
		return err
	})
	first, last := a.report.Bets+1, a.report.Bets+bets
	if lost(err) {
		return fmt.Errorf("the connection was lost with bets %d to %d on their way (%w): it is unknown whether they were stored, "+
			"and a plain client cannot ask; without --plain it could", first, last, err)
	}
	if err == nil && acknowledged != bets {
		err = fmt.Errorf("the server acknowledged %d of %d", acknowledged, bets)
	}
	err = a.plainReason(err)
	if err != nil {
		return fmt.Errorf("bets %d to %d of agency %d: %w", first, last, a.Agency, err)
	}
	return nil
}

// plainReason adds to the refusal of a batch what may be behind it: the form gives no reason, and servers take little from those who have not
// shown who they are.
func (a *agency) plainReason(err error) error {
	code := quiniela.CodeOf(err)
	if code == quiniela.Invalid {
		err = fmt.Errorf("%w; it may be that the draw is of another game than this file, which has bets of the game %s", err, a.file.game.Game())
	}
	switch {
	case (code == quiniela.Invalid || code == quiniela.TooLarge) && !a.certified():
		return fmt.Errorf("%w; it may also be that the server has registered its agencies: leave --plain out, and give the token with --token-file, "+
			"or show a certificate (--tls-cert)", err)
	case code == quiniela.Invalid:
		return fmt.Errorf("%w: leave --plain out, and the reason is said", err)
	}
	return err
}

// plainWinners asks for the winners until the draw is done, Tries times at most if that is not 0.
func (a *agency) plainWinners() error {
	a.progress("wait", a.report.Bets)
	query := wire.AppendFrame(nil, wire.AppendQuery(nil, a.Agency, false))
	for try := 1; ; try++ {
		drawn := false
		err := a.exchange(query, func(r *bufio.Reader) (err error) {
			a.report.Documents, drawn, err = wire.ReadWinnersReply(r)
			return err
		})
		switch {
		case lost(err):
			err = a.pause(err) // a question can be repeated
		case err != nil:
			return fmt.Errorf("ask for the winners of agency %d: %w", a.Agency, err)
		case drawn:
			return nil
		default:
			err = a.pauseAsking(try)
		}
		if err != nil {
			return err
		}
	}
}

// reasonForBet returns why a bet was refused. The refusal of a single bet has no code, and where nothing was shown it may be for want of a
// login: a hello is refused with the code then.
func (a *agency) reasonForBet(err error) error {
	if quiniela.CodeOf(err) != quiniela.Invalid || a.Plain || a.Token != "" {
		return err
	}
	conn, failed := a.dial()
	if failed != nil {
		return err
	}
	s := a.open(conn)
	defer s.close()
	if _, denied := s.hello(); quiniela.CodeOf(denied) == quiniela.Denied {
		return denied
	}
	return err
}

// BetFields are a single bet, as the specification's environment variables give it.
type BetFields struct{ FirstName, LastName, Document, Birthdate, Number string }

// variables names the variable of each field, by the field's name in a quiniela.LineError.
var variables = map[string]string{
	"first_name": "NOMBRE", "last_name": "APELLIDO", "document": "DOCUMENTO", "birthdate": "NACIMIENTO", "number": "NUMERO",
}

// Bet sends one bet and returns when the central has stored it durably. In a plain form the request does not name the agency,
// as specified.
func Bet(ctx context.Context, c Options, f BetFields, log *slog.Logger) error {
	fields := [quiniela.Fields]string{f.FirstName, f.LastName, f.Document, f.Birthdate, f.Number}
	var raw [quiniela.Fields][]byte
	for i, s := range fields {
		raw[i] = []byte(s)
	}
	if _, bad := quiniela.Specified.CheckFields(raw[:], quiniela.DayOf(time.Now())); bad != nil {
		return fmt.Errorf("%s (the variable %s): %s; nothing was sent", bad.Field, variables[bad.Field], bad.Reason)
	}
	from := c.Agency
	if c.Plain {
		from = quiniela.Unattributed
	}
	var document string
	var number quiniela.Number
	a := newAgency(ctx, c, log)
	err := a.exchange(wire.AppendBet(nil, from, fields), func(r *bufio.Reader) (err error) {
		document, number, err = wire.ReadBetReply(r)
		return err
	})
	err = a.refused(a.reasonForBet(err))
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
