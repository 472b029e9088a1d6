package receipt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"quiniela"
	"quiniela/tlog"
)

// The first lines of text entries.
const (
	openHeader      = "quiniela/v2/draw-open"
	sealHeader      = "quiniela/v2/seal"
	resultHeader    = "quiniela/v2/result"
	continuesHeader = "quiniela/v2/continues"
)

// beaconSignature is the size of a beacon's signature, in bytes.
const beaconSignature = 48

// DrawOpen opens a draw: what is fixed before the first bet.
type DrawOpen struct {
	Draw     uint64           // the log's number for it, from 1
	ID       string           // the operator's name for it
	Game     *quiniela.Terms  // the terms of the game quiniela; nil: the game is the specification's
	Agencies uint32           // how many are expected
	Opened   uint64           // µs since the Unix epoch
	Close    uint64           // likewise: when bets end; 0 where that is when all agencies have finished
	Source   string           // of the number: quiniela.SourceFixed, SourceNotary or SourceBeacon
	Number   *quiniela.Number // for SourceFixed
	Beacon   *BeaconTerms     // for SourceBeacon
}

// BeaconTerms names the beacon's round that decides a draw.
type BeaconTerms struct {
	Chain tlog.Hash // the chain hash
	Round uint64    // from 1
}

// Who or what closes a draw.
const (
	ClosedByAgencies = "agencies" // the last one that was expected finished
	ClosedByTime     = "time"     // its closing time came
	ClosedByOperator = "operator"
)

// Seal closes a draw: no batch of it follows in the log.
type Seal struct {
	Draw     uint64
	Open     uint64 // the draw-open entry's index in the log
	Batches  uint64
	Bets     uint64
	Stake    uint64    // in cents
	Agencies uint32    // how many have totals
	Totals   tlog.Hash // RootOfTotals
	Missing  uint32    // agencies that had not finished; the totals name them
	By       string    // who or what closed it: one of the ClosedBy… words
	Note     string    // of the operator who closed it; "" is none
	Sealed   uint64    // µs since the Unix epoch
}

// Result is a draw's outcome.
type Result struct {
	Draw     uint64
	Open     uint64 // the draw-open entry's index in the log
	Seal     uint64 // the seal's index in the log
	Source   string
	Number   quiniela.Number
	Prizes   []quiniela.Number // of a beacon, or of the game quiniela, quiniela.PrizeCount, with Number first; else none
	Evidence []byte            // the beacon's signature; SHA-256 of the notary's signed extract; none for SourceFixed
	Winners  uint64
	Payout   *Payout // of the game quiniela; nil: the game is the specification's
	Drawn    uint64  // µs since the Unix epoch
}

// Payout is what the bets of a draw of the game quiniela are paid, all together and in cents. Each winning bet is paid Pool/Due of its
// prize, truncated.
type Payout struct {
	Staked uint64
	Due    uint64 // the prizes
	Pool   uint64 // how much of them the draw's terms let be paid: Due, or less where the cap is less
	Paid   uint64 // the sum of what the bets are paid, at most Pool
}

// Capped reports whether prizes are paid at a share.
func (p Payout) Capped() bool { return p.Pool < p.Due }

// Encode returns the entry, or an error where the draw contradicts itself.
func (o DrawOpen) Encode() ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("draw-open entry: %w", err)
	}
	number, chain, round := "-", "-", "-"
	if o.Number != nil {
		number = formatNumber(*o.Number)
	}
	if b := o.Beacon; b != nil {
		chain, round = hex.EncodeToString(b.Chain[:]), strconv.FormatUint(b.Round, 10)
	}
	closing := "-"
	if o.Close != 0 {
		closing = strconv.FormatUint(o.Close, 10)
	}
	return fmt.Appendf(nil, "%s\ndraw %d\nid %s\ngame %s\nagencies %d\nopened %d\nclose %s\nsource %s\nnumber %s\nchain %s\nround %s\n",
		openHeader, o.Draw, o.ID, o.Game, o.Agencies, o.Opened, closing, o.Source, number, chain, round), nil
}

