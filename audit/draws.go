package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// drawn is what the log has said of a draw so far.
type drawn struct {
	open   receipt.DrawOpen
	at     uint64 // of its opening in the log
	leaf   tlog.Hash
	seal   *receipt.Seal
	sealAt uint64
	sealed *tlog.VerifiedCheckpoint // that was published of it
	result *receipt.Result

	agencies map[quiniela.Agency]*Agency
	received uint64          // the latest of its batches, µs
	shown    *receipt.Result // that is published: what winners are counted for
	whole    bool            // its outcome, which is published last, is there
	pending  bool            // some of its files are not there yet
	hidden   int64           // how many entries of the log were held back before it opened
}

func (d *drawn) dir() string { return "draws/" + d.open.ID + "/" }

func (d *drawn) agency(n quiniela.Agency) *Agency {
	a := d.agencies[n]
	if a == nil {
		a = &Agency{Agency: uint32(n)}
		d.agencies[n] = a
	}
	return a
}

func micros(us uint64) time.Time { return time.UnixMicro(int64(us)).UTC() }

// entry looks at one entry of the log.
func (a *auditor) entry(index uint64, k known) error {
	data := k.entry
	v, err := receipt.ParseEntry(data)
	if err != nil {
		a.entries.finding("entry %d: %v", index, err)
		return nil
	}
	switch v := v.(type) {
	case receipt.BatchEntry:
		a.batch(index, v, k)
	case receipt.Continues:
		return a.beginning(index, v, data)
	case receipt.DrawOpen:
		return a.opening(index, v, data)
	case receipt.Seal:
		return a.sealing(index, v, data)
	case receipt.Result:
		return a.resulting(index, v, data)
	}
	return nil
}

func (a *auditor) opening(index uint64, o receipt.DrawOpen, data []byte) error {
	if want := a.next(); o.Draw != want && (o.Draw <= a.last || o.Draw > want) || a.ids[o.ID] {
		a.entries.finding("entry %d opens draw %d, %q, where %d is next and names are used once", index, o.Draw, o.ID, want)
		return nil
	}
	a.last = o.Draw
	if n, listed := a.numbered[o.ID]; listed && n != o.Draw {
		a.files.finding("draws.txt: draw %s has the number %d, and the log opens it with %d", o.ID, n, o.Draw)
	}
	if quiniela.CheckDrawID(o.ID) != nil {
		a.entries.finding("entry %d opens a draw with the name %q, which no folder can have", index, o.ID)
		return nil
	}
	a.ids[o.ID] = true
	d := &drawn{open: o, at: index, leaf: tlog.LeafHash(data), hidden: a.unknown, agencies: map[quiniela.Agency]*Agency{}}
	a.draws[o.Draw] = d
	var err error
	if d.whole, d.shown, err = a.folder(d.dir()); err != nil {
		return err
	}
	if err := a.follows(d, "open", data, o.Opened); err != nil {
		return err
	}
	text, err := verify.Opening(data, a.top.Origin)
	if err != nil {
		return err
	}
	return a.follows(d, "open.txt", []byte(text), o.Opened)
}

// folder reports whether a draw's outcome is published, and returns its published result, or nil. Each draw is
// looked at once in an audit: everything in it then rests on the same moment.
func (a *auditor) folder(dir string) (whole bool, result *receipt.Result, err error) {
	if s, known := a.folders[dir]; known {
		return s.whole, s.result, nil
	}
	outcome, err := a.read(dir + "outcome.json") // before the rest: once it is there, all is
	if err != nil {
		return false, nil, err
	}
	data, err := a.read(dir + "result")
	if err != nil {
		return false, nil, err
	}
	if r, bad := receipt.ParseResult(data); bad == nil {
		result = &r
	}
	if a.folders == nil {
		a.folders = map[string]folderState{}
	}
	a.folders[dir] = folderState{outcome != nil, result}
	return outcome != nil, result, nil
}

// folderState is what was seen of a draw's folder.
type folderState struct {
	whole  bool
	result *receipt.Result
}

