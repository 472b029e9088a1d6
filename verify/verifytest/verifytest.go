// Package verifytest makes small lotteries whose log is complete and right, for tests of what checks them: receipts, the
// draw's outcome, its beacon's round, and the checkpoint of its seal, which witnesses have cosigned.
package verifytest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Terms are what differs from one lottery to another. The zero value is a draw decided by round 1000 of Quicknet.
type Terms struct {
	Source string // of the number; empty: a beacon
	Sealed int64  // when, in seconds; 0: before the round
	Seen   int64  // when the witnesses saw the seal, in seconds; 0: before the round
	Entry  string // a word in another draw's opening, which makes another log
	Origin string // the log's name, where it is not the usual one
	// Seal changes what the operator signs as the seal, which is right before.
	Seal func(*receipt.Seal)
	// Result changes what the operator signs as the result, which is right before.
	Result func(*receipt.Result)
	// Late puts the receipts' batch behind the seal.
	Late bool
	// Before puts it before the draw's opening.
	Before bool
	// Digits makes the receipts' bets such on as many digits, which the game does not have.
	Digits byte
	// Covering makes the sealed checkpoint one that has more entries behind the seal.
	Covering bool
	// Game makes it a draw of the game quiniela, under these terms. The receipt is of a bet of 100.00 on the last two digits of the third prize at
	// all twenty, the lost one of a bet of 100.00 on a number of four digits that is not drawn.
	Game *quiniela.Terms
	// Operator says that an operator closed the draw by hand, before its time and with an agency missing, and why.
	Operator string
}

// ByHand is a Result: a notary entered the number though a beacon was to give it.
func ByHand(r *receipt.Result) {
	r.Source, r.Number, r.Prizes, r.Evidence = quiniela.SourceNotary, 7574, nil, nil
}

// Lottery is what a person may have of a lottery.
type Lottery struct {
	Key, Policy         []byte // the log's verifier key; a policy with it and two witnesses, both needed
	Receipt, Lost       []byte // of a bet that won and of one that did not
	Early               []byte // the first receipt, at an earlier checkpoint that only the log has signed
	AtSeal              []byte // the same, at the checkpoint of the draw's seal
	Outcome, Beacon     []byte
	Sealed, Newest      []byte      // signed checkpoints, cosigned
	Public              []tlog.File // the tiles, the newest checkpoint, the seal's and the outcome, as the lottery publishes them
	Number              quiniela.Number
	Bettor, NumberOther string // of the receipts

	log *maker
}

// Logged returns an entry of the log, proven to be in the newest checkpoint.
func (l *Lottery) Logged(index int64) (receipt.Logged, error) { return l.log.logged(index, atEnd) }

const (
	origin    = "quiniela.example/ledger"
	id        = "2023-08-23-T"
	round     = 1000
	signature = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
	roundTime = draw.QuicknetGenesis + (round-1)*draw.QuicknetPeriod
)

// maker is a log in the making.
type maker struct {
	Terms
	signer    note.Signer
	witnesses []note.Signer
	entries   [][]byte
	stored    []tlog.Hash
	policy    []byte
	key       string
	atBatch   int64
	page      []byte // of the receipts' batch, where it is not that of its lines
}

// New makes a lottery.
func New(t Terms) (*Lottery, error) {
	m := &maker{Terms: t, atBatch: 3}
	if t.Late {
		m.atBatch = 8
	}
	if m.Before {
		m.atBatch = 0
	}
	if m.Origin == "" {
		m.Origin = origin
	}
	if m.Seen == 0 {
		m.Seen = roundTime - 40
	}
	if m.Sealed == 0 {
		m.Sealed = roundTime - 60
	}
	if m.Source == "" {
		m.Source = quiniela.SourceBeacon
	}
	if err := m.keys(); err != nil {
		return nil, err
	}
	l := &Lottery{Key: []byte(m.key + "\n"), Policy: m.policy, log: m}
	return l, m.fill(l)
}

func seed(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func (m *maker) keys() (err error) {
	key := byte(0x42)
	if m.Origin != origin {
		key++
	}
	if m.signer, m.key, err = tlog.NewLogKey(m.Origin, seed(key)); err != nil {
		return err
	}
	text := "log " + m.key + "\n"
	for i := range byte(2) {
		w, key, err := tlog.NewWitnessKey(fmt.Sprintf("witness%d.example", i+1), seed(i+1), func() time.Time { return time.Unix(m.Seen, 0) })
		if err != nil {
			return err
		}
		m.witnesses = append(m.witnesses, w)
		text += fmt.Sprintf("witness w%d %s\n", i+1, key)
	}
	m.policy = []byte(text + "group both all w1 w2\nquorum both\n")
	return nil
}

// ReadHashes implements sumdb.HashReader.
func (m *maker) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, i := range indexes {
		found = append(found, m.stored[i])
	}
	return found, nil
}

