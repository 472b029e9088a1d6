package wire

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"quiniela"
)

// The states of a draw, as the reply to status names them.
const (
	Open   = "open"
	Sealed = "sealed" // it takes no more bets, and has no result yet
	Drawn  = "drawn"
)

// Progress is the reply to status: where an agency stands in the connection's draw.
type Progress struct {
	Draw     string
	State    string    // Open, Sealed or Drawn
	Closes   time.Time // from when on the draw takes no bet, to the second; zero: when all agencies have finished
	Batches  uint64    // of the agency, stored
	Bets     uint64
	Finished bool            // the agency has said that it sent all its bets
	Number   quiniela.Number // that won, once the state is Drawn
	Winners  uint32          // of the agency, likewise
	// Of a draw of the game quiniela, likewise: all twenty numbers, and in cents what all prizes come to and how much of that is paid.
	Prizes    []quiniela.Number
	Due, Pool uint64
}

// AppendProgress appends the reply to status.
func AppendProgress(dst []byte, p Progress) []byte {
	f := make([]string, 0, progressFields)
	closes, finished, number, winners := "", "0", "", ""
	if !p.Closes.IsZero() {
		closes = p.Closes.UTC().Format(closesForm)
	}
	if p.Finished {
		finished = "1"
	}
	if p.State == Drawn {
		number, winners = strconv.FormatUint(uint64(p.Number), 10), strconv.FormatUint(uint64(p.Winners), 10)
	}
	f = append(f, "ok", p.Draw, p.State, closes, strconv.FormatUint(p.Batches, 10), strconv.FormatUint(p.Bets, 10), finished, number, winners)
	if p.State == Drawn && p.Prizes != nil {
		f = append(f, strings.Trim(fmt.Sprintf("%04d", p.Prizes), "[]"), strconv.FormatUint(p.Due, 10), strconv.FormatUint(p.Pool, 10))
	}
	return append(append(dst, strings.Join(f, "|")...), '\n')
}

// closesForm is how a closing time is written: RFC 3339, in UTC.
const closesForm = "2006-01-02T15:04:05Z"

// How many fields the reply to status has, and where a draw of the game quiniela is drawn.
const (
	progressFields = 9
	payoutFields   = progressFields + 3
)

// ReadProgress reads the reply to status.
func ReadProgress(r *bufio.Reader) (Progress, error) {
	line, err := readLine(r)
	if err != nil {
		return Progress{}, err
	}
	p, ok := parseProgress(strings.Split(line, "|"))
	if !ok {
		return Progress{}, refusal(line)
	}
	return p, nil
}

// parseProgress reads ok|draw|state|closes|batches|bets|finished|number|winners[|prizes|due|pool].
func parseProgress(f []string) (p Progress, ok bool) {
	if len(f) != progressFields && len(f) != payoutFields || f[0] != "ok" || quiniela.CheckDrawID(f[1]) != nil {
		return p, false
	}
	p.Draw, p.State = f[1], f[2]
	if p.State != Open && p.State != Sealed && p.State != Drawn {
		return p, false
	}
	var err error
	if f[3] != "" {
		if p.Closes, err = time.Parse(closesForm, f[3]); err != nil {
			return p, false
		}
	}
	for i, n := range []*uint64{&p.Batches, &p.Bets} {
		if *n, err = strconv.ParseUint(f[4+i], 10, 63); err != nil {
			return p, false
		}
	}
	p.Finished = f[6] == "1"
	if !p.Finished && f[6] != "0" || !p.parseResult(f[7], f[8]) {
		return p, false
	}
	return p, len(f) == progressFields || p.parsePayout(f[progressFields:])
}

// parsePayout reads the fields of a draw of the game quiniela.
func (p *Progress) parsePayout(f []string) (ok bool) {
	words := strings.Split(f[0], " ")
	if p.State != Drawn || len(words) != quiniela.PrizeCount {
		return false
	}
	for _, word := range words {
		n, ok := quiniela.ParseNumber([]byte(word))
		if !ok || len(word) != quiniela.MaxDigits {
			return false
		}
		p.Prizes = append(p.Prizes, n)
	}
	var errs [2]error
	p.Due, errs[0] = quiniela.ParseUint(f[1], 63)
	p.Pool, errs[1] = quiniela.ParseUint(f[2], 63)
	return errors.Join(errs[:]...) == nil && p.Prizes[0] == p.Number && p.Pool <= p.Due
}

// parseResult reads the fields that are empty until the draw is drawn.
func (p *Progress) parseResult(number, winners string) (ok bool) {
	if p.State != Drawn {
		return number == "" && winners == ""
	}
	n, ok := quiniela.ParseNumber([]byte(number))
	w, err := strconv.ParseUint(winners, 10, 32)
	p.Number, p.Winners = n, uint32(w)
	return ok && err == nil
}