func (o DrawOpen) check() error {
	if o.Draw == 0 {
		return errors.New("draw 0: draws count from 1")
	}
	if !printable(o.ID) {
		return fmt.Errorf("id %.40q: want 1 to %d bytes of printable text", o.ID, math.MaxUint8)
	}
	if err := o.Game.Check(); err != nil {
		return fmt.Errorf("the terms: %w", err)
	}
	if o.Game != nil && o.Source == quiniela.SourceFixed {
		return fmt.Errorf("the source %s, which gives one number, and the game %s needs %d", o.Source, o.Game.Game(), quiniela.PrizeCount)
	}
	if (o.Number != nil) != (o.Source == quiniela.SourceFixed) || (o.Beacon != nil) != (o.Source == quiniela.SourceBeacon) {
		return fmt.Errorf("the source %.40q with what another source needs, or without what it needs", o.Source)
	}
	switch o.Source {
	case quiniela.SourceNotary:
		return nil
	case quiniela.SourceFixed:
		if *o.Number > quiniela.MaxNumber {
			return fmt.Errorf("the number %d is over %d", *o.Number, quiniela.MaxNumber)
		}
		return nil
	case quiniela.SourceBeacon:
		if o.Beacon.Round == 0 {
			return errors.New("the beacon's round 0: rounds count from 1")
		}
		return nil
	}
	return fmt.Errorf("unknown source %.40q", o.Source)
}

// printable reports whether s can name something in a line of an entry: oneLine, of at most 255 bytes.
func printable(s string) bool { return len(s) <= math.MaxUint8 && oneLine(s) }

// MaxNote is the most bytes of an operator's note.
const MaxNote = 800

// oneLine reports whether s can stand in a line of an entry: 1 to MaxNote bytes of UTF-8 without control characters, and
// without blank space at its ends. "-" stands for nothing and is no text.
func oneLine(s string) bool {
	return s != "" && s != "-" && len(s) <= MaxNote && utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func formatNumber(n quiniela.Number) string { return fmt.Sprintf("%04d", n) }

// ParseDrawOpen reads a draw-open entry.
func ParseDrawOpen(entry []byte) (DrawOpen, error) {
	l := newLines(entry, openHeader)
	o := DrawOpen{Draw: l.uint("draw"), ID: l.text("id"), Game: l.terms("game"), Agencies: uint32(l.uint("agencies")),
		Opened: l.uint("opened")}
	if v := l.text("close"); v != "-" {
		o.Close = l.parse("close", v)
	}
	o.Source = l.text("source")
	if v := l.text("number"); v != "-" {
		n := l.number("number", v)
		o.Number = &n
	}
	chain, round := l.text("chain"), l.text("round")
	if chain != "-" {
		o.Beacon = &BeaconTerms{Chain: l.hash("chain", chain), Round: l.parse("round", round)}
	}
	return finish(l, o, o.Encode)
}

// Encode returns the entry, or an error where it contradicts itself.
func (s Seal) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	note := s.Note
	if note == "" {
		note = "-"
	}
	return fmt.Appendf(nil, "%s\ndraw %d\nopen %d\nbatches %d\nbets %d\nstake %d\nagencies %d\ntotals %x\nmissing %d\nby %s\nnote %s\nsealed %d\n",
		sealHeader, s.Draw, s.Open, s.Batches, s.Bets, s.Stake, s.Agencies, s.Totals[:], s.Missing, s.By, note, s.Sealed), nil
}

