package publish

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// Names of a draw's files. sealedName is the draw's final sealed checkpoint. unwitnessedName is shown in its place as long as too few
// witnesses have cosigned it.
const (
	sealedName      = "sealed.checkpoint"
	unwitnessedName = "sealed.unwitnessed"
)

// retryAfter is how long after witnesses were asked they are asked again, where what they signed was not enough.
const retryAfter = 5 * time.Second

// sealed is a draw's final sealed checkpoint: a signed log that has the draw's seal.
type sealed struct {
	log  ledger.Log
	note []byte
}

// publishSeals publishes what is said of a draw before it is drawn: its opening, and at its end the sealed checkpoint, which witnesses
// have cosigned. The time by their clocks is what proves that no bet came after the number, so this waits for nothing: neither for tiles
// nor for other draws. All draws that wait are sealed by one checkpoint, and the witnesses are asked once.
func (p *Publisher) publishSeals(ctx context.Context) error {
	draws, err := p.Ledger.Draws(ctx)
	if err != nil {
		return err
	}
	f := p.folder.another()
	var list bytes.Buffer
	var waiting []ledger.Draw
	for _, d := range draws {
		if !d.Logged() {
			continue
		}
		fmt.Fprintf(&list, "%d %s\n", d.LogSeq, d.ID)
		if p.stage(d) >= closed {
			continue
		}
		if err := p.publishOpening(f, d); err != nil {
			return fmt.Errorf("publish draw %s: %w", d.ID, err)
		}
		if !d.Sealed {
			continue
		}
		known, err := p.rememberSeal(f, d)
		if err != nil {
			return fmt.Errorf("publish draw %s: %w", d.ID, err)
		}
		if !known && p.due(d) {
			waiting = append(waiting, d)
		}
	}
	if err := p.publishList(f, list.Bytes()); err != nil {
		return err
	}
	if len(waiting) == 0 || ctx.Err() != nil {
		return nil
	}
	return p.seal(ctx, f, waiting)
}

// ListName is the file that names the draws, whose openings are published: for each its number in the log, and its name.
const ListName = "draws.txt"

func (p *Publisher) publishList(f *folder, list []byte) error {
	if bytes.Equal(list, p.list) {
		return nil
	}
	if err := f.putLast(ListName, list); err != nil {
		return err
	}
	p.list = list
	return nil
}

// stage is how far a draw has been published.
type stage int

const (
	nothing stage = iota
	opened
	closed // its final sealed checkpoint is there
	laid   // all of its files are there but the outcome, for which the witnesses are asked
	drawn
)

func (p *Publisher) stage(d ledger.Draw) stage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done[d.Seq]
}

func (p *Publisher) reach(d ledger.Draw, s stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[d.Seq] = s
	delete(p.retry, d.Seq)
}

// due reports whether the witnesses may be asked for a draw. The first time it always may be.
func (p *Publisher) due(d ledger.Draw) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !time.Now().Before(p.retry[d.Seq])
}

// later puts off the next question to the witnesses.
func (p *Publisher) later(d ledger.Draw) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retry[d.Seq] = time.Now().Add(retryAfter)
}

func folderOf(d ledger.Draw) string { return "draws/" + d.ID + "/" }

func (p *Publisher) publishOpening(f *folder, d ledger.Draw) error {
	if p.stage(d) >= opened {
		return nil
	}
	if err := p.putEntry(f, folderOf(d)+"open", d.OpenIndex); err != nil {
		return err
	}
	entry, err := p.Ledger.Log().Entry(int64(d.OpenIndex))
	if err != nil {
		return err
	}
	text, err := verify.Opening(entry, p.Key.Signer.Name())
	if err != nil {
		return err
	}
	if err := f.putChanged(folderOf(d)+"open.txt", []byte(text)); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	p.reach(d, opened)
	return nil
}

// putEntry puts an entry of the log, unless it is there as it should be.
func (p *Publisher) putEntry(f *folder, name string, index uint64) error {
	entry, err := p.Ledger.Log().Entry(int64(index))
	if err != nil {
		return err
	}
	return f.putChanged(name, entry)
}

