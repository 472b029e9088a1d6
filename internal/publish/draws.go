package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// outcomeName is the file of a draw that is written last: where it is, all files of the draw are.
const outcomeName = "outcome.json"

// resultName is the entry of a draw's result, which comes after its final sealed checkpoint.
const resultName = "result"

// publishDraws publishes the files with which a drawn draw is checked: its number, its winners and its bets, and at last the outcome.
func (p *Publisher) publishDraws(ctx context.Context) error {
	draws, err := p.Ledger.Draws(ctx)
	if err != nil {
		return err
	}
	for _, d := range draws {
		if at := p.stage(d); !d.Logged() || d.Result == nil || at < closed || at == drawn || ctx.Err() != nil || !p.due(d) {
			continue
		}
		if err := p.publishDraw(ctx, p.folder.another(), d); err != nil {
			return fmt.Errorf("publish draw %s: %w", d.ID, err)
		}
	}
	return nil
}

// publishDraw publishes a draw's files. Those that an earlier start has published are compared first, and are published again only
// where they are missing or spoiled.
func (p *Publisher) publishDraw(ctx context.Context, f *folder, d ledger.Draw) error {
	s, ok := p.finalSeal(d)
	if !ok {
		return nil
	}
	if p.stage(d) < laid {
		done, err := p.layOut(ctx, f, d, s)
		if err != nil || done {
			return err
		}
		p.reach(d, laid)
	}
	return p.putOutcome(ctx, f, d, s)
}

// layOut publishes all files of a draw but its outcome. It reports whether that is there already, or never can be.
func (p *Publisher) layOut(ctx context.Context, f *folder, d ledger.Draw, s sealed) (done bool, err error) {
	if f.has(folderOf(d) + outcomeName) {
		if p.intact(ctx, f, d, s) {
			p.reach(d, drawn)
			return true, nil
		}
		p.Log.Warn("publish_draws", "result", "in_progress", "draw", d.ID, "doing", "publishing again what is missing or spoiled", "file", folderOf(d)+outcomeName)
	}
	if d.Gone || !d.Forgotten.IsZero() {
		p.Log.Warn("publish_draws", "result", "fail", "draw", d.ID, "error", "who bet was forgotten before its records were published here: restore the public folder from where it was kept")
		p.reach(d, drawn)
		return true, nil
	}
	for _, put := range []func(context.Context, *folder, ledger.Draw) error{p.putBeacon, p.putWinners, p.putBatches, p.putResult} {
		if err := put(ctx, f, d); err != nil {
			return false, err
		}
	}
	return false, f.flush()
}

// putBeacon puts the beacon's round that decided a draw, where one did.
func (p *Publisher) putBeacon(_ context.Context, f *folder, d ledger.Draw) error {
	if d.Signature == nil {
		return nil
	}
	b := draw.Beacon{Round: d.Rule.Round}
	copy(b.Signature[:], d.Signature)
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return f.putChanged(folderOf(d)+"beacon.json", append(text, '\n'))
}

// winnersAtOnce is how many agencies' winners are read at once.
const winnersAtOnce = 1000

func (p *Publisher) putWinners(ctx context.Context, f *folder, d ledger.Draw) error {
	var text bytes.Buffer
	for from := quiniela.Agency(0); ; {
		page, err := p.Ledger.CountWinners(ctx, d.ID, from, winnersAtOnce)
		if err != nil {
			return err
		}
		for _, a := range page {
			if d.Game == nil {
				fmt.Fprintf(&text, "%d %d\n", a.Agency, a.Winners)
			} else {
				fmt.Fprintf(&text, "%d %d %d %d\n", a.Agency, a.Winners, a.Due, a.Paid)
			}
			from = a.Agency + 1
		}
		if len(page) < winnersAtOnce {
			break
		}
	}
	return f.putChanged(folderOf(d)+"winners", text.Bytes())
}

func (p *Publisher) putResult(_ context.Context, f *folder, d ledger.Draw) error {
	return p.putEntry(f, folderOf(d)+resultName, d.ResultIndex)
}

// bundleBytes is from how many bytes on a bundle takes no further batch.
const bundleBytes = 8 << 20

func batchesName(d ledger.Draw, n int) string { return folderOf(d) + "batches/" + strconv.Itoa(n) }

// putBatches puts a draw's batches with the public records of their bets, in bundles.
func (p *Publisher) putBatches(ctx context.Context, f *folder, d ledger.Draw) error {
	n := 0
	err := p.bundles(ctx, d, func(data []byte) error {
		n++
		return f.putChanged(batchesName(d, n-1), data)
	})
	if err != nil {
		return err
	}
	return f.remove(batchesName(d, n)) // nothing is behind the last one
}

