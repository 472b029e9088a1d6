package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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

// publishDraws publishes of each draw what is new. A draw's files come after a checkpoint that has its entries, and the
// outcome after all others: where it is, they are.
func (p *Publisher) publishDraws(ctx context.Context) error {
	draws, err := p.Ledger.Draws(ctx)
	if err != nil {
		return err
	}
	for _, d := range draws {
		if !d.Public || p.done[d.Seq] == drawn || ctx.Err() != nil {
			continue
		}
		f := &folder{root: p.folder.root, temp: p.folder.temp, dirs: map[string]bool{}}
		if err := p.publishDraw(ctx, f, d); err != nil {
			return fmt.Errorf("publish draw %s: %w", d.ID, err)
		}
	}
	return nil
}

func (p *Publisher) publishDraw(ctx context.Context, f *folder, d ledger.Draw) error {
	at := "draws/" + d.ID + "/"
	size := uint64(p.signed.Load().log.Size)
	for _, step := range []struct {
		stage stage
		due   bool
		mark  string // the file that is written last
		do    func() error
	}{
		{opened, d.OpenIndex < size, "open", func() error { return p.putEntry(f, at+"open", d.OpenIndex) }},
		{sealed, d.Sealed && d.SealIndex < size, "seal", func() error { return p.publishSeal(ctx, f, at, d) }},
		{drawn, d.Result != nil && d.ResultIndex < size, "outcome.json", func() error { return p.publishResult(ctx, f, at, d, f.has(at+"outcome.json")) }},
	} {
		if p.done[d.Seq] >= step.stage {
			continue
		}
		if !step.due {
			return nil
		}
		whole := f.has(at + step.mark)
		if whole {
			var err error
			if whole, err = p.intact(f, at, d, step.stage); err != nil {
				return err
			}
			if !whole {
				p.Log.Warn("publish_draws", "result", "in_progress", "draw", d.ID, "doing", "publishing again what is missing or spoiled", "file", at+step.mark)
			}
		}
		if !whole {
			if err := step.do(); err != nil {
				return err
			}
			if err := f.flush(); err != nil {
				return err
			}
		} else if step.stage == drawn {
			if err := p.remember(f, at+step.mark); err != nil {
				return err
			}
		}
		p.done[d.Seq] = step.stage
	}
	return nil
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
	if err == nil {
		note, err = p.cosigned(ctx, note, log.At(size, root))
	}
	if err != nil {
		return err
	}
	return errors.Join(f.put(at+"totals", totals), f.put(at+"sealed.checkpoint", note), f.flush(), p.putEntry(f, at+"seal", d.SealIndex))
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
	if strings.Count(o.Checkpoint, "\n\u2014 ") > 1 {
		p.witness(&signed{p.signed.Load().log.At(at.Size, at.Root), []byte(o.Checkpoint)})
	}
	return nil
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

// publishResult publishes what a drawn draw is checked with. Records that are there are taken to be whole, as after a start
// in the middle of it, unless again: then all of them are written once more.
func (p *Publisher) publishResult(ctx context.Context, f *folder, at string, d ledger.Draw, again bool) error {
	if d.Gone || !d.Forgotten.IsZero() {
		p.Log.Warn("publish_draws", "result", "fail", "draw", d.ID, "error", "who bet was forgotten before its records were published here: restore the public folder from where it was kept")
		return nil
	}
	if d.Signature != nil {
		b := draw.Beacon{Round: d.Rule.Round}
		copy(b.Signature[:], d.Signature)
		text, err := json.Marshal(b)
		if err == nil {
			err = f.put(at+"beacon.json", append(text, '\n'))
		}
		if err != nil {
			return err
		}
	}
	if err := p.publishWinners(ctx, f, at, d); err != nil {
		return err
	}
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
	outcome, err := p.outcome(ctx, d)
	if err == nil {
		err = p.putEntry(f, at+"result", d.ResultIndex)
	}
	return errors.Join(err, f.flush(), f.put(at+"outcome.json", outcome))
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
