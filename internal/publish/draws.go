package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// stage is how far a draw has been published.
type stage int

const (
	nothing stage = iota
	opened
	sealed
	drawn
)

// lastOf names the file of each stage that is written last: once it is there, all files of the stage are.
var lastOf = map[stage]string{opened: "open", sealed: "seal", drawn: "outcome.json"}

// publishDraws publishes the new files of each draw. They follow a checkpoint that has the draw's entries.
func (p *Publisher) publishDraws(ctx context.Context) error {
	draws, err := p.Ledger.Draws(ctx)
	if err != nil {
		return err
	}
	for _, d := range draws {
		if !d.Public || p.done[d.Seq] == drawn || ctx.Err() != nil {
			continue
		}
		if err := p.publishDraw(ctx, p.folder.another(), d); err != nil {
			return fmt.Errorf("publish draw %s: %w", d.ID, err)
		}
	}
	return nil
}

// publishDraw publishes the stages that a draw has reached since the last call, one after another.
func (p *Publisher) publishDraw(ctx context.Context, f *folder, d ledger.Draw) error {
	for _, s := range []stage{opened, sealed, drawn} {
		if p.done[d.Seq] >= s {
			continue
		}
		if !p.due(d, s) {
			return nil
		}
		if err := p.publishStage(ctx, f, d, s); err != nil {
			return err
		}
		p.done[d.Seq] = s
	}
	return nil
}

// due reports whether a draw has reached a stage, and the published checkpoint has the stage's entry.
func (p *Publisher) due(d ledger.Draw, s stage) bool {
	size := uint64(p.signed.Load().log.Size)
	switch s {
	case opened:
		return d.OpenIndex < size
	case sealed:
		return d.Sealed && d.SealIndex < size
	}
	return d.Result != nil && d.ResultIndex < size
}

// publishStage publishes the files of one stage. Files that an earlier start has published are compared first, and are
// published again only where they are missing or spoiled.
func (p *Publisher) publishStage(ctx context.Context, f *folder, d ledger.Draw, s stage) error {
	at := "draws/" + d.ID + "/"
	last := at + lastOf[s]
	again := f.has(last)
	if again {
		intact, err := p.intact(f, at, d, s)
		if err != nil {
			return err
		}
		if intact && s == drawn {
			return p.remember(f, last)
		}
		if intact {
			return nil
		}
		p.Log.Warn("publish_draws", "result", "in_progress", "draw", d.ID, "doing", "publishing again what is missing or spoiled", "file", last)
	}
	var err error
	switch s {
	case opened:
		err = p.putEntry(f, at+"open", d.OpenIndex)
	case sealed:
		err = p.publishSeal(ctx, f, at, d)
	case drawn:
		err = p.publishResult(ctx, f, at, d, again)
	}
	if err != nil {
		return err
	}
	return f.flush()
}

func (p *Publisher) putEntry(f *folder, name string, index uint64) error {
	entry, err := p.signed.Load().log.Entry(int64(index))
	if err != nil {
		return err
	}
	return f.put(name, entry)
}

func (p *Publisher) publishSeal(ctx context.Context, f *folder, at string, d ledger.Draw) error {
	totals, err := receipt.EncodeTotals(p.Ledger.Totals(d))
	if err != nil {
		return err
	}
	log := p.signed.Load().log
	size := int64(d.SealIndex) + 1
	root, err := sumdb.TreeHash(size, log)
	if err != nil {
		return err
	}
	note, err := p.sign(size, root)
	if err != nil {
		return err
	}
	if note, err = p.cosigned(ctx, note, log.At(size, root)); err != nil {
		return err
	}
	if err := f.put(at+"totals", totals); err != nil {
		return err
	}
	if err := f.put(at+"sealed.checkpoint", note); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	return p.putEntry(f, at+"seal", d.SealIndex)
}

// cosigned adds what the witnesses say to a sealed checkpoint. A witness that cannot be reached keeps no draw from being
// published: whoever asks for its signature will see that it is missing, and `quiniela cosign` can add it.
func (p *Publisher) cosigned(ctx context.Context, note []byte, log ledger.Log) ([]byte, error) {
	if p.Cosign == nil {
		return note, nil
	}
	lines, err := p.Cosign(ctx, note, log)
	if err != nil {
		p.Log.Warn("cosign", "result", "fail", "error", err, "witnesses", len(lines))
	} else {
		p.Log.Info("cosign", "result", "success", "witnesses", len(lines))
	}
	if len(lines) == 0 {
		return note, ctx.Err()
	}
	if note, err = tlog.AddSignatures(note, lines...); err == nil {
		p.witness(&signed{log, note})
	}
	return note, err
}