func (s Seal) check() error {
	if s.Draw == 0 || s.Bets < s.Batches || s.Missing > s.Agencies || s.Batches < uint64(s.Agencies-s.Missing) || s.Batches > 0 && s.Agencies == 0 {
		return fmt.Errorf("draw %d with %d bets in %d batches of %d agencies, %d of them missing", s.Draw, s.Bets, s.Batches, s.Agencies, s.Missing)
	}
	switch s.By {
	case ClosedByTime, ClosedByOperator:
	case ClosedByAgencies:
		if s.Missing > 0 {
			return fmt.Errorf("closed by the last agency's finish with %d agencies missing", s.Missing)
		}
	default:
		return fmt.Errorf("closed by %.40q", s.By)
	}
	if s.Note != "" && (!oneLine(s.Note) || s.By != ClosedByOperator) {
		return fmt.Errorf("the note %.40q: want an operator's, of 1 to %d bytes of printable text", s.Note, MaxNote)
	}
	return nil
}

// ParseSeal reads a seal entry.
func ParseSeal(entry []byte) (Seal, error) {
	l := newLines(entry, sealHeader)
	s := Seal{Draw: l.uint("draw"), Open: l.uint("open"), Batches: l.uint("batches"), Bets: l.uint("bets"), Stake: l.uint("stake"),
		Agencies: uint32(l.uint("agencies")), Totals: l.hash("totals", l.text("totals")), Missing: uint32(l.uint("missing")), By: l.text("by")}
	if note := l.text("note"); note != "-" {
		s.Note = note
	}
	s.Sealed = l.uint("sealed")
	return finish(l, s, s.Encode)
}

// Encode returns the entry, or an error where it contradicts itself.
func (r Result) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("result entry: %w", err)
	}
	prizes, evidence := "-", "-"
	if len(r.Prizes) > 0 {
		var words []string
		for _, n := range r.Prizes {
			words = append(words, formatNumber(n))
		}
		prizes = strings.Join(words, " ")
	}
	if len(r.Evidence) > 0 {
		evidence = hex.EncodeToString(r.Evidence)
	}
	entry := fmt.Appendf(nil, "%s\ndraw %d\nopen %d\nseal %d\nsource %s\nnumber %s\nprizes %s\nevidence %s\nwinners %d\n",
		resultHeader, r.Draw, r.Open, r.Seal, r.Source, formatNumber(r.Number), prizes, evidence, r.Winners)
	if p := r.Payout; p != nil {
		entry = fmt.Appendf(entry, "staked %d\ndue %d\npool %d\npaid %d\n", p.Staked, p.Due, p.Pool, p.Paid)
	}
	return fmt.Appendf(entry, "drawn %d\n", r.Drawn), nil
}

func (r Result) check() error {
	if r.Draw == 0 || r.Open >= r.Seal {
		return fmt.Errorf("draw %d, opened by entry %d and sealed by entry %d", r.Draw, r.Open, r.Seal)
	}
	want := 0
	if r.Source == quiniela.SourceBeacon || r.Payout != nil {
		want = quiniela.PrizeCount
	}
	if r.Payout != nil && r.Source == quiniela.SourceFixed {
		return errors.New("prizes of a number that was fixed")
	}
	if p := r.Payout; p != nil && (p.Pool > p.Due || p.Paid > p.Pool || !p.Capped() && p.Paid != p.Due || p.Due > 0 && r.Winners == 0) {
		return fmt.Errorf("%d winners are paid %d of %d, where %d are due", r.Winners, p.Paid, p.Pool, p.Due)
	}
	if len(r.Prizes) != want || want > 0 && r.Prizes[0] != r.Number {
		return fmt.Errorf("source %.40q with %d prizes, want %d with the number first", r.Source, len(r.Prizes), want)
	}
	for _, n := range append(r.Prizes[:len(r.Prizes):len(r.Prizes)], r.Number) {
		if n > quiniela.MaxNumber {
			return fmt.Errorf("the number %d is over %d", n, quiniela.MaxNumber)
		}
	}
	size, ok := map[string]int{quiniela.SourceFixed: 0, quiniela.SourceBeacon: beaconSignature, quiniela.SourceNotary: tlog.HashSize}[r.Source]
	// A notary may have entered the number without handing in an extract.
	if !ok || len(r.Evidence) != size && !(r.Source == quiniela.SourceNotary && len(r.Evidence) == 0) {
		return fmt.Errorf("source %.40q with %d bytes of evidence", r.Source, len(r.Evidence))
	}
	return nil
}