func (a *auditor) batch(index uint64, b receipt.BatchEntry, k known) {
	a.order.Checked++
	where := fmt.Sprintf("entry %d (draw %d, agency %d, batch %d)", index, b.Draw, b.Agency, b.Batch)
	d := a.draws[b.Draw]
	switch {
	case d == nil:
		a.order.finding("%s is of a draw that was not opened before", where)
		return
	case d.seal != nil:
		a.order.finding("%s comes after the draw was sealed by entry %d", where, d.sealAt)
	case uint32(b.Agency) > d.open.Agencies:
		a.order.finding("%s is of an agency that the draw does not have", where)
	}
	if d.whole && k.batch == nil {
		a.bets.finding("%sbatches: entry %d (agency %d, batch %d) is missing", d.dir(), index, b.Agency, b.Batch)
	}
	g := d.agency(b.Agency)
	if a.partial(d) { // others of its agency may be held back
		g.Batches, g.Bets, g.Stake = b.Batch-1, b.CumulativeBets-uint64(b.Count), b.CumulativeStake-b.Stake
	}
	if b.Batch != g.Batches+1 {
		a.order.finding("%s comes where batch %d is next", where, g.Batches+1)
	}
	g.Batches++
	g.Bets += uint64(b.Count)
	g.Stake += b.Stake
	if b.CumulativeBets != g.Bets || b.CumulativeStake != g.Stake {
		a.order.finding("%s says that the agency has %d bets of %d together by then, and it has %d of %d", where, b.CumulativeBets, b.CumulativeStake, g.Bets, g.Stake)
	}
	at := micros(b.Received)
	if at.Before(micros(d.open.Opened).Add(-tolerance)) {
		a.order.finding("%s was received at %s, before its draw was opened", where, at.Format(time.RFC3339))
	}
	if d.open.Close != 0 && at.After(micros(d.open.Close).Add(tolerance)) {
		a.order.finding("%s was received at %s, after bets had ended", where, at.Format(time.RFC3339))
	}
	d.received = max(d.received, b.Received)
}

// partial reports whether batches of a draw may be among the entries that are held back.
func (a *auditor) partial(d *drawn) bool { return !d.whole && a.unknown > d.hidden }

func (a *auditor) sealing(index uint64, s receipt.Seal, data []byte) error {
	a.seals.Checked++
	d := a.draws[s.Draw]
	if d == nil || d.seal != nil || s.Open != d.at {
		a.seals.finding("entry %d seals draw %d opened by entry %d: no such draw is open", index, s.Draw, s.Open)
		return nil
	}
	d.seal, d.sealAt = &s, index
	if err := a.totals(index, d); err != nil {
		return err
	}
	sealed := micros(s.Sealed)
	if micros(d.received).After(sealed.Add(tolerance)) {
		a.seals.finding("entry %d: draw %s was sealed at %s, and a batch before it was received at %s", index, d.open.ID, sealed.Format(time.RFC3339), micros(d.received).Format(time.RFC3339))
	}
	if b := d.open.Beacon; b != nil && !sealed.Before(a.Chain.TimeOf(b.Round)) {
		a.seals.finding("entry %d: draw %s was sealed at %s, and its beacon's round was signed at %s: its number could be known", index, d.open.ID, sealed.Format(time.RFC3339), a.Chain.TimeOf(b.Round).Format(time.RFC3339))
	}
	if d.open.Close != 0 && s.By == receipt.ClosedByTime && s.Sealed < d.open.Close {
		a.seals.finding("entry %d: draw %s was sealed at %s by its closing time, which is %s", index, d.open.ID, sealed.Format(time.RFC3339), micros(d.open.Close).Format(time.RFC3339))
	}
	if err := a.follows(d, "seal", data, s.Sealed); err != nil {
		return err
	}
	return a.sealedCheckpoint(index, d)
}

// totals compares what the agencies brought with the published totals, and those with the seal. Which agencies had not finished is the
// operator's word.
func (a *auditor) totals(index uint64, d *drawn) error {
	name := d.dir() + "totals"
	text, err := a.read(name)
	if err != nil {
		return err
	}
	a.files.Checked++
	if text == nil {
		if !a.isEarly(d, d.seal.Sealed) {
			a.files.finding("%s is missing", name)
		}
		return nil
	}
	totals, err := receipt.ParseTotals(text)
	if err == nil {
		err = d.seal.CheckTotals(totals)
	}
	if err != nil {
		a.seals.finding("entry %d, the seal of draw %s: %s: %v", index, d.open.ID, name, err)
		return nil
	}
	if a.partial(d) {
		return nil
	}
	var brought []receipt.Total
	for _, t := range totals {
		if uint32(t.Agency) > d.open.Agencies {
			a.seals.finding("entry %d: %s has an agency %d, which draw %s does not have", index, name, t.Agency, d.open.ID)
		}
		if t.Missing = false; t.Batches > 0 {
			brought = append(brought, t)
		}
	}
	if want := d.brought(); !slices.Equal(brought, want) {
		a.seals.finding("entry %d, the seal of draw %s: it has the totals of %d agencies with bets, and the log's batches give those of %d; the first that differs is %s",
			index, d.open.ID, len(brought), len(want), differing(brought, want))
	}
	return nil
}

