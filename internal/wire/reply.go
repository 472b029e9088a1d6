package wire

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quiniela"
)

// Fixed replies.
const (
	InProgress = "in_progress-sorteo_no_listo"
	ackFinish  = "ack_notify"
	failPlain  = "fail|0"
)

// Hash is the SHA-256 of a batch's bet lines, each trimmed and ended by '\n'.
type Hash [sha256.Size]byte

// Resume is the reply to hello: what the central has of an agency, so that the agency can go on from there.
type Resume struct {
	Next     uint64          // the next batch's number, from 1
	Bets     uint64          // bets stored
	LastBets uint64          // of them, those in the last batch
	LastHash Hash            // of the last batch; zero if there is none
	Draw     string          // the draw's name; empty if the hello had no field for it
	Game     *quiniela.Terms // of the draw; nil: the game is the specification's, or the hello had no field for the draw
}

// AppendBatchOK appends the reply to a stored batch.
func AppendBatchOK(dst []byte, bets int) []byte {
	return append(strconv.AppendInt(append(dst, "success|"...), int64(bets), 10), '\n')
}

// AppendBetOK appends the reply to a stored single bet.
func AppendBetOK(dst, document []byte, n quiniela.Number) []byte {
	dst = append(append(dst, "ok|"...), document...)
	return append(strconv.AppendUint(append(dst, '|'), uint64(n), 10), '\n')
}

// AppendFinishOK appends the reply to notify_finished.
func AppendFinishOK(dst []byte) []byte { return append(append(dst, ackFinish...), '\n') }

// AppendInProgress appends the reply to a query before the draw.
func AppendInProgress(dst []byte) []byte { return append(append(dst, InProgress...), '\n') }

// AppendListHead appends the first line of the reply `ok|<N>`; N lines follow it.
func AppendListHead(dst []byte, n uint32) []byte {
	return append(strconv.AppendUint(append(dst, "ok|"...), uint64(n), 10), '\n')
}

// AppendResume appends the reply to hello.
func AppendResume(dst []byte, r Resume) []byte {
	dst = append(dst, "ok"...)
	dst = appendField(appendField(appendField(dst, r.Next), r.Bets), r.LastBets)
	dst = append(dst, '|')
	dst = hex.AppendEncode(dst, r.LastHash[:])
	if r.Draw != "" {
		dst = append(append(dst, '|'), r.Draw...)
		if r.Game != nil {
			dst = append(append(dst, '|'), r.Game.String()...)
		}
	}
	return append(dst, '\n')
}

// AppendError appends the refusal of r, in the form of its verb: the specification's bare `fail|0` for an unnumbered batch,
// `fail|||<reason>` for a single bet, `fail|0|<code>|<detail>` for everything else. An error that has no *quiniela.Error in its
// chain is quiniela.Internal, and its text stays here.
func AppendError(dst []byte, r Request, err error) []byte {
	code, detail := quiniela.Internal, "the server has failed and is stopping; ask again when it is back"
	var e *quiniela.Error
	if errors.As(err, &e) {
		code, detail = e.Code, oneLine(e.Detail)
	}
	switch {
	case r.Verb == Bet:
		dst = append(append(dst, "fail|||"...), detail...)
	case r.Verb == Batch && r.Batch == 0:
		dst = append(dst, failPlain...)
	default:
		dst = append(append(append(dst, failPlain...), '|'), code...)
		dst = append(append(dst, '|'), detail...)
	}
	return append(dst, '\n')
}

// oneLine replaces what would end the reply early or add a field to it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '|':
			return '/'
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return r
	}, s)
}

// ErrReply is wrapped by every error that says that a reply was not one the protocol allows.
var ErrReply = errors.New("the reply is not one the protocol allows")

// ReadBatchReply reads the reply to a batch: the number of bets stored, or the refusal as a *quiniela.Error.
func ReadBatchReply(r *bufio.Reader) (int, error) {
	line, err := readLine(r)
	if err != nil {
		return 0, err
	}
	if s, ok := strings.CutPrefix(line, "success|"); ok {
		if n, err := strconv.Atoi(s); err == nil && n >= 0 {
			return n, nil
		}
	}
	return 0, refusal(line)
}

// ReadBetReply reads the reply to a single bet.
func ReadBetReply(r *bufio.Reader) (document string, number quiniela.Number, err error) {
	line, err := readLine(r)
	if err != nil {
		return "", 0, err
	}
	f := strings.Split(line, "|")
	if len(f) == 3 && f[0] == "ok" {
		if n, err := strconv.ParseUint(f[2], 10, 16); err == nil {
			return f[1], quiniela.Number(n), nil
		}
	}
	if reason, ok := strings.CutPrefix(line, "fail|||"); ok {
		return "", 0, &quiniela.Error{Code: quiniela.Invalid, Detail: reason}
	}
	return "", 0, refusal(line)
}

// ReadFinishReply reads the reply to notify_finished.
func ReadFinishReply(r *bufio.Reader) error {
	line, err := readLine(r)
	if err != nil || line == ackFinish {
		return err
	}
	return refusal(line)
}

// ReadWinnersReply reads the reply to query_winners or wait_winners. drawn is false while the draw is not done.
func ReadWinnersReply(r *bufio.Reader) (documents []string, drawn bool, err error) {
	line, err := readLine(r)
	if err != nil || line == InProgress {
		return nil, false, err
	}
	s, ok := strings.CutPrefix(line, "ok|")
	if !ok {
		return nil, false, refusal(line)
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return nil, false, refusal(line)
	}
	for range n {
		if line, err = readLine(r); err != nil {
			return nil, false, err
		}
		documents = append(documents, line)
	}
	return documents, true, nil
}