func (m *maker) add(entry []byte) error {
	more, err := sumdb.StoredHashes(int64(len(m.entries)), entry, m)
	m.stored, m.entries = append(m.stored, more...), append(m.entries, entry)
	return err
}

// checkpoint is the log's first entries, signed and cosigned.
func (m *maker) checkpoint(size int64) ([]byte, error) {
	root, err := sumdb.TreeHash(size, m)
	if err != nil {
		return nil, err
	}
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: m.Origin, Size: size, Root: root}, m.signer)
	if err != nil {
		return nil, err
	}
	for _, w := range m.witnesses {
		line, err := tlog.Cosign(signed, w)
		if err != nil {
			return nil, err
		}
		if signed, err = tlog.AddSignatures(signed, line); err != nil {
			return nil, err
		}
	}
	return signed, nil
}

func (m *maker) logged(index, size int64) (receipt.Logged, error) {
	proof, err := tlog.ProveInclusion(size, index, m)
	return receipt.Logged{Entry: m.entries[index], Index: uint64(index), Proof: proof}, err
}

// The log: another draw's opening, the draw's, the other's batch, two batches of the draw, its seal, another batch of the
// other draw, the result, and what comes later.
const (
	atOpen   = 1
	atSeal   = 5
	atResult = 7
	atEnd    = 11
)

func (m *maker) fill(l *Lottery) error {
	open := m.open(2, id)
	text, err := open.Encode()
	if err != nil {
		return err
	}
	other, err := m.open(1, "other"+m.Entry).Encode()
	if err != nil {
		return err
	}
	result, err := m.result(open, text)
	if err != nil {
		return err
	}
	l.Number = result.Number
	lines := m.lines(result)
	leaves, err := receipt.KeepLeaves(m.Game, &[receipt.SecretSize]byte{0x11}, lines)
	if err != nil {
		return err
	}
	first := batch(2, 1, 1, leaves, 3)
	if m.Digits != 0 {
		records, _, err := receipt.Records(quiniela.Specified, &[receipt.SecretSize]byte{0x11}, lines)
		if err != nil {
			return err
		}
		for i := range 3 {
			records[i*receipt.RecordSize+2], records[i*receipt.RecordSize+5], records[i*receipt.RecordSize+6] = m.Digits, 0, 7
		}
		m.page, first.Root = records, receipt.PageHash(records)
	}
	second := batch(2, 1, 2, leaves, 6)
	if m.Game != nil {
		first.Stake, first.CumulativeStake, second.Stake, second.CumulativeStake = staked/2, staked/2, staked/2, staked
		if err := m.pay(&result, lines); err != nil {
			return err
		}
	}
	seal, err := m.seal().Encode()
	if err != nil {
		return err
	}
	drawn, err := result.Encode()
	if err != nil {
		return err
	}
	foreign := func(i uint64) []byte { b := batch(1, 7, i, leaves, 3*i).Encode(); return b[:] }
	one, two := first.Encode(), second.Encode()
	all := [][]byte{other, text, foreign(1), one[:], two[:], seal, foreign(2), drawn, foreign(3), foreign(4), foreign(5)}
	all[3], all[m.atBatch] = all[m.atBatch], all[3]
	for _, entry := range all {
		if err := m.add(entry); err != nil {
			return err
		}
	}
	return m.documents(l, leaves, first)
}

func (m *maker) seal() receipt.Seal {
	s := receipt.Seal{Draw: 2, Open: atOpen, Batches: 2, Bets: 6, Agencies: 1, By: receipt.ClosedByAgencies, Sealed: uint64(m.Sealed) * 1e6}
	totals := []receipt.Total{{Agency: 1, Batches: 2, Bets: 6}}
	if m.Game != nil {
		s.Stake, totals[0].Stake = staked, staked
	}
	if m.Operator != "" {
		s.By, s.Note, s.Missing, s.Sealed = receipt.ClosedByOperator, m.Operator, 1, (roundTime-500)*1e6
		totals[0].Missing = true
	}
	s.Totals = receipt.RootOfTotals(totals)
	if m.Seal != nil {
		m.Seal(&s)
	}
	return s
}