// witness keeps a cosigned checkpoint for receipts, where it is the newest.
func (p *Publisher) witness(s *signed) {
	if old := p.witnessed.Load(); old == nil || old.log.Size < s.log.Size {
		p.witnessed.Store(s)
	}
}

// remember keeps the cosigned checkpoint of a draw that was published before.
func (p *Publisher) remember(f *folder, name string) error {
	data, err := f.read(name)
	if err != nil {
		return err
	}
	policy, err := p.own()
	if err != nil {
		return err
	}
	o, at, err := readOutcome(data, policy)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	signatures, err := tlog.CountSignatures([]byte(o.Checkpoint))
	if err == nil && signatures > 1 { // the log's own, and a witness's
		p.witness(&signed{p.signed.Load().log.At(at.Size, at.Root), []byte(o.Checkpoint)})
	}
	return err
}

// readOutcome reads an outcome, and verifies its checkpoint.
func readOutcome(data []byte, policy *tlog.Policy) (*receipt.Outcome, *tlog.VerifiedCheckpoint, error) {
	o, err := receipt.ParseOutcome(data)
	if err != nil {
		return nil, nil, err
	}
	at, err := policy.VerifyCheckpoint([]byte(o.Checkpoint))
	return o, at, err
}

// publishResult publishes the files that a drawn draw is checked with. After a start in the middle of it, records that are
// there are taken to be whole; with again, all records are written once more.
func (p *Publisher) publishResult(ctx context.Context, f *folder, at string, d ledger.Draw, again bool) error {
	if d.Gone || !d.Forgotten.IsZero() {
		p.Log.Warn("publish_draws", "result", "fail", "draw", d.ID, "error", "who bet was forgotten before its records were published here: restore the public folder from where it was kept")
		return nil
	}
	if err := p.publishBeacon(f, at, d); err != nil {
		return err
	}
	if err := p.publishWinners(ctx, f, at, d); err != nil {
		return err
	}
	if err := p.publishRecords(ctx, f, at, d, again); err != nil {
		return err
	}
	outcome, err := p.outcome(ctx, d)
	if err != nil {
		return err
	}
	if err := p.putEntry(f, at+"result", d.ResultIndex); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	return f.put(at+"outcome.json", outcome)
}

// publishBeacon publishes the beacon's round that decided a draw, where one did.
func (p *Publisher) publishBeacon(f *folder, at string, d ledger.Draw) error {
	if d.Signature == nil {
		return nil
	}
	b := draw.Beacon{Round: d.Rule.Round}
	copy(b.Signature[:], d.Signature)
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return f.put(at+"beacon.json", append(text, '\n'))
}

// publishRecords publishes the records of all batches of a draw.
func (p *Publisher) publishRecords(ctx context.Context, f *folder, at string, d ledger.Draw, again bool) error {
	for _, t := range p.Ledger.Totals(d) {
		for n := range t.Batches {
			name := recordsName(at, t.Agency, n+1)
			if f.has(name) && !again {
				continue
			}
			if err := p.publishBatch(ctx, f, name, d, t.Agency, n+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Publisher) publishWinners(ctx context.Context, f *folder, at string, d ledger.Draw) error {
	winners, err := p.Ledger.AllWinners(ctx, d.ID)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, w := range winners {
		fmt.Fprintf(&text, "%d %d\n", w.Agency, len(w.Documents))
	}
	return f.put(at+"winners", text.Bytes())
}

func recordsName(at string, a quiniela.Agency, n uint64) string {
	return fmt.Sprintf("%sbets/%d/%d.pub", at, a, n)
}

// publishBatch publishes the public records of a batch.
func (p *Publisher) publishBatch(ctx context.Context, f *folder, name string, d ledger.Draw, a quiniela.Agency, n uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := p.Ledger.Stored(ctx, d, a, n)
	if err != nil {
		return err
	}
	return f.put(name, s.Leaves.Records())
}

// outcome is the proof of a draw's three entries, in a checkpoint that the witnesses have cosigned.
func (p *Publisher) outcome(ctx context.Context, d ledger.Draw) ([]byte, error) {
	at := p.signed.Load()
	note, err := p.cosigned(ctx, at.note, at.log)
	if err != nil {
		return nil, err
	}
	return outcomeAt(d, at.log, note)
}

func outcomeAt(d ledger.Draw, log ledger.Log, note []byte) ([]byte, error) {
	var logged []receipt.Logged
	for _, index := range []uint64{d.OpenIndex, d.SealIndex, d.ResultIndex} {
		entry, err := log.Entry(int64(index))
		if err != nil {
			return nil, err
		}
		proof, err := tlog.ProveInclusion(log.Size, int64(index), log)
		if err != nil {
			return nil, err
		}
		logged = append(logged, receipt.Logged{Entry: entry, Index: index, Proof: proof})
	}
	return receipt.NewOutcome(logged[0], logged[1], logged[2], note).Encode()
}