// differing describes the first total that differs.
func differing(sealed, counted []receipt.Total) string {
	for i, t := range sealed {
		if i >= len(counted) || counted[i] != t {
			return fmt.Sprintf("agency %d with %d bets in %d batches", t.Agency, t.Bets, t.Batches)
		}
	}
	return fmt.Sprintf("agency %d, which the seal leaves out", counted[len(sealed)].Agency)
}

// brought returns what the log's batches come to for each agency.
func (d *drawn) brought() (totals []receipt.Total) {
	for _, n := range slices.Sorted(maps.Keys(d.agencies)) {
		g := d.agencies[n]
		totals = append(totals, receipt.Total{Agency: n, Batches: g.Batches, Bets: g.Bets, Stake: g.Stake})
	}
	return totals
}

// sealedCheckpoint checks the checkpoint that ends with a seal, and who has cosigned it, and when.
func (a *auditor) sealedCheckpoint(index uint64, d *drawn) error {
	name := d.dir() + "sealed.checkpoint"
	signed, err := a.read(name)
	if err != nil {
		return err
	}
	if signed == nil {
		if waits, err := a.waitsForWitnesses(d); waits || err != nil {
			return err
		}
	}
	if signed == nil && a.isEarly(d, d.seal.Sealed) {
		return nil
	}
	if signed == nil {
		a.files.finding("%s is missing", name)
		return nil
	}
	if a.ahead(d, signed) {
		return nil
	}
	opened := a.compare(name, signed, a.seals)
	if opened == nil {
		return nil
	}
	if uint64(opened.Size) <= index {
		a.seals.finding("%s is of %d entries, and the draw's seal is entry %d", name, opened.Size, index)
	}
	d.sealed = opened
	a.inTime(name, d, opened)
	return nil
}

// ahead reports whether the checkpoint of a draw's seal is newer than the log's, and notes that it is: seals are published before all else.
func (a *auditor) ahead(d *drawn, signed []byte) bool {
	c, err := a.policy.VerifyCheckpoint(signed)
	if err != nil || c.Origin != a.top.Origin || c.Size <= a.top.Size || !a.recent(d.seal.Sealed) {
		return false
	}
	a.wait("the checkpoint of draw %s is newer than the log's", d.open.ID)
	d.pending = true
	return true
}

// waitsForWitnesses reports whether a draw's seal is published as one that too few witnesses have cosigned yet.
func (a *auditor) waitsForWitnesses(d *drawn) (bool, error) {
	name := d.dir() + "sealed.unwitnessed"
	signed, err := a.read(name)
	if err != nil || signed == nil || d.whole {
		return false, err
	}
	if a.ahead(d, signed) || a.compare(name, signed, a.seals) != nil {
		a.wait("the seal of draw %s waits for witnesses", d.open.ID)
	}
	return true, nil
}

// inTime checks who has cosigned a draw's sealed checkpoint, and when.
func (a *auditor) inTime(name string, d *drawn, sealed *tlog.VerifiedCheckpoint) {
	if !a.policy.NeedsWitnesses() {
		return
	}
	a.witnesses.Checked++
	if err := a.policy.Quorum(sealed); err != nil {
		a.witnesses.finding("%s: %v", name, err)
		return
	}
	if b := d.open.Beacon; b != nil {
		round := a.Chain.TimeOf(b.Round)
		if err := a.policy.Quorum(sealed.Before(round)); err != nil {
			a.witnesses.finding("%s: before the beacon's round could be known, at %s, %v: the seal may be back-dated", name, round.Format(time.RFC3339), err)
		}
	}
}

func (a *auditor) resulting(index uint64, r receipt.Result, data []byte) error {
	a.numbers.Checked++
	d := a.draws[r.Draw]
	if d == nil || d.seal == nil || d.result != nil || r.Open != d.at || r.Seal != d.sealAt {
		a.numbers.finding("entry %d is a result of draw %d sealed by entry %d: no such draw waits for one", index, r.Draw, r.Seal)
		return nil
	}
	d.result = &r
	if err := a.number(d, r); err != nil {
		a.numbers.finding("entry %d, the result of draw %s: %v", index, d.open.ID, err)
	}
	if err := a.follows(d, "result", data, r.Drawn); err != nil {
		return err
	}
	if r.Source == quiniela.SourceBeacon && d.open.Beacon != nil { // without it, number has found fault
		if err := a.publishedBeacon(d, r); err != nil {
			return err
		}
	}
	if a.isEarly(d, r.Drawn) {
		return nil
	}
	if !d.whole {
		a.files.finding("%soutcome.json is missing", d.dir())
		return nil
	}
	if err := a.count(d, r); err != nil {
		return err
	}
	return a.outcome(d)
}