func (m *maker) sealedSize() int64 {
	if m.Covering {
		return atSeal + 2
	}
	return atSeal + 1
}

func (m *maker) open(n uint64, id string) receipt.DrawOpen {
	o := receipt.DrawOpen{Draw: n, ID: id, Agencies: 1, Opened: (roundTime - 6000) * 1e6, Close: (roundTime - 70) * 1e6, Source: m.Source}
	if n == 2 {
		o.Game = m.Game
	}
	switch m.Source {
	case quiniela.SourceBeacon:
		o.Beacon = &receipt.BeaconTerms{Chain: draw.Quicknet().Hash(), Round: round}
	case quiniela.SourceFixed:
		fixed := quiniela.Number(7574)
		o.Number = &fixed
	}
	return o
}

func (m *maker) result(open receipt.DrawOpen, text []byte) (receipt.Result, error) {
	r, err := m.rightResult(open, text)
	if err == nil && m.Result != nil && m.Game == nil {
		m.Result(&r)
	}
	return r, err
}

// extract is what a notary enters for a draw of the game quiniela.
var extract = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// staked is what the six bets of a draw of the game quiniela stake together, in cents.
const staked = 6 * 10000

// lines are the bets of a batch, of which the draw has two.
func (m *maker) lines(r receipt.Result) []byte {
	lost := (r.Number + 1) % (quiniela.MaxNumber + 1)
	if m.Game == nil {
		return []byte(fmt.Sprintf("Santiago Lionel,Lorca,30904465,1999-03-17,%d\nAna,Paz,1,1990-01-01,%d\nJosé,Ñandú,2,1991-01-01,%d\n", r.Number, lost, lost))
	}
	return []byte(fmt.Sprintf("Santiago Lionel,Lorca,30904465,1999-03-17,%02d,100,1-20\nAna,Paz,1,1990-01-01,%04d,100\nJosé,Ñandú,2,1991-01-01,%04d,100\n", r.Prizes[2]%100, r.Number, lost))
}

// pay works out what the bets of both batches are paid.
func (m *maker) pay(r *receipt.Result, lines []byte) error {
	due, pool, paid := new(big.Int), new(big.Int), new(big.Int)
	for _, pass := range []func(prize *big.Int){
		func(prize *big.Int) { r.Winners++; due.Add(due, prize) },
		func(prize *big.Int) { paid.Add(paid, draw.Paid(prize, pool, due)) },
	} {
		for line := range quiniela.StoredLines(append(lines[:len(lines):len(lines)], lines...)) {
			p, err := m.Game.PlayOf(line)
			if err != nil {
				return err
			}
			if hits := len(draw.Hits(r.Prizes, p)); hits > 0 {
				pass(draw.Prize(m.Game, p, hits))
			}
		}
		pool = draw.Pool(m.Game, big.NewInt(staked), due)
	}
	r.Payout = &receipt.Payout{Staked: staked, Due: due.Uint64(), Pool: pool.Uint64(), Paid: paid.Uint64()}
	if m.Result != nil {
		m.Result(r)
	}
	return nil
}

func (m *maker) rightResult(open receipt.DrawOpen, text []byte) (receipt.Result, error) {
	r := receipt.Result{Draw: 2, Open: atOpen, Seal: atSeal, Source: m.Source, Number: 7574, Winners: 2, Drawn: (roundTime + 6) * 1e6}
	if m.Game != nil {
		r.Winners = 0 // pay counts them
	}
	if m.Source != quiniela.SourceBeacon {
		if m.Game != nil {
			r.Number, r.Prizes = extract[0], extract
		}
		return r, nil
	}
	sig, err := hex.DecodeString(signature)
	if err != nil {
		return r, err
	}
	randomness, err := draw.Quicknet().Verify(round, sig)
	if err != nil {
		return r, err
	}
	numbers, err := draw.Prizes(randomness, draw.Terms{ChainHash: open.Beacon.Chain, Round: round, DrawID: open.ID, Binding: tlog.LeafHash(text)})
	r.Number, r.Prizes, r.Evidence = numbers[0], numbers[:], sig
	return r, err
}

