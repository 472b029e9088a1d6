// Package wire is the protocol between agencies and the central, as docs/PROTOCOL.md fixes it: framing, requests, replies, and
// their errors, for both sides. It works on an io.Reader and on byte slices. It opens no socket and sets no deadline, knows no
// draw, and leaves the bet lines of a batch unchecked.
package wire

import (
	"bytes"
	"strconv"
	"strings"

	"quiniela"
)

// Verb is the kind of a request.
type Verb uint8

// The verbs of the protocol.
const (
	Bet Verb = iota + 1
	Batch
	Finish
	Query
	Wait
	Hello
	Proofs
	Status
	Prizes
)

// The words that start a request body.
const (
	wordBatch  = "agency_ID"
	wordFinish = "notify_finished"
	wordQuery  = "query_winners"
	wordWait   = "wait_winners"
	wordHello  = "hello"
	wordProofs = "proofs"
	wordStatus = "status"
	wordPrizes = "query_prizes"
)

// Request is one request, taken apart. Which fields matter depends on the verb.
type Request struct {
	Verb   Verb
	Agency quiniela.Agency

	Batch uint64 // Batch: the agency's number for the batch, from 1; 0 where the batch is unnumbered
	// Headless: a Batch without a header line, whose bets belong to quiniela.Unattributed.
	Headless bool
	Lines    []byte // Batch: what follows the header line, unchecked; it aliases the body

	Fields [quiniela.Fields][]byte // Bet: in the order of a bet line, unchecked; they alias the body

	Batches uint64 // Finish: how many the agency says it sent; 0 where it does not say
	Token   string // Hello
	Draw    string // Hello: the draw's name; empty: the current draw
	Named   bool   // Hello: the request has the draw's field, perhaps empty; the reply then names the draw
}

// Parse takes a request body apart. The error is a *quiniela.Error; the request returned beside it has its Verb and as many
// fields as were read, from which AppendError chooses the form of the refusal.
func Parse(body []byte) (Request, error) {
	head, rest, _ := bytes.Cut(body, []byte{'\n'})
	head = quiniela.TrimLine(head)
	word, args, hasArgs := strings.Cut(string(head), "|")
	word = strings.TrimSpace(word)
	if word == wordBatch && hasArgs {
		return parseBatch(splitFields(args), rest)
	}
	if isBetLine(head) {
		return Request{Verb: Batch, Agency: quiniela.Unattributed, Headless: true, Lines: body}, nil
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return Request{}, quiniela.Refuse(quiniela.Unknown, "text after the first line of a request that is no batch")
	}
	if bytes.IndexByte(head, '~') >= 0 {
		return parseBet(head)
	}
	var fields []string
	if hasArgs {
		fields = splitFields(args)
	}
	return parseVerb(word, fields)
}

// splitFields returns the fields behind a request's first word, without the blank space around each.
func splitFields(args string) []string {
	fields := strings.Split(args, "|")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields
}

// isBatch reports whether a request that begins with this line is a batch, so that more lines may follow.
func isBatch(head []byte) bool {
	head = quiniela.TrimLine(head)
	word, _, hasArgs := bytes.Cut(head, []byte{'|'})
	if hasArgs && string(bytes.TrimSpace(word)) == wordBatch {
		return true
	}
	return isBetLine(head)
}

// isBetLine reports whether a request's first line is a bet line, good or bad: it has commas, more of them than of the `~`
// that separate the fields of a single bet, and does not begin with the word of a verb.
func isBetLine(head []byte) bool {
	commas := bytes.Count(head, []byte{','})
	if commas == 0 {
		return false
	}
	if tildes := bytes.Count(head, []byte{'~'}); tildes >= commas {
		return false
	}
	word, _, _ := bytes.Cut(head, []byte{'|'})
	_, isVerb := verbs[string(bytes.TrimSpace(word))]
	return !isVerb
}

// parseBatch reads the fields of a batch's header: agency[|batch].
func parseBatch(fields []string, lines []byte) (Request, error) {
	r := Request{Verb: Batch, Lines: lines}
	var err error
	if len(fields) > 1 {
		// The number comes first: only the refusal of a numbered batch can say why.
		if r.Batch, err = positive("batch number", fields[1]); err != nil {
			return r, err
		}
	}
	if r.Agency, err = quiniela.ParseAgency(fields[0]); err != nil {
		return r, err
	}
	if len(fields) > 2 {
		return r, quiniela.Refuse(quiniela.Invalid, "%d fields in the batch header, want agency_ID|agency|batch at most", len(fields)+1)
	}
	return r, nil
}

// parseBet reads a single bet: its fields, separated by `~`, perhaps with the agency before them.
func parseBet(head []byte) (Request, error) {
	r := Request{Verb: Bet}
	fields := bytes.Split(head, []byte{'~'})
	for i := range fields {
		fields[i] = bytes.TrimSpace(fields[i])
	}
	if len(fields) == quiniela.Fields+1 {
		agency, err := quiniela.ParseAgency(string(fields[0]))
		if err != nil {
			return r, err
		}
		r.Agency, fields = agency, fields[1:]
	}
	if len(fields) != quiniela.Fields {
		return r, quiniela.Refuse(quiniela.Invalid, "%d fields in the bet, want [agency~]nombre~apellido~documento~nacimiento~numero", len(fields))
	}
	copy(r.Fields[:], fields)
	return r, nil
}