// ParseResult reads a result entry.
func ParseResult(entry []byte) (Result, error) {
	l := newLines(entry, resultHeader)
	r := Result{Draw: l.uint("draw"), Open: l.uint("open"), Seal: l.uint("seal"), Source: l.text("source")}
	r.Number = l.number("number", l.text("number"))
	if v := l.text("prizes"); v != "-" {
		for word := range strings.SplitSeq(v, " ") {
			r.Prizes = append(r.Prizes, l.number("prizes", word))
		}
	}
	if v := l.text("evidence"); v != "-" {
		r.Evidence = l.hex("evidence", v)
	}
	r.Winners = l.uint("winners")
	if l.has("staked") {
		r.Payout = &Payout{Staked: l.uint("staked"), Due: l.uint("due"), Pool: l.uint("pool"), Paid: l.uint("paid")}
	}
	r.Drawn = l.uint("drawn")
	return finish(l, r, r.Encode)
}

// Total is what one agency brought to a draw.
type Total struct {
	Agency               quiniela.Agency
	Batches, Bets, Stake uint64
	Missing              bool // it had not finished when the draw was closed
}

// The last word of a line of totals.
const (
	wordFinished     = "finished"
	wordMissing      = "missing"
	wordUnattributed = "unattributed" // of agency 0, which is expected of no draw
)

func (t Total) line() []byte {
	word := wordFinished
	switch {
	case t.Agency == quiniela.Unattributed:
		word = wordUnattributed
	case t.Missing:
		word = wordMissing
	}
	return fmt.Appendf(nil, "%d %d %d %d %s", t.Agency, t.Batches, t.Bets, t.Stake, word)
}

// EncodeTotals returns the text of totals: a line each, by ascending agency. An agency without bets has one only if it is missing.
func EncodeTotals(totals []Total) ([]byte, error) {
	var text []byte
	for i, t := range totals {
		if i > 0 && totals[i-1].Agency >= t.Agency || t.Bets < t.Batches || t.Batches == 0 && !(t.Missing && t.Bets == 0 && t.Stake == 0) ||
			t.Missing && t.Agency == quiniela.Unattributed {
			return nil, fmt.Errorf("totals: line %d: agency %d with %d bets in %d batches", i+1, t.Agency, t.Bets, t.Batches)
		}
		text = append(append(text, t.line()...), '\n')
	}
	return text, nil
}

// ParseTotals reads what EncodeTotals writes, and nothing else.
func ParseTotals(text []byte) (totals []Total, err error) {
	for line := range bytes.Lines(text) {
		var t Total
		var word string
		if _, err := fmt.Sscanf(string(line), "%d %d %d %d %s\n", &t.Agency, &t.Batches, &t.Bets, &t.Stake, &word); err != nil {
			return nil, malformed("totals", "line %d: %v", len(totals)+1, err)
		}
		t.Missing = word == wordMissing
		totals = append(totals, t)
	}
	again, err := EncodeTotals(totals)
	if err != nil {
		return nil, &MalformedError{"totals", err}
	}
	if !bytes.Equal(again, text) {
		return nil, malformed("totals", "not written as this program writes it")
	}
	return totals, nil
}

// RootOfTotals returns the RFC 6962 root whose leaves are the lines of totals, without their line ends.
func RootOfTotals(totals []Total) tlog.Hash {
	var tree tlog.CompactRange
	for _, t := range totals {
		tree.Add(tlog.LeafHash(t.line()))
	}
	return tree.Root()
}