// publishedBeacon compares the published round with the result's evidence.
func (a *auditor) publishedBeacon(d *drawn, r receipt.Result) error {
	b := draw.Beacon{Round: d.open.Beacon.Round}
	copy(b.Signature[:], r.Evidence)
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return a.follows(d, "beacon.json", append(text, '\n'), r.Drawn)
}

// number derives a draw's number again.
func (a *auditor) number(d *drawn, r receipt.Result) error {
	if r.Drawn < d.seal.Sealed {
		return fmt.Errorf("drawn at %s, before the seal", micros(r.Drawn).Format(time.RFC3339))
	}
	if r.Source != d.open.Source { // a beacon's draw has no other end than its round, whether that is at hand or not
		return fmt.Errorf("the draw was opened with the source %q, and its number is from %q", d.open.Source, r.Source)
	}
	switch r.Source {
	case quiniela.SourceFixed:
		if r.Number != *d.open.Number {
			return fmt.Errorf("the number is %04d, and the draw was opened with %04d", r.Number, *d.open.Number)
		}
	case quiniela.SourceBeacon:
		prizes, err := a.Chain.Numbers(r.Evidence, draw.Terms{ChainHash: d.open.Beacon.Chain, Round: d.open.Beacon.Round, DrawID: d.open.ID, Binding: d.leaf})
		if err != nil {
			return err
		}
		if !slices.Equal(prizes, r.Prizes) {
			return fmt.Errorf("round %d gives %04d, and the result says %04d", d.open.Beacon.Round, prizes, r.Prizes)
		}
		if b := a.Beacon; b != nil && b.Round == d.open.Beacon.Round && !bytes.Equal(b.Signature[:], r.Evidence) {
			return fmt.Errorf("round %d was given with another signature", b.Round)
		}
	}
	return nil
}

// outcome checks the proof that is published of a draw.
func (a *auditor) outcome(d *drawn) error {
	name := d.dir() + "outcome.json"
	data, err := a.read(name)
	if err != nil {
		return err
	}
	if data == nil {
		a.files.finding("%s is missing", name)
		return nil
	}
	o, err := receipt.ParseOutcome(data)
	if err != nil {
		a.files.finding("%s: %v", name, err)
		return nil
	}
	if again, err := o.Encode(); err != nil || !bytes.Equal(again, data) {
		a.files.finding("%s is not written as it is published", name)
	}
	if last := a.compare(name, []byte(o.Checkpoint), a.seals); last != nil && a.policy.NeedsWitnesses() {
		a.witnesses.Checked++
		if err := a.policy.Quorum(last); err != nil {
			a.witnesses.finding("%s: the checkpoint with the result: %v", name, err)
		}
	}
	if sealed, err := a.policy.VerifyCheckpoint([]byte(o.Sealed)); err != nil || d.sealed == nil || sealed.Checkpoint != d.sealed.Checkpoint {
		a.seals.finding("%s has another sealed checkpoint than %ssealed.checkpoint (%v)", name, d.dir(), err)
	} else {
		a.inTime(name, d, sealed)
	}
	found, proven := verify.Outcome(data, a.policy.WithoutWitnesses(), []*draw.Chain{a.Chain})
	for _, f := range found {
		if f.State == verify.Failed {
			a.files.finding("%s: %s: %v", name, f.Step, f.Err)
		}
	}
	if found.Passed() && (o.Open.Index != d.at || o.Seal.Index != d.sealAt || proven.Result.Draw != d.open.Draw) {
		a.files.finding("%s is of another draw", name)
	}
	return nil
}

// report says what was recomputed of a draw.
func (d *drawn) report(a *auditor) {
	v := &Draw{ID: d.open.ID, State: "open", Source: d.open.Source}
	since := d.open.Opened
	for _, n := range slices.Sorted(maps.Keys(d.agencies)) {
		g := d.agencies[n]
		v.Batches, v.Bets, v.Stake, v.Winners = v.Batches+g.Batches, v.Bets+g.Bets, v.Stake+g.Stake, v.Winners+g.Winners
		v.Due, v.Paid = v.Due+g.Due, v.Paid+g.Paid
		v.Agencies = append(v.Agencies, *g)
	}
	if d.seal != nil {
		v.State, v.Sealed, since = "sealed", micros(d.seal.Sealed), d.seal.Sealed
	}
	if d.result != nil {
		number := uint16(d.result.Number)
		v.State, v.Source, v.Number, since = "drawn", d.result.Source, &number, d.result.Drawn
	}
	if d.pending {
		a.wait("draw %s is %s since %s, and its files are not all published yet", v.ID, v.State, micros(since).Format(time.RFC3339))
	}
	a.report.Draws = append(a.report.Draws, v)
}
