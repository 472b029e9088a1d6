// Package verifytest makes small lotteries whose log is complete and right, for tests of what checks them: receipts, the
// draw's outcome, its beacon's round, and the checkpoint of its seal, which witnesses have cosigned.
package verifytest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
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
	Notary bool   // a notary entered the number though a beacon was to give it
	Sealed int64  // when, in seconds; 0: before the round
	Seen   int64  // when the witnesses saw the seal, in seconds; 0: before the round
	Entry  string // a word in another draw's opening, which makes another log
}

// Lottery is what a person may have of a lottery.
type Lottery struct {
	Key, Policy         []byte // the log's verifier key; a policy with it and two witnesses, both needed
	Receipt, Lost       []byte // of a bet that won and of one that did not
	Early               []byte // the first receipt, at an earlier checkpoint
	Outcome, Beacon     []byte
	Sealed, Newest      []byte      // signed checkpoints, cosigned
	Public              []tlog.File // the tiles, the newest checkpoint and the seal's, as the lottery publishes them
	Number              quiniela.Number
	Bettor, NumberOther string // of the receipts
}

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
}

// New makes a lottery.
func New(t Terms) (*Lottery, error) {
	m := &maker{Terms: t}
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
	l := &Lottery{Key: []byte(m.key + "\n"), Policy: m.policy}
	return l, m.fill(l)
}

func seed(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func (m *maker) keys() (err error) {
	if m.signer, m.key, err = tlog.NewLogKey(origin, seed(0x42)); err != nil {
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
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Size: size, Root: root}, m.signer)
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
	atBatch  = 3
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
	lost := (result.Number + 1) % (quiniela.MaxNumber + 1)
	lines := []byte(fmt.Sprintf("Santiago Lionel,Lorca,30904465,1999-03-17,%d\nAna,Paz,1,1990-01-01,%d\nJosé,Ñandú,2,1991-01-01,%d\n", result.Number, lost, lost))
	leaves, err := receipt.KeepLeaves(&[receipt.SecretSize]byte{0x11}, receipt.Play{Stake: 100, Time: 1692806000123}, lines)
	if err != nil {
		return err
	}
	first := batch(2, 1, 1, leaves, 3)
	second := batch(2, 1, 2, leaves, 6)
	totals := []receipt.Total{{Agency: 1, Batches: 2, Bets: 6, Stake: 600}}
	seal, err := receipt.Seal{Draw: 2, Open: atOpen, Batches: 2, Bets: 6, Stake: 600, Agencies: 1, Totals: receipt.RootOfTotals(totals), Sealed: uint64(m.Sealed) * 1e6}.Encode()
	if err != nil {
		return err
	}
	drawn, err := result.Encode()
	if err != nil {
		return err
	}
	foreign := func(i uint64) []byte { b := batch(1, 7, i, leaves, 3*i).Encode(); return b[:] }
	one, two := first.Encode(), second.Encode()
	for _, entry := range [][]byte{other, text, foreign(1), one[:], two[:], seal, foreign(2), drawn, foreign(3), foreign(4), foreign(5)} {
		if err := m.add(entry); err != nil {
			return err
		}
	}
	return m.documents(l, leaves, first)
}

func (m *maker) open(n uint64, id string) receipt.DrawOpen {
	o := receipt.DrawOpen{Draw: n, ID: id, Rules: "quiniela/2026", Agencies: 1, Opened: (roundTime - 6000) * 1e6, Close: (roundTime - 70) * 1e6, Source: m.Source}
	switch m.Source {
	case quiniela.SourceBeacon:
		o.Beacon = &receipt.BeaconTerms{Chain: draw.Quicknet().Hash(), Round: round, Fallback: receipt.FallbackNotary}
	case quiniela.SourceFixed:
		fixed := quiniela.Number(7574)
		o.Number = &fixed
	}
	return o
}

func (m *maker) result(open receipt.DrawOpen, text []byte) (receipt.Result, error) {
	r := receipt.Result{Draw: 2, Open: atOpen, Seal: atSeal, Source: m.Source, Number: 7574, Winners: 2, Drawn: (roundTime + 6) * 1e6}
	if m.Source != quiniela.SourceBeacon {
		return r, nil
	}
	if m.Notary {
		r.Source = quiniela.SourceNotary
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
		Draw: n, Agency: agency, Batch: number, Count: count, Stake: uint64(count) * 100,
		CumulativeBets: cumulative, CumulativeStake: cumulative * 100, Received: (roundTime - 100) * 1e6, Root: leaves.Root(),
	}
}

func (m *maker) documents(l *Lottery, leaves *receipt.Leaves, entry receipt.BatchEntry) (err error) {
	if l.Receipt, err = m.receipt(leaves, 0, receipt.Person{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17"}, entry, atEnd); err != nil {
		return err
	}
	if l.Lost, err = m.receipt(leaves, 2, receipt.Person{FirstName: "José", LastName: "Ñandú", Document: "2", Birthdate: "1991-01-01"}, entry, atEnd); err != nil {
		return err
	}
	if l.Early, err = m.receipt(leaves, 0, receipt.Person{FirstName: "Santiago Lionel", LastName: "Lorca", Document: "30904465", Birthdate: "1999-03-17"}, entry, atBatch+1); err != nil {
		return err
	}
	if l.Sealed, err = m.checkpoint(atSeal + 1); err != nil {
		return err
	}
	if l.Newest, err = m.checkpoint(atEnd); err != nil {
		return err
	}
	l.Beacon = []byte(`{"round":1000,"signature":"` + signature + `"}`)
	l.Bettor, l.NumberOther = "Santiago Lionel Lorca", fmt.Sprintf("%04d", (l.Number+1)%(quiniela.MaxNumber+1))
	if l.Outcome, err = m.outcome(l.Newest); err != nil {
		return err
	}
	return m.publish(l)
}

// publish is what the lottery publishes before any witness has seen it.
func (m *maker) publish(l *Lottery) (err error) {
	if l.Public, err = tlog.Tiles(0, atEnd, m); err != nil {
		return err
	}
	m.witnesses = nil
	for path, size := range map[string]int64{"checkpoint": atEnd, "draws/" + id + "/sealed.checkpoint": atSeal + 1} {
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
	at, err := m.logged(atBatch, size)
	if err != nil {
		return nil, err
	}
	encoded := entry.Encode()
	at.Entry = encoded[:]
	r, err := receipt.New(leaves, i, who, at, signed)
	if err != nil {
		return nil, err
	}
	return r.Encode()
}

func (m *maker) outcome(signed []byte) ([]byte, error) {
	var all [3]receipt.Logged
	for i, index := range []int64{atOpen, atSeal, atResult} {
		var err error
		if all[i], err = m.logged(index, atEnd); err != nil {
			return nil, err
		}
	}
	return receipt.NewOutcome(all[0], all[1], all[2], signed).Encode()
}

// Files returns the lottery as files, by name.
func (l *Lottery) Files() map[string][]byte {
	files := map[string][]byte{
		"receipt.json": l.Receipt, "lost.json": l.Lost, "early.json": l.Early, "outcome.json": l.Outcome, "beacon.json": l.Beacon,
		"log.vkey": l.Key, "policy": l.Policy, "sealed.checkpoint": l.Sealed, "checkpoint": l.Newest,
		"changed.json": []byte(strings.Replace(string(l.Receipt), "Lorca", "Lorcb", 1)),
	}
	for _, f := range l.Public {
		files["public/"+f.Path] = f.Data
	}
	return files
}