// CheckTotals returns an error where totals are not those that a seal stands for.
func (s Seal) CheckTotals(totals []Total) error {
	if _, err := EncodeTotals(totals); err != nil {
		return err
	}
	var sum Total
	missing := uint32(0)
	for _, t := range totals {
		sum.Batches += t.Batches
		sum.Bets += t.Bets
		sum.Stake += t.Stake
		if t.Missing {
			missing++
		}
	}
	if uint64(len(totals)) != uint64(s.Agencies) || sum != (Total{Batches: s.Batches, Bets: s.Bets, Stake: s.Stake}) {
		return fmt.Errorf("the totals of %d agencies come to %d bets of %d in %d batches; the seal says %d agencies, %d bets of %d in %d batches",
			len(totals), sum.Bets, sum.Stake, sum.Batches, s.Agencies, s.Bets, s.Stake, s.Batches)
	}
	if missing != s.Missing {
		return fmt.Errorf("the totals name %d agencies that had not finished; the seal says %d", missing, s.Missing)
	}
	if RootOfTotals(totals) != s.Totals {
		return errors.New("the totals are not those that the seal has the root of")
	}
	return nil
}

// lines reads a text entry's lines one after another. The first error stays.
type lines struct {
	all  []byte
	rest []byte
	err  error
}

func newLines(entry []byte, header string) *lines {
	l := &lines{all: entry, rest: entry}
	if len(entry) > tlog.MaxEntry {
		l.err = fmt.Errorf("an entry of %d bytes, over %d", len(entry), tlog.MaxEntry)
		return l
	}
	first, rest, _ := bytes.Cut(entry, []byte{'\n'})
	if l.rest = rest; string(first) != header {
		l.err = fmt.Errorf("not a %s entry", header)
	}
	return l
}

// text returns the value of the next line, which must have the given name.
func (l *lines) text(name string) string {
	line, rest, _ := bytes.Cut(l.rest, []byte{'\n'})
	value, ok := strings.CutPrefix(string(line), name+" ")
	if l.rest = rest; !ok && l.err == nil {
		l.err = fmt.Errorf("want the line %q, have %.40q", name, line)
	}
	return value
}

// has reports whether the next line has the given name.
func (l *lines) has(name string) bool { return bytes.HasPrefix(l.rest, []byte(name+" ")) }

func (l *lines) fail(name, value string) {
	if l.err == nil {
		l.err = fmt.Errorf("%s: %.40q", name, value)
	}
}

func (l *lines) uint(name string) uint64 { return l.parse(name, l.text(name)) }

func (l *lines) parse(name, value string) uint64 {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		l.fail(name, value)
	}
	return n
}

func (l *lines) number(name, value string) quiniela.Number {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		l.fail(name, value)
	}
	return quiniela.Number(n)
}

func (l *lines) terms(name string) *quiniela.Terms {
	value := l.text(name)
	t, err := quiniela.ParseTerms(value)
	if err != nil {
		l.fail(name, value)
	}
	return t
}

func (l *lines) hex(name, value string) []byte {
	b, err := hex.DecodeString(value)
	if err != nil {
		l.fail(name, value)
	}
	return b
}

func (l *lines) hash(name, value string) tlog.Hash {
	b := l.hex(name, value)
	if len(b) != tlog.HashSize {
		l.fail(name, value)
		return tlog.Hash{}
	}
	return tlog.Hash(b)
}

// finish returns what was read if encoding it gives back the very bytes that were read: nothing can be written in two ways.
func finish[T any](l *lines, v T, encode func() ([]byte, error)) (T, error) {
	var none T
	if l.err != nil {
		return none, &MalformedError{"entry", l.err}
	}
	again, err := encode()
	if err != nil {
		return none, &MalformedError{"entry", err}
	}
	if !bytes.Equal(again, l.all) {
		return none, malformed("entry", "not written as this program writes it")
	}
	return v, nil
}