func batch(n uint64, agency quiniela.Agency, number uint64, leaves *receipt.Leaves, cumulative uint64) receipt.BatchEntry {
	count := uint32(leaves.Count())
	return receipt.BatchEntry{
		Draw: n, Agency: agency, Batch: number, Count: count,
		CumulativeBets: cumulative, Received: (roundTime - 100) * 1e6, Root: leaves.Root(),
	}
}

func (m *maker) documents(l *Lottery, leaves *receipt.Leaves, entry receipt.BatchEntry) (err error) {
	lorca := receipt.Person{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17"}
	if l.Receipt, err = m.receipt(leaves, 0, lorca, entry, atEnd); err != nil {
		return err
	}
	if l.Lost, err = m.receipt(leaves, 2, receipt.Person{FirstName: "José", LastName: "Ñandú", Document: "2", Birthdate: "1991-01-01"}, entry, atEnd); err != nil {
		return err
	}
	if !m.Late {
		if l.AtSeal, err = m.receipt(leaves, 0, lorca, entry, atSeal+1); err != nil {
			return err
		}
		witnesses := m.witnesses
		m.witnesses = nil
		if l.Early, err = m.receipt(leaves, 0, lorca, entry, m.atBatch+1); err != nil {
			return err
		}
		m.witnesses = witnesses
	}
	if l.Sealed, err = m.checkpoint(m.sealedSize()); err != nil {
		return err
	}
	if l.Newest, err = m.checkpoint(atEnd); err != nil {
		return err
	}
	l.Beacon = []byte(`{"round":1000,"signature":"` + signature + `"}`)
	l.Bettor, l.NumberOther = "Santiago Lionel Lorca", fmt.Sprintf("%04d", (l.Number+1)%(quiniela.MaxNumber+1))
	if l.Outcome, err = m.outcome(l); err != nil {
		return err
	}
	return m.publish(l)
}

// publish is what the lottery publishes before any witness has seen it.
func (m *maker) publish(l *Lottery) (err error) {
	if l.Public, err = tlog.Tiles(0, atEnd, m); err != nil {
		return err
	}
	l.Public = append(l.Public, tlog.File{Path: "draws/" + id + "/outcome.json", Data: l.Outcome})
	m.witnesses = nil
	for path, size := range map[string]int64{"checkpoint": atEnd, "draws/" + id + "/sealed.checkpoint": m.sealedSize()} {
		signed, err := m.checkpoint(size)
		if err != nil {
			return err
		}
		l.Public = append(l.Public, tlog.File{Path: path, Data: signed})
	}
	return nil
}

func (m *maker) receipt(leaves *receipt.Leaves, i int, who receipt.Person, entry receipt.BatchEntry, size int64) ([]byte, error) {
	signed, err := m.checkpoint(size)
	if err != nil {
		return nil, err
	}
	at, err := m.logged(m.atBatch, size)
	if err != nil {
		return nil, err
	}
	encoded := entry.Encode()
	at.Entry = encoded[:]
	r, err := receipt.New(id, leaves, i, who, at, signed)
	if err != nil {
		return nil, err
	}
	if m.page != nil {
		r.Page = m.page
	}
	return r.Encode()
}

func (m *maker) outcome(l *Lottery) ([]byte, error) {
	var all [3]receipt.Logged
	for i, index := range []int64{atOpen, atSeal, atResult} {
		var err error
		if all[i], err = m.logged(index, atEnd); err != nil {
			return nil, err
		}
	}
	inSealed, err := m.logged(atSeal, m.sealedSize())
	if err != nil {
		return nil, err
	}
	return receipt.NewOutcome(all[0], all[1], all[2], l.Newest, l.Sealed, inSealed.Proof).Encode()
}

// Log reads what the lottery publishes, as verify.Options has it.
func (l *Lottery) Log(name string) ([]byte, error) {
	for _, f := range l.Public {
		if f.Path == name {
			return f.Data, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// Files returns the lottery as files, by name.
func (l *Lottery) Files() map[string][]byte {
	files := map[string][]byte{
		"receipt.json": l.Receipt, "lost.json": l.Lost, "early.json": l.Early, "atseal.json": l.AtSeal, "outcome.json": l.Outcome, "beacon.json": l.Beacon,
		"log.vkey": l.Key, "policy": l.Policy, "sealed.checkpoint": l.Sealed, "checkpoint": l.Newest,
		"changed.json": []byte(strings.Replace(string(l.Receipt), "Lorca", "Lorcb", 1)),
	}
	for _, f := range l.Public {
		files["public/"+f.Path] = f.Data
	}
	return files
}
