package receipt

import (
	"bytes"
	"fmt"
	"strings"
)

// MalformedError says that bytes are not what they are read as. Every Parse function of this package and ReadRecords fail with
// it, and with nothing else; that a well-formed document does not prove what it claims is never a MalformedError.
type MalformedError struct {
	What string // what they are read as: receipt, outcome, entry, batch entry, record, records, totals,
	// proof, proofs, bundle or evidence
	Err error // what is wrong with them
}

func (e *MalformedError) Error() string { return "parse " + e.What + ": " + e.Err.Error() }

func (e *MalformedError) Unwrap() error { return e.Err }

// malformed returns a *MalformedError with a formatted text.
func malformed(what, format string, args ...any) error {
	return &MalformedError{what, fmt.Errorf(format, args...)}
}

// ParseEntry reads an entry of the log, of whatever kind it says that it is: a BatchEntry, DrawOpen, Seal, Result or Continues.
func ParseEntry(entry []byte) (any, error) {
	if bytes.HasPrefix(entry, []byte(batchMagic)) {
		return ParseBatchEntry(entry)
	}
	header, _, _ := strings.Cut(string(entry), "\n")
	switch header {
	case openHeader:
		return ParseDrawOpen(entry)
	case sealHeader:
		return ParseSeal(entry)
	case resultHeader:
		return ParseResult(entry)
	case continuesHeader:
		return ParseContinues(entry)
	}
	return nil, malformed("entry", "unknown kind %.40q", header)
}

// DrawOf returns which draw an entry of the log is of, by the log's number; 0 of a Continues, which is of none.
func DrawOf(entry []byte) (uint64, error) {
	v, err := ParseEntry(entry)
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case BatchEntry:
		return v.Draw, nil
	case DrawOpen:
		return v.Draw, nil
	case Seal:
		return v.Draw, nil
	case Result:
		return v.Draw, nil
	}
	return 0, nil
}
