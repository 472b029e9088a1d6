package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// receiptWait bounds how long a receipt waits for a checkpoint that has its batch.
const receiptWait = 5 * time.Second

// keptTrees is how many batches' trees are kept, since receipts are asked for batch by batch.
const keptTrees = 8

// batchID names a batch whose tree is kept.
type batchID struct {
	draw   uint64
	agency quiniela.Agency
	batch  uint64
}

// Receipt returns the receipt of one bet, in one line of JSON: that of a line, from 1, of an agency's batch in a draw. It
// waits a little for the checkpoint that has the batch. Refusals are *quiniela.Error.
func (p *Publisher) Receipt(ctx context.Context, number uint64, agency quiniela.Agency, batch uint64, line uint32) ([]byte, error) {
	d, err := p.Ledger.DrawBySeq(number)
	if err != nil {
		return nil, err
	}
	s, err := p.stored(ctx, d, agency, batch)
	if err != nil {
		return nil, err
	}
	if line < 1 || int(line) > s.Leaves.Count() {
		return nil, quiniela.Refuse(quiniela.Absent, "batch %d of agency %d has %d bets, and no bet %d", batch, agency, s.Leaves.Count(), line)
	}
	at, err := p.covering(ctx, s.Index)
	if err != nil {
		return nil, err
	}
	entry, err := at.log.Entry(int64(s.Index))
	if err != nil {
		return nil, err
	}
	proof, err := tlog.ProveInclusion(at.log.Size, int64(s.Index), at.log)
	if err != nil {
		return nil, err
	}
	r, err := receipt.New(s.Leaves, int(line-1), person(s.Batch.Lines, line), receipt.Logged{Entry: entry, Index: s.Index, Proof: proof}, at.note)
	if err != nil {
		return nil, err
	}
	text, err := r.Encode()
	if err != nil {
		return nil, err
	}
	var one bytes.Buffer
	err = json.Compact(&one, text)
	return one.Bytes(), err
}

// person returns who made the bet of a line.
func person(lines []byte, line uint32) receipt.Person {
	for l := range quiniela.StoredLines(lines) {
		if line--; line == 0 {
			f := bytes.SplitN(l, []byte{','}, quiniela.Fields)
			return receipt.Person{FirstName: string(f[0]), LastName: string(f[1]), Document: string(f[2]), Birthdate: string(f[3])}
		}
	}
	return receipt.Person{}
}

// stored returns a batch with what its receipts need. One batch is read and hashed at a time, whatever is asked for at once:
// so the memory for it is bounded, and many requests for one batch hash it once.
func (p *Publisher) stored(ctx context.Context, d ledger.Draw, agency quiniela.Agency, batch uint64) (ledger.Stored, error) {
	p.treesMu.Lock()
	defer p.treesMu.Unlock()
	id := batchID{d.Seq, agency, batch}
	if s, ok := p.trees.Get(id); ok {
		return s, nil
	}
	s, err := p.Ledger.Stored(ctx, d, agency, batch)
	if err == nil {
		p.trees.Add(id, s)
	}
	return s, err
}

// covering waits for a published checkpoint that has an entry, one that witnesses have cosigned where there is one.
func (p *Publisher) covering(ctx context.Context, index uint64) (*signed, error) {
	if at := p.witnessed.Load(); at != nil && index < uint64(at.log.Size) {
		return at, nil
	}
	ctx, cancel := context.WithTimeout(ctx, receiptWait)
	defer cancel()
	for {
		p.signing.Lock()
		at, newer := p.signed.Load(), p.newer
		p.signing.Unlock()
		if at.note != nil && index < uint64(at.log.Size) {
			return at, nil
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return nil, quiniela.Refuse(quiniela.Busy, "the batch is not in a published checkpoint yet; ask again in a second")
		}
	}
}
