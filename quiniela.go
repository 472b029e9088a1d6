// Package quiniela is the domain of a lottery's central system: agencies, bets, winning numbers, the codes of
// what can go wrong, the limits, and the one parser and validator of a bet line. It imports only the standard
// library and knows neither sockets nor storage; every other package speaks in its terms.
package quiniela

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Agency identifies an agency within a draw: 1..N, where N is the number of agencies the draw expects.
// Agency 0 stands for the bets that name no agency.
type Agency uint32

// Unattributed is the agency under which bets that name none are recorded: a single bet, or a batch without a header. It
// can send no numbered batch, is not expected to finish, and has no winners to ask for.
const Unattributed Agency = 0

// Number is the number a bettor plays, and the number a draw yields: 0..9999.
type Number uint16

// MaxNumber is the highest number that can be played.
const MaxNumber Number = 9999

// Limits that the protocol fixes for one bet line.
const (
	MaxNameRunes      = 64  // characters of a first or last name
	MaxNameBytes      = 255 // of its UTF-8, as a commitment to it has the length in one byte
	MaxDocumentDigits = 9
	Fields            = 5 // of a bet line
)

// Limits bound what one request may be. The zero value is not usable: start from DefaultLimits.
type Limits struct {
	BareBody   int // bytes of a bare request
	FramedBody int // bytes of a framed request's body
	BatchBets  int // bets in one batch
}

// DefaultLimits returns the limits that hold when nothing else is configured: a bare body of 8192 bytes (the
// specification's packet), a framed one of 1 MiB, and 20,000 bets in a batch.
func DefaultLimits() Limits {
	return Limits{BareBody: 8192, FramedBody: 1 << 20, BatchBets: 20000}
}

// Code names a kind of refusal. It travels on the wire (`fail|0|<code>|<detail>`) and is part of the protocol:
// a code is never renamed.
type Code string

// The codes a server answers with.
const (
	Invalid  Code = "invalid"   // a bet line, field or argument is malformed; nothing of the request was stored
	BadFrame Code = "frame"     // the length header is malformed or does not fit the body
	TooLarge Code = "too_large" // over one of Limits
	Unknown  Code = "unknown"   // no such verb
	NoAgency Code = "agency"    // the agency is not one of the draw's
	Conflict Code = "conflict"  // the batch number is taken by other content
	Gap      Code = "gap"       // the batch number is past the next one; the detail is the next one
	Missing  Code = "missing"   // an agency wants to finish, but batches it counts have not arrived
	Finished Code = "finished"  // the agency has said that it sent all its bets
	Closed   Code = "closed"    // the draw takes no more bets
	NoDraw   Code = "draw"      // there is no such draw
	Storage  Code = "storage"   // the journal takes no more for now (disk full); nothing was stored, try again later
	Busy     Code = "busy"      // not now: too many connections, or agencies cannot be told apart for now; try again later
	Stopping Code = "stopping"  // the server is going down; nothing was stored, try again later
	Absent   Code = "absent"    // what was asked for does not exist here
	Denied   Code = "denied"    // who asks has not shown to be the agency it speaks for
	Internal Code = "internal"  // the server has failed and is stopping; what was sent may be stored or not
)

// Error is a refusal: what was wrong and, in Detail, where and what to do, in one line of text.
type Error struct {
	Code   Code
	Detail string
}

// Refuse returns an *Error with a formatted detail.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

// CodeOf returns the code of the first *Error in err's chain, or "" where there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// ParseAgency reads an agency number in decimal, 0..4294967295. Whether the draw has such an agency is for the
// ledger to say.
func ParseAgency(s string) (Agency, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, Refuse(NoAgency, "agency %q is not a number", clip(s))
	}
	return Agency(n), nil
}

// MaxDrawID is the most characters of a draw's name.
const MaxDrawID = 64

// CheckDrawID refuses a draw's name that is not 1 to MaxDrawID of the characters a-z, A-Z, 0-9, '.', '_' and '-', or
// that begins with '.': names travel in protocol lines, addresses and file names.
func CheckDrawID(id string) error {
	ok := len(id) >= 1 && len(id) <= MaxDrawID && id[0] != '.'
	for _, c := range []byte(id) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return Refuse(Invalid, "the draw's name %q: want 1 to %d letters, digits, '.', '_' or '-', such as 2026-11-24-evening", clip(id), MaxDrawID)
	}
	return nil
}

// Day is a calendar day as the decimal number YYYYMMDD, so that days compare as they follow each other.
type Day uint32

// DayOf returns t's calendar day in t's location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(y*10000 + int(m)*100 + d)
}

// clip shortens a quoted piece of somebody's input, so that no error carries more than a glance of it.
func clip[T ~string | ~[]byte](s T) string {
	const most = 40
	if len(s) <= most {
		return string(s)
	}
	return string(s[:most]) + "…"
}