// Prize is what a winning bet is paid: a line of the reply to query_prizes.
type Prize struct {
	Batch    uint64
	Line     int // in the batch, from 1
	Document string
	Hits     int
	Cents    uint64 // 0 in the specification's game
}

// AppendPrize appends a line of the reply to query_prizes.
func AppendPrize(dst []byte, p Prize) []byte {
	dst = append(strconv.AppendUint(dst, p.Batch, 10), '|')
	dst = append(strconv.AppendInt(dst, int64(p.Line), 10), '|')
	dst = append(append(dst, p.Document...), '|')
	dst = append(strconv.AppendInt(dst, int64(p.Hits), 10), '|')
	return append(strconv.AppendUint(dst, p.Cents, 10), '\n')
}

// ReadPrizesReply reads the reply to query_prizes, and calls f with each prize in their order. drawn is false while the draw is not done.
func ReadPrizesReply(r *bufio.Reader, f func(Prize) error) (drawn bool, err error) {
	line, err := readLine(r)
	if err != nil || line == InProgress {
		return false, err
	}
	s, ok := strings.CutPrefix(line, "ok|")
	if !ok {
		return false, refusal(line)
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return false, refusal(line)
	}
	for range n {
		if line, err = readLine(r); err != nil {
			return false, err
		}
		p, err := parsePrize(line)
		if err == nil {
			err = f(p)
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// parsePrize reads batch|line|document|hits|cents.
func parsePrize(line string) (p Prize, err error) {
	f := strings.Split(line, "|")
	if len(f) != 5 {
		return p, fmt.Errorf("%w: %q", ErrReply, quiniela.Clip(line))
	}
	var errs [4]error
	var place, hits uint64
	p.Document = f[2]
	p.Batch, errs[0] = quiniela.ParseUint(f[0], 63)
	place, errs[1] = quiniela.ParseUint(f[1], 31)
	hits, errs[2] = quiniela.ParseUint(f[3], 8)
	p.Cents, errs[3] = quiniela.ParseUint(f[4], 63)
	if p.Line, p.Hits = int(place), int(hits); errors.Join(errs[:]...) != nil || p.Batch == 0 || p.Line == 0 || p.Hits == 0 || p.Hits > quiniela.PrizeCount {
		return p, fmt.Errorf("%w: %q", ErrReply, quiniela.Clip(line))
	}
	return p, nil
}

// ReadListHead reads the first line of a list's reply, `ok|<N>`. N lines follow, which ReadListLine reads.
func ReadListHead(r *bufio.Reader) (uint32, error) {
	line, err := readLine(r)
	if err != nil {
		return 0, err
	}
	if s, ok := strings.CutPrefix(line, "ok|"); ok {
		if n, err := strconv.ParseUint(s, 10, 32); err == nil {
			return uint32(n), nil
		}
	}
	return 0, refusal(line)
}

// ReadListLine reads the next line of a list.
func ReadListLine(r *bufio.Reader) (string, error) { return readLine(r) }

// ReadResume reads the reply to hello.
func ReadResume(r *bufio.Reader) (Resume, error) {
	line, err := readLine(r)
	if err != nil {
		return Resume{}, err
	}
	resume, ok := parseResume(strings.Split(line, "|"))
	if !ok {
		return Resume{}, refusal(line)
	}
	return resume, nil
}

// parseResume reads ok|next|bets|last bets|last hash[|draw[|game and terms]].
func parseResume(f []string) (r Resume, ok bool) {
	if len(f) < 5 || len(f) > 7 || f[0] != "ok" {
		return r, false
	}
	for i, p := range []*uint64{&r.Next, &r.Bets, &r.LastBets} {
		n, err := strconv.ParseUint(f[1+i], 10, 63)
		if err != nil {
			return r, false
		}
		*p = n
	}
	if len(f[4]) != 2*len(r.LastHash) {
		return r, false
	}
	if _, err := hex.Decode(r.LastHash[:], []byte(f[4])); err != nil {
		return r, false
	}
	if len(f) == 5 {
		return r, true
	}
	if r.Draw = f[5]; quiniela.CheckDrawID(r.Draw) != nil {
		return r, false
	}
	if len(f) == 7 {
		var err error
		r.Game, err = quiniela.ParseTerms(f[6])
		return r, err == nil && r.Game != nil
	}
	return r, true
}

// refusal turns a reply that is not the expected one into the *quiniela.Error that it carries, or into ErrReply.
func refusal(line string) error {
	if line == failPlain {
		return &quiniela.Error{Code: quiniela.Invalid, Detail: "refused without a reason, as the plain form does"}
	}
	f := strings.SplitN(line, "|", 4)
	if len(f) == 4 && f[0] == "fail" {
		return &quiniela.Error{Code: quiniela.Code(f[2]), Detail: f[3]}
	}
	return fmt.Errorf("%w: %q", ErrReply, quiniela.Clip(line))
}

// maxReplyLine is the most bytes of a reply line. A checkpoint with many cosignatures is the longest.
const maxReplyLine = 64 << 10

// readLine reads a reply line, without its line end.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return strings.TrimRight(string(line), "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull) && len(line) <= maxReplyLine:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return "", fmt.Errorf("%w: a line over %d bytes", ErrReply, maxReplyLine)
		case errors.Is(err, io.EOF) && len(line) > 0:
			return "", io.ErrUnexpectedEOF
		default:
			return "", err
		}
	}
}