// rememberSeal reports whether a draw's sealed checkpoint was published before this start, with all that belongs to it. Its witnesses'
// times cannot be had again, so where the file is spoiled or gone, the copy in the outcome takes its place.
func (p *Publisher) rememberSeal(f *folder, d ledger.Draw) (bool, error) {
	name := folderOf(d) + sealedName
	note, err := f.read(name)
	if err != nil {
		return false, err
	}
	inOutcome, err := sealedInOutcome(f, d)
	if err != nil {
		return false, err
	}
	policy, err := p.own()
	if err != nil {
		return false, err
	}
	for _, note := range [][]byte{note, inOutcome} {
		seen, err := policy.VerifyCheckpoint(note)
		if err != nil || seen.Size <= int64(d.SealIndex) || seen.Size > p.Ledger.Log().Size {
			continue
		}
		if err := p.putSeal(f, d); err != nil {
			return false, err
		}
		if err := f.putChanged(name, note); err != nil {
			return false, err
		}
		if err := f.flush(); err != nil {
			return false, err
		}
		p.keepSeal(d, sealed{p.Ledger.Log().At(seen.Size, seen.Root), note})
		return true, nil
	}
	if len(note)+len(inOutcome) > 0 || f.has(folderOf(d)+resultName) {
		p.Log.Warn("publish_seals", "result", "in_progress", "draw", d.ID, "file", name, "doing", "signing it again: what was published is spoiled or gone",
			"next", "restore the file from a mirror or a backup of the public folder: a new one has a later time")
	}
	return false, nil
}

// sealedInOutcome returns the sealed checkpoint that a draw's outcome has, and nothing where there is no outcome that can be read.
func sealedInOutcome(f *folder, d ledger.Draw) ([]byte, error) {
	data, err := f.read(folderOf(d) + outcomeName)
	if err != nil || data == nil {
		return nil, err
	}
	o, err := receipt.ParseOutcome(data)
	if err != nil {
		return nil, nil
	}
	return []byte(o.Sealed), nil
}

func (p *Publisher) keepSeal(d ledger.Draw, s sealed) {
	p.mu.Lock()
	p.seals[d.Seq] = s
	p.mu.Unlock()
	p.reach(d, closed)
}

// putSeal puts the files that stand beside the sealed checkpoint.
func (p *Publisher) putSeal(f *folder, d ledger.Draw) error {
	totals, err := receipt.EncodeTotals(p.Ledger.Totals(d))
	if err != nil {
		return err
	}
	if err := f.putChanged(folderOf(d)+"totals", totals); err != nil {
		return err
	}
	return p.putEntry(f, folderOf(d)+"seal", d.SealIndex)
}

// seal signs one checkpoint that has the seals of some draws, has it cosigned, and publishes it for each of them.
func (p *Publisher) seal(ctx context.Context, f *folder, draws []ledger.Draw) error {
	p.cosigning.Lock()
	defer p.cosigning.Unlock()
	log := p.Ledger.Log()
	note, err := p.sign(log)
	if err != nil {
		return err
	}
	note, enough := p.cosign(ctx, signed{log, note})
	name := sealedName
	if !enough {
		name = unwitnessedName
	}
	for _, d := range draws {
		if err := p.putSeal(f, d); err != nil {
			return fmt.Errorf("publish draw %s: %w", d.ID, err)
		}
	}
	if err := f.flush(); err != nil {
		return err
	}
	for _, d := range draws {
		if err := f.put(folderOf(d)+name, note); err != nil {
			return err
		}
		if enough {
			if err := f.remove(folderOf(d) + unwitnessedName); err != nil {
				return err
			}
		}
	}
	if err := f.flush(); err != nil {
		return err
	}
	for _, d := range draws {
		if enough {
			p.keepSeal(d, sealed{log, note})
		} else {
			p.later(d)
		}
	}
	return nil
}

// finalSeal returns a draw's final sealed checkpoint.
func (p *Publisher) finalSeal(d ledger.Draw) (sealed, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.seals[d.Seq]
	return s, ok
}

// prove returns an entry with its inclusion proof in a log.
func prove(log ledger.Log, index uint64) (receipt.Logged, error) {
	entry, err := log.Entry(int64(index))
	if err != nil {
		return receipt.Logged{}, err
	}
	proof, err := tlog.ProveInclusion(log.Size, int64(index), log)
	return receipt.Logged{Entry: entry, Index: index, Proof: proof}, err
}
