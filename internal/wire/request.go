// Package wire is the protocol between agencies and the central, as docs/PROTOCOL.md fixes it: framing, requests,
// replies, and their errors. It works over io.Reader and byte slices; it opens no socket and stores nothing.
package wire

import (
	"bytes"
	"encoding/hex"
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
	Receipt
)

// SecretSize is the size of a batch secret, in bytes (64 hex digits on the wire).
const SecretSize = 32

// The words that start a request body.
const (
	wordBatch   = "agency_ID"
	wordFinish  = "notify_finished"
	wordQuery   = "query_winners"
	wordWait    = "wait_winners"
	wordHello   = "hello"
	wordReceipt = "receipt"
)

// Request is one request, taken apart. Which fields matter depends on the verb.
type Request struct {
	Verb   Verb
	Agency quiniela.Agency

	Batch  uint64            // Batch, Receipt: the agency's number for the batch, from 1; 0 where the batch is unnumbered
	Secret *[SecretSize]byte // Batch: the agency's own, or nil
	// Headless tells that a Batch is bet lines alone, so that its bets are the unattributed agency's.
	Headless bool
	Lines    []byte // Batch: what follows the header line, unchecked; it aliases the body

	Fields [quiniela.Fields][]byte // Bet: in the order of a bet line, unchecked; they alias the body

	Batches uint64 // Finish: how many the agency says it sent; 0 where it does not say
	Token   string // Hello
	Draw    string // Hello: the draw's name; empty: the current draw
	Named   bool   // Hello: the draw's field is there, if empty; the reply then names the draw
	Line    uint32 // Receipt: the bet's line in the batch, from 1
}

// Parse takes a request body apart. The error is a *quiniela.Error; the request returned beside it has its Verb and
// as many fields as were read, which tells FormatError in what form to refuse it.
func Parse(body []byte) (Request, error) {
	head, rest, _ := bytes.Cut(body, []byte{'\n'})
	head = quiniela.TrimLine(head)
	word, args, hasArgs := strings.Cut(string(head), "|")
	if strings.TrimSpace(word) == wordBatch && hasArgs {
		return parseBatch(strings.Split(args, "|"), rest)
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
		fields = strings.Split(args, "|")
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return parseVerb(strings.TrimSpace(word), fields)
}

// isBatch reports whether a request that begins with this line is a batch, which may go on after it.
func isBatch(head []byte) bool {
	head = quiniela.TrimLine(head)
	word, _, hasArgs := bytes.Cut(head, []byte{'|'})
	return hasArgs && string(bytes.TrimSpace(word)) == wordBatch || isBetLine(head)
}

// isBetLine reports whether a first line is a bet line, good or bad, and not a verb or a single bet: it has
// commas, more than the `~` of a single bet, and begins with no verb.
func isBetLine(head []byte) bool {
	if commas := bytes.Count(head, []byte{','}); commas == 0 || commas <= bytes.Count(head, []byte{'~'}) {
		return false
	}
	word, _, _ := bytes.Cut(head, []byte{'|'})
	_, verb := verbs[string(bytes.TrimSpace(word))]
	return !verb
}

func parseBatch(fields []string, lines []byte) (Request, error) {
	r := Request{Verb: Batch, Lines: lines}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	var err error
	if len(fields) > 1 {
		// Read the number first: with it, a refusal for any other reason can say why.
		if r.Batch, err = positive("batch number", fields[1]); err != nil {
			r.Batch = 0
			return r, err
		}
	}
	if r.Agency, err = quiniela.ParseAgency(fields[0]); err != nil {
		return r, err
	}
	if len(fields) > 2 {
		if r.Secret, err = parseSecret(fields[2]); err != nil {
			return r, err
		}
	}
	if len(fields) > 3 {
		return r, quiniela.Refuse(quiniela.Invalid, "%d fields in the batch header, want agency_ID|agency|batch|secret at most", len(fields)+1)
	}
	return r, nil
}

func parseSecret(s string) (*[SecretSize]byte, error) {
	var secret [SecretSize]byte
	if len(s) == 2*SecretSize {
		if _, err := hex.Decode(secret[:], []byte(s)); err == nil {
			return &secret, nil
		}
	}
	// The text is a secret, however malformed: it does not go into an error.
	return nil, quiniela.Refuse(quiniela.Invalid, "the batch secret is not %d hex digits", 2*SecretSize)
}

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
	wordFinish:  {Finish, 1, 2, "notify_finished|agency[|batches]"},
	wordQuery:   {Query, 1, 1, "query_winners|agency"},
	wordWait:    {Wait, 1, 1, "wait_winners|agency"},
	wordHello:   {Hello, 1, 3, "hello|agency[|token[|draw]]"},
	wordReceipt: {Receipt, 3, 3, "receipt|agency|batch|line"},
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
	switch {
	case r.Verb == Finish && len(fields) > 1:
		r.Batches, err = count("number of batches", fields[1])
	case r.Verb == Hello && len(fields) > 1:
		r.Token = fields[1]
		if r.Named = len(fields) > 2; r.Named {
			r.Draw = fields[2]
		}
	case r.Verb == Receipt:
		if r.Batch, err = positive("batch number", fields[1]); err != nil {
			return r, err
		}
		var line uint64
		if line, err = positive("line", fields[2]); err == nil {
			r.Line = uint32(min(line, 1<<32-1))
		}
	}
	return r, err
}

func count(what, s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, quiniela.Refuse(quiniela.Invalid, "the %s %q is not a whole number", what, short(s))
	}
	return n, nil
}

func positive(what, s string) (uint64, error) {
	n, err := count(what, s)
	if err == nil && n == 0 {
		return 0, quiniela.Refuse(quiniela.Invalid, "the %s is 0, and the first is 1", what)
	}
	return n, err
}

func short(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
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

// AppendHello appends a hello body that asks for the draw's name in the reply. An empty draw is the current
// one.
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

// AppendReceipt appends a receipt body: for the bet in a line, from 1, of a batch.
func AppendReceipt(dst []byte, agency quiniela.Agency, batch uint64, line uint32) []byte {
	dst = appendField(append(dst, wordReceipt...), uint64(agency))
	return append(appendField(appendField(dst, batch), uint64(line)), '\n')
}
