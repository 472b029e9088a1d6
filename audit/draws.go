package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

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
	result *receipt.Result

	agencies map[quiniela.Agency]*Agency
	received uint64           // the latest of its batches, µs
	number   *quiniela.Number // that the published result names: what winners are counted for
	whole    bool             // its outcome, which is published last, is there
	pending  bool             // some of its files are not there yet
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
func (a *auditor) entry(index uint64, data []byte) error {
	if a.private != nil {
		a.private.next(index, data)
	}
	v, err := receipt.ParseEntry(data)
	if err != nil {
		a.entries.finding("entry %d: %v", index, err)
		return nil
	}
	switch v := v.(type) {
	case receipt.BatchEntry:
		a.batch(index, v)
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
	if want := uint64(len(a.draws)) + 1; o.Draw != want || a.ids[o.ID] {
		a.entries.finding("entry %d opens draw %d, %q, where %d is next and names are used once", index, o.Draw, o.ID, want)
		return nil
	}
	if quiniela.CheckDrawID(o.ID) != nil {
		a.entries.finding("entry %d opens a draw with the name %q, which no folder can have", index, o.ID)
		return nil
	}
	a.ids[o.ID] = true
	d := &drawn{open: o, at: index, leaf: tlog.LeafHash(data), agencies: map[quiniela.Agency]*Agency{}}
	a.draws[o.Draw] = d
	var err error
	if d.whole, d.number, err = a.folder(d.dir()); err != nil {
		return err
	}
	return a.follows(d, "open", data, o.Opened)
}

// folder reports whether a draw's outcome is published, and returns the number of its published result, or nil. Each draw is
// looked at once in an audit: everything in it then rests on the same moment.
func (a *auditor) folder(dir string) (whole bool, number *quiniela.Number, err error) {
	if s, known := a.folders[dir]; known {
		return s.whole, s.number, nil
	}
	outcome, err := a.read(dir + "outcome.json") // before the rest: once it is there, all is
	if err != nil {
		return false, nil, err
	}
	result, err := a.read(dir + "result")
	if err != nil {
		return false, nil, err
	}
	if r, bad := receipt.ParseResult(result); bad == nil {
		number = &r.Number
	}
	if a.folders == nil {
		a.folders = map[string]folderState{}
	}
	a.folders[dir] = folderState{outcome != nil, number}
	return outcome != nil, number, nil
}

// folderState is what was seen of a draw's folder.
type folderState struct {
	whole  bool
	number *quiniela.Number
}

func (a *auditor) batch(index uint64, b receipt.BatchEntry) {
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
	g := d.agency(b.Agency)
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

func (a *auditor) sealing(index uint64, s receipt.Seal, data []byte) error {
	a.seals.Checked++
	d := a.draws[s.Draw]
	if d == nil || d.seal != nil || s.Open != d.at {
		a.seals.finding("entry %d seals draw %d opened by entry %d: no such draw is open", index, s.Draw, s.Open)
		return nil
	}
	d.seal, d.sealAt = &s, index
	totals := d.totals()
	if err := s.CheckTotals(totals); err != nil {
		a.seals.finding("entry %d, the seal of draw %s: %v", index, d.open.ID, err)
	}
	sealed := micros(s.Sealed)
	if micros(d.received).After(sealed.Add(tolerance)) {
		a.seals.finding("entry %d: draw %s was sealed at %s, and a batch before it was received at %s", index, d.open.ID, sealed.Format(time.RFC3339), micros(d.received).Format(time.RFC3339))
	}
	if b := d.open.Beacon; b != nil && !sealed.Before(a.Chain.TimeOf(b.Round)) {
		a.seals.finding("entry %d: draw %s was sealed at %s, and its beacon's round was signed at %s: its number could be known", index, d.open.ID, sealed.Format(time.RFC3339), a.Chain.TimeOf(b.Round).Format(time.RFC3339))
	}
	text, err := receipt.EncodeTotals(totals)
	if err != nil {
		a.seals.finding("entry %d: %v", index, err)
	}
	if err := a.follows(d, "seal", data, s.Sealed); err != nil {
		return err
	}
	if err := a.follows(d, "totals", text, s.Sealed); err != nil {
		return err
	}
	return a.sealedCheckpoint(index, d)
}

func (d *drawn) totals() (totals []receipt.Total) {
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
	if signed == nil && a.early(d, d.seal.Sealed) {
		return nil
	}
	if signed == nil {
		a.files.finding("%s is missing", name)
		return nil
	}
	opened := a.compare(name, signed, a.seals)
	if opened == nil {
		return nil
	}
	if uint64(opened.Size) != index+1 {
		a.seals.finding("%s is of %d entries, and the draw's seal is entry %d", name, opened.Size, index)
	}
	if !a.policy.NeedsWitnesses() {
		return nil
	}
	a.witnesses.Checked++
	if err := a.policy.Quorum(opened); err != nil {
		a.witnesses.finding("%s: %v", name, err)
		return nil
	}
	if b := d.open.Beacon; b != nil {
		round := a.Chain.TimeOf(b.Round)
		if err := a.policy.Quorum(opened.Before(round)); err != nil {
			a.witnesses.finding("%s: before the beacon's round could be known, at %s, %v: the seal may be back-dated", name, round.Format(time.RFC3339), err)
		}
	}
	return nil
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
	if a.early(d, r.Drawn) {
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
	fallback := d.open.Beacon != nil && d.open.Beacon.Fallback == receipt.FallbackNotary && r.Source == quiniela.SourceNotary
	if r.Source != d.open.Source && !fallback {
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
	a.compare(name, []byte(o.Checkpoint), a.seals)
	found, proven := verify.Outcome(data, a.policy.WithoutWitnesses(), []*draw.Chain{a.Chain}, nil)
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

// recordsJob is the check of one batch's published records.
type recordsJob struct {
	index  int64 // of the batch's entry
	entry  receipt.BatchEntry
	name   string
	data   []byte // the file, nil where it is missing
	number quiniela.Number
	wins   uint64
	err    error // what is wrong with the records
}

// records checks the records of a bundle's batches, several at a time, and counts their winners. Batches of draws whose result
// is not published have no records yet.
func (a *auditor) records(first int64, entries [][]byte) error {
	jobs, err := a.recordsJobs(first, entries)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, j := range jobs {
		g.Go(func() error {
			j.wins, j.err = checkRecords(j.data, j.entry, j.number)
			return nil
		})
	}
	_ = g.Wait() // each job keeps its error
	for _, j := range jobs {
		a.bets.Checked += uint64(j.entry.Count)
		if j.err != nil {
			a.bets.finding("%s (entry %d): %v", j.name, j.index, j.err)
		}
		a.won(j.entry, j.wins)
	}
	return nil
}

// recordsJobs reads the records of a bundle's batches whose draws have a published result.
func (a *auditor) recordsJobs(first int64, entries [][]byte) (jobs []*recordsJob, err error) {
	known := maps.Clone(a.draws)
	for i, e := range entries {
		if o, err := receipt.ParseDrawOpen(e); err == nil && known[o.Draw] == nil {
			// The draw opens in this bundle; a.draws has it only once its entry is taken.
			d := &drawn{open: o}
			if _, d.number, err = a.folder(d.dir()); err != nil {
				return nil, err
			}
			known[o.Draw] = d
			continue
		}
		b, err := receipt.ParseBatchEntry(e)
		if err != nil {
			continue // another entry, or one that entry will find fault with
		}
		d := known[b.Draw]
		if d == nil || d.number == nil {
			continue
		}
		j := &recordsJob{index: first + int64(i), entry: b, number: *d.number}
		j.name = fmt.Sprintf("%sbets/%d/%d.pub", d.dir(), b.Agency, b.Batch)
		if j.data, err = a.read(j.name); err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// won adds winners to what an agency has; the draw may not have come up yet.
func (a *auditor) won(b receipt.BatchEntry, wins uint64) {
	if a.wins == nil {
		a.wins = map[winKey]uint64{}
	}
	a.wins[winKey{b.Draw, b.Agency}] += wins
}

type winKey struct {
	draw   uint64
	agency quiniela.Agency
}

// checkRecords compares a batch's records with its entry, and counts those on a number.
func checkRecords(data []byte, b receipt.BatchEntry, number quiniela.Number) (wins uint64, err error) {
	if data == nil {
		return 0, errors.New("missing")
	}
	root, n, err := receipt.RecordsRoot(data)
	if err != nil {
		return 0, err
	}
	if n != int(b.Count) || root != b.Root {
		return 0, fmt.Errorf("%d records with the root %v, and the log has %d with %v", n, root, b.Count, b.Root)
	}
	stake := uint64(0)
	for ; len(data) > 0; data = data[receipt.RecordSize:] {
		r, err := receipt.ParseRecord(data[:receipt.RecordSize])
		if err != nil {
			return 0, err
		}
		stake += uint64(r.Stake)
		if r.Number == number {
			wins++
		}
	}
	if stake != b.Stake {
		err = fmt.Errorf("the records' stakes come to %d, and the log has %d", stake, b.Stake)
	}
	return wins, err
}

// count compares the winners with what is published.
func (a *auditor) count(d *drawn, r receipt.Result) error {
	var text bytes.Buffer
	total := uint64(0)
	for _, n := range slices.Sorted(maps.Keys(d.agencies)) {
		wins := a.wins[winKey{d.open.Draw, n}]
		d.agencies[n].Winners = wins
		if total += wins; wins > 0 {
			fmt.Fprintf(&text, "%d %d\n", n, wins)
		}
	}
	a.winners.Checked += total
	if d.number == nil {
		a.winners.finding("draw %s: without %sresult no winners can be counted", d.open.ID, d.dir())
		return nil
	}
	if *d.number != r.Number || total != r.Winners {
		a.winners.finding("draw %s: the records have %d bets on %04d, and the result says %d on %04d", d.open.ID, total, *d.number, r.Winners, r.Number)
	}
	have, err := a.read(d.dir() + "winners")
	if err == nil && (have == nil || !bytes.Equal(have, text.Bytes())) {
		a.winners.finding("%swinners is missing, or is not what the records give", d.dir())
	}
	return err
}

// report says what was recomputed of a draw.
func (d *drawn) report(a *auditor) {
	v := &Draw{ID: d.open.ID, State: "open", Source: d.open.Source}
	since := d.open.Opened
	for _, n := range slices.Sorted(maps.Keys(d.agencies)) {
		g := d.agencies[n]
		v.Batches, v.Bets, v.Stake, v.Winners = v.Batches+g.Batches, v.Bets+g.Bets, v.Stake+g.Stake, v.Winners+g.Winners
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
