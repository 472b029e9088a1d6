package publish

import (
	"context"
	"encoding/base64"
	"time"

	"quiniela"
	"quiniela/internal/ledger"
	"quiniela/receipt"
	"quiniela/tlog"
)

// proofsWait bounds how long proofs wait for a checkpoint that has the agency's last batch.
const proofsWait = 5 * time.Second

// Proofs is the operator's signed proof of an agency's batches in a draw, in lines: a checkpoint, and for each batch its inclusion proof
// there and its secret. It computes nothing of a bet. One goroutine may use it.
type Proofs struct {
	p       *Publisher
	draw    ledger.Draw
	agency  quiniela.Agency
	batches uint64
	at      signed
	hashes  kept
}

// kept reads a log's hashes, and keeps the last ones: the proofs of an agency's batches share most of theirs.
type kept struct {
	log   ledger.Log
	known map[int64]tlog.Hash
}

// mostKept is how many hashes are kept at once: some 300 kB for an agency that asks.
const mostKept = 4096

// ReadHashes implements tlog.HashReader.
func (k *kept) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hash, ok := k.known[index]
		if !ok {
			read, err := k.log.ReadHashes([]int64{index})
			if err != nil {
				return nil, err
			}
			if len(k.known) >= mostKept {
				clear(k.known)
			}
			hash = read[0]
			k.known[index] = hash
		}
		found[i] = hash
	}
	return found, nil
}

// Proofs returns the proofs of an agency's batches, as many as there are now. It waits a little for a checkpoint that has them. Once the
// draw is sealed, that is the sealed checkpoint. Refusals are *quiniela.Error.
func (p *Publisher) Proofs(ctx context.Context, number uint64, agency quiniela.Agency) (*Proofs, error) {
	d, err := p.Ledger.DrawBySeq(number)
	if err != nil {
		return nil, err
	}
	if d.InOlderLog {
		return nil, quiniela.Refuse(quiniela.Absent, "draw %s was drawn before this public log began: the log before it has its proofs", d.ID)
	}
	if !d.Logged() {
		return nil, quiniela.Refuse(quiniela.Absent, "draw %s is not in the public log", d.ID)
	}
	batches, last, err := p.Ledger.CountBatches(d, agency)
	if err != nil {
		return nil, err
	}
	proofs := &Proofs{p: p, draw: d, agency: agency, batches: batches}
	if s, ok := p.awaitSeal(ctx, d); ok {
		proofs.at = signed(s)
	} else if proofs.at, err = p.covering(ctx, last); err != nil {
		return nil, err
	}
	proofs.hashes = kept{proofs.at.log, map[int64]tlog.Hash{}}
	return proofs, nil
}

// Count returns how many lines there are.
func (p *Proofs) Count() uint32 { return uint32(p.batches) + 1 }

// AppendLines appends lines to dst, from the one with an index on, until dst has some bytes or there are no more, and returns the index
// that comes next. Line 0 is the checkpoint, in base64. Line n is the agency's batch n: the index of its entry in the log, and in
// base64 the entry, the batch's secret, and the hashes of the inclusion proof one after the other, separated by '|'.
func (p *Proofs) AppendLines(ctx context.Context, dst []byte, from uint32, bytes int) (lines []byte, next uint32, err error) {
	if from == 0 {
		dst = append(base64.StdEncoding.AppendEncode(dst, p.at.note), '\n')
		from++
	}
	for uint64(from) <= p.batches && len(dst) < bytes {
		most := min(proofsAtOnce, int(p.batches-uint64(from)+1))
		reached, err := p.p.Ledger.AgencyBatches(ctx, p.draw, p.agency, uint64(from), most, func(b ledger.Logged) error {
			proof, err := tlog.ProveInclusion(p.at.log.Size, int64(b.Index), &p.hashes)
			if err == nil {
				dst = receipt.BatchProof{Logged: receipt.Logged{Entry: b.Entry, Index: b.Index, Proof: proof}, Secret: *b.Batch.Secret}.Append(dst)
			}
			return err
		})
		if err != nil || reached == uint64(from) {
			return dst, from, err
		}
		from = uint32(reached)
	}
	return dst, from, nil
}

// proofsAtOnce is how many batches are read for one page of proofs.
const proofsAtOnce = 16

// awaitSeal returns the final sealed checkpoint of a draw that is sealed, and waits a little for it.
func (p *Publisher) awaitSeal(ctx context.Context, d ledger.Draw) (sealed, bool) {
	for deadline := time.Now().Add(proofsWait); d.Sealed; {
		if s, ok := p.finalSeal(d); ok {
			return s, true
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(p.Interval / 4)
	}
	return sealed{}, false
}

// covering waits for a published checkpoint that has an entry.
func (p *Publisher) covering(ctx context.Context, index uint64) (signed, error) {
	ctx, cancel := context.WithTimeout(ctx, proofsWait)
	defer cancel()
	for {
		p.signing.Lock()
		at, newer := p.signed.Load(), p.newer
		p.signing.Unlock()
		if at.note != nil && index < uint64(at.log.Size) {
			return *at, nil
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return signed{}, quiniela.Refuse(quiniela.Busy, "the batches are not in a published checkpoint yet; ask again in a second")
		}
	}
}
