package quiniela

import (
	"errors"
	"fmt"
)

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
	Denied   Code = "denied"    // the client has not shown that it is the agency it speaks for
	Internal Code = "internal"  // the server has failed and is stopping; what was sent may be stored or not
)

// Error is a refusal. Detail says in one line what was wrong, where, and what to do.
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

// Clip shortens a piece of somebody's input that an error quotes, to 40 bytes.
func Clip[T ~string | ~[]byte](s T) string {
	const most = 40
	if len(s) <= most {
		return string(s)
	}
	return string(s[:most]) + "…"
}