// verbs holds how many fields each single-line verb takes.
var verbs = map[string]struct {
	verb     Verb
	min, max int
	usage    string
}{
	wordFinish: {Finish, 1, 2, "notify_finished|agency[|batches]"},
	wordQuery:  {Query, 1, 1, "query_winners|agency"},
	wordWait:   {Wait, 1, 1, "wait_winners|agency"},
	wordHello:  {Hello, 1, 3, "hello|agency[|token[|draw]]"},
	wordProofs: {Proofs, 1, 1, "proofs|agency"},
	wordStatus: {Status, 1, 1, "status|agency"},
	wordPrizes: {Prizes, 1, 1, "query_prizes|agency"},
}

func parseVerb(word string, fields []string) (Request, error) {
	v, ok := verbs[word]
	if !ok {
		return Request{}, quiniela.Refuse(quiniela.Unknown, "no such request; see docs/PROTOCOL.md")
	}
	r := Request{Verb: v.verb}
	if len(fields) < v.min || len(fields) > v.max {
		return r, quiniela.Refuse(quiniela.Invalid, "%d fields, want %s", len(fields), v.usage)
	}
	var err error
	if r.Agency, err = quiniela.ParseAgency(fields[0]); err != nil {
		return r, err
	}
	err = r.readFields(fields[1:])
	return r, err
}

// readFields reads the fields after the agency's, whose count is right.
func (r *Request) readFields(fields []string) (err error) {
	switch r.Verb {
	case Finish:
		if len(fields) > 0 {
			r.Batches, err = count("number of batches", fields[0])
		}
	case Hello:
		if len(fields) > 0 {
			r.Token = fields[0]
		}
		if len(fields) > 1 {
			r.Named, r.Draw = true, fields[1]
		}
	}
	return err
}

// count reads a number from 0; what names it in an error.
func count(what, s string) (uint64, error) {
	n, err := quiniela.ParseUint(s, 63)
	if err != nil {
		return 0, quiniela.Refuse(quiniela.Invalid, "the %s %q is not a whole number", what, quiniela.Clip(s))
	}
	return n, nil
}

// positive reads a number from 1; what names it in an error.
func positive(what, s string) (uint64, error) {
	n, err := count(what, s)
	if err == nil && n == 0 {
		return 0, quiniela.Refuse(quiniela.Invalid, "the %s is 0, and the first is 1", what)
	}
	return n, err
}

// AppendFrame appends body to dst as a framed request.
func AppendFrame(dst, body []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, ';')
	return append(dst, body...)
}

// AppendBatchHeader appends the first line of a batch. batch 0 makes it unnumbered.
func AppendBatchHeader(dst []byte, agency quiniela.Agency, batch uint64) []byte {
	dst = append(dst, wordBatch...)
	dst = appendField(dst, uint64(agency))
	if batch > 0 {
		dst = appendField(dst, batch)
	}
	return append(dst, '\n')
}

// AppendFinish appends a notify_finished body. batches 0 leaves the count out.
func AppendFinish(dst []byte, agency quiniela.Agency, batches uint64) []byte {
	dst = append(dst, wordFinish...)
	dst = appendField(dst, uint64(agency))
	if batches > 0 {
		dst = appendField(dst, batches)
	}
	return append(dst, '\n')
}

// AppendQuery appends a query_winners body, or with wait a wait_winners one.
func AppendQuery(dst []byte, agency quiniela.Agency, wait bool) []byte {
	if wait {
		dst = append(dst, wordWait...)
	} else {
		dst = append(dst, wordQuery...)
	}
	return append(appendField(dst, uint64(agency)), '\n')
}

// AppendHello appends a hello body that asks for the draw's name in the reply. An empty draw is the current draw.
func AppendHello(dst []byte, agency quiniela.Agency, token, draw string) []byte {
	dst = appendField(append(dst, wordHello...), uint64(agency))
	dst = append(append(dst, '|'), token...)
	return append(append(append(dst, '|'), draw...), '\n')
}

// AppendBet appends a single bet in the `~` form. It names the agency unless that is quiniela.Unattributed.
func AppendBet(dst []byte, agency quiniela.Agency, fields [quiniela.Fields]string) []byte {
	if agency != quiniela.Unattributed {
		dst = append(strconv.AppendUint(dst, uint64(agency), 10), '~')
	}
	return append(append(dst, strings.Join(fields[:], "~")...), '\n')
}

func appendField(dst []byte, n uint64) []byte {
	return strconv.AppendUint(append(dst, '|'), n, 10)
}

// AppendProofs appends a proofs body.
func AppendProofs(dst []byte, agency quiniela.Agency) []byte {
	return append(appendField(append(dst, wordProofs...), uint64(agency)), '\n')
}

// AppendPrizes appends a query_prizes body.
func AppendPrizes(dst []byte, agency quiniela.Agency) []byte {
	return append(appendField(append(dst, wordPrizes...), uint64(agency)), '\n')
}

// AppendStatus appends a status body.
func AppendStatus(dst []byte, agency quiniela.Agency) []byte {
	return append(appendField(append(dst, wordStatus...), uint64(agency)), '\n')
}