// bundles calls f with each bundle of a draw's batches, in the log's order.
func (p *Publisher) bundles(ctx context.Context, d ledger.Draw, f func(data []byte) error) error {
	var data []byte
	batches := 0
	flush := func() error {
		if batches == 0 {
			return nil
		}
		err := f(data)
		data, batches = data[:0], 0
		return err
	}
	add := func(b ledger.Logged) error {
		records, root, err := receipt.Records(d.Game, b.Batch.Secret, b.Batch.Lines)
		if err != nil || root != *b.Batch.Root {
			return fmt.Errorf("batch %d of agency %d in draw %s is not what the public log has: run quiniela fsck (%v)", b.Batch.Batch, b.Batch.Agency, d.ID, err)
		}
		data = receipt.AppendBundled(data, b.Index, b.Entry, records)
		if batches++; batches == receipt.BundleBatches || len(data) >= bundleBytes {
			return flush()
		}
		return nil
	}
	for from := d.OpenIndex; from < d.SealIndex; {
		if err := ctx.Err(); err != nil {
			return err
		}
		next, err := p.Ledger.Batches(ctx, d, from, receipt.BundleBatches, add)
		if err != nil {
			return err
		}
		if next == from {
			break
		}
		from = next
	}
	return flush()
}

// putOutcome puts the proof of a draw's three entries, once the witnesses have cosigned the log that has its result.
func (p *Publisher) putOutcome(ctx context.Context, f *folder, d ledger.Draw, s sealed) error {
	at := *p.signed.Load()
	if at.log.Size <= int64(d.ResultIndex) {
		return nil // the next checkpoint will have it
	}
	p.cosigning.Lock()
	note, enough := p.cosign(ctx, at)
	p.cosigning.Unlock()
	if !enough {
		p.later(d)
		return nil
	}
	outcome, err := outcomeAt(d, at.log, note, s)
	if err != nil {
		return err
	}
	if err := f.putLast(folderOf(d)+outcomeName, outcome); err != nil {
		return err
	}
	p.reach(d, drawn)
	return nil
}

func outcomeAt(d ledger.Draw, log ledger.Log, note []byte, s sealed) ([]byte, error) {
	var logged [3]receipt.Logged
	for i, index := range []uint64{d.OpenIndex, d.SealIndex, d.ResultIndex} {
		var err error
		if logged[i], err = prove(log, index); err != nil {
			return nil, err
		}
	}
	inSealed, err := prove(s.log, d.SealIndex)
	if err != nil {
		return nil, err
	}
	return receipt.NewOutcome(logged[0], logged[1], logged[2], note, s.note, inSealed.Proof).Encode()
}

// intact reports whether the files of a drawn draw are as they were published; it is asked once after a start. Bundles of batches are
// compared by their size; `quiniela audit` reads them.
func (p *Publisher) intact(ctx context.Context, f *folder, d ledger.Draw, s sealed) bool {
	if !p.outcomeIntact(f, d, s) {
		return false
	}
	if d.Gone || !d.Forgotten.IsZero() {
		return true // nobody can publish its records again
	}
	small := []func(context.Context, *folder, ledger.Draw) error{p.putBeacon, p.putWinners, p.putResult}
	for _, put := range small {
		if err := put(ctx, f, d); err != nil {
			return false
		}
	}
	return f.flush() == nil && p.batchesIntact(f, d)
}

// outcomeIntact makes the outcome anew for the checkpoint that it has.
func (p *Publisher) outcomeIntact(f *folder, d ledger.Draw, s sealed) bool {
	data, err := f.read(folderOf(d) + outcomeName)
	policy, failed := p.own()
	if err != nil || failed != nil {
		return false
	}
	o, seen, err := readOutcome(data, policy)
	now := p.Ledger.Log()
	if err != nil || seen.Size > now.Size {
		return false
	}
	want, err := outcomeAt(d, now.At(seen.Size, seen.Root), []byte(o.Checkpoint), s)
	return err == nil && bytes.Equal(data, want)
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

// batchesIntact compares how many bytes the bundles have together with what the batches and their bets take.
func (p *Publisher) batchesIntact(f *folder, d ledger.Draw) bool {
	have, want := int64(0), int64(d.Batches)*(8+receipt.BatchEntrySize)+int64(d.Bets)*receipt.RecordSize
	for n := 0; have < want; n++ {
		info, err := os.Stat(f.path(batchesName(d, n)))
		if err != nil || info.Size() == 0 {
			return false
		}
		have += info.Size()
	}
	return have == want
}
