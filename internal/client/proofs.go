package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"quiniela"
	"quiniela/internal/durable"
	"quiniela/internal/wire"
	"quiniela/receipt"
	"quiniela/tlog"
)

// keepProofs asks for the operator's proof of every batch, checks each against the agency's own file, and keeps them in Options.Proofs.
// Until it has returned nil, what was acknowledged can be denied; afterwards the agency knows that what is stored is its file, all of it.
func (s *session) keepProofs() (err error) {
	a := s.a
	if err := s.request(wire.AppendProofs(nil, a.Agency), answerTimeout); err != nil {
		return err
	}
	lines, err := wire.ReadListHead(s.r)
	if err != nil {
		return fmt.Errorf("ask for the proofs of agency %d: %w", a.Agency, err)
	}
	head, err := s.proofsHead(lines)
	if err != nil {
		return err
	}
	check, err := a.checkProofs(head.Checkpoint)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(filepath.Dir(a.Proofs), 0o700); err != nil {
		return fmt.Errorf("keep the proofs: %w", err)
	}
	file, err := durable.Create(a.Proofs, 0o600)
	if err != nil {
		return fmt.Errorf("keep the proofs: %w", err)
	}
	if err := s.writeProofs(file, head, check, lines-1); err != nil {
		return errors.Join(err, file.Discard())
	}
	if err := file.Commit(); err != nil {
		return fmt.Errorf("keep the proofs: %w", err)
	}
	a.log.Info("proofs", "result", "success", "cantidad", check.bets, "batches", check.batches, "entries", check.log.Size, "file", a.Proofs)
	return nil
}

// proofsHead reads the first line of the reply: the checkpoint.
func (s *session) proofsHead(lines uint32) (receipt.ProofsHead, error) {
	head := receipt.ProofsHead{Draw: s.a.Draw, Agency: s.a.Agency, Game: s.a.game}
	if lines == 0 {
		return head, fmt.Errorf("%w: proofs without a checkpoint", wire.ErrReply)
	}
	line, err := wire.ReadListLine(s.r)
	if err == nil {
		head.Checkpoint, err = base64.StdEncoding.Strict().DecodeString(line)
	}
	if err != nil {
		return head, fmt.Errorf("the checkpoint of the proofs: %w", err)
	}
	return head, nil
}

// writeProofs reads the proofs of some batches, checks them, and writes them to a file.
func (s *session) writeProofs(file io.Writer, head receipt.ProofsHead, check *proofsCheck, batches uint32) error {
	if _, err := file.Write(head.Append(nil)); err != nil {
		return fmt.Errorf("keep the proofs: %w", err)
	}
	for range batches {
		if err := s.deadline(answerTimeout); err != nil {
			return err
		}
		line, err := wire.ReadListLine(s.r)
		if err != nil {
			return err
		}
		proof, err := receipt.ParseBatchProof([]byte(line))
		if err != nil {
			return err
		}
		if _, _, err := check.take(proof); err != nil {
			return err
		}
		if _, err := io.WriteString(file, line+"\n"); err != nil {
			return fmt.Errorf("keep the proofs: %w", err)
		}
	}
	return check.end()
}

// proofsCheck checks the proofs of an agency's batches, in order, against the agency's own file.
type proofsCheck struct {
	a       *agency
	log     *tlog.VerifiedCheckpoint
	lines   *lineReader
	draw    uint64 // by the log's number, from the first batch
	batches uint64
	bets    uint64
}

// checkProofs begins with the checkpoint. Without a key nobody knows whose signature it has: that is said, and the rest is checked all the
// same.
func (a *agency) checkProofs(signed []byte) (*proofsCheck, error) {
	p := &proofsCheck{a: a, lines: a.file.lines()}
	if a.LogKey == "" {
		c, err := tlog.UnverifiedCheckpoint(signed)
		if err != nil {
			return nil, fmt.Errorf("the checkpoint of the proofs: %w", err)
		}
		a.log.Warn("proofs", "result", "in_progress", "error", "no key of the log is given (--log-key): that the signature is the lottery's is not checked")
		p.log = &tlog.VerifiedCheckpoint{Checkpoint: c}
		return p, nil
	}
	policy, err := tlog.TrustLog(strings.TrimSpace(a.LogKey))
	if err == nil {
		p.log, err = policy.VerifyCheckpoint(signed)
	}
	if err != nil {
		return nil, fmt.Errorf("the checkpoint of the proofs: %w", err)
	}
	return p, nil
}

// ErrProofs is wrapped by every error that says that the operator's proofs are not of what the agency has sent.
var ErrProofs = errors.New("the operator's proofs are not of this file")

// take checks the proof of the next batch: that the log has it, and that its bets are the next ones of the agency's file. It returns the
// lines of those bets, each ended by '\n', and the number of each in the file.
func (p *proofsCheck) take(b receipt.BatchProof) (bets []byte, numbers []int, err error) {
	entry, err := b.Check(p.log)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: batch %d: %w", ErrProofs, p.batches+1, err)
	}
	p.batches++
	if p.batches == 1 {
		p.draw = entry.Draw
	}
	if entry.Agency != p.a.Agency || entry.Batch != p.batches || entry.Draw != p.draw {
		return nil, nil, fmt.Errorf("%w: batch %d of agency %d in draw %d of the log comes where batch %d of agency %d in draw %d is next",
			ErrProofs, entry.Batch, entry.Agency, entry.Draw, p.batches, p.a.Agency, p.draw)
	}
	for range entry.Count {
		line, err := p.lines.next()
		if errors.Is(err, io.EOF) {
			return nil, nil, fmt.Errorf("%w: the log has %d bets or more, and the file %d", ErrProofs, entry.CumulativeBets, p.bets)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the agency's bets again: %w", err)
		}
		bets = append(append(bets, line...), '\n')
		numbers = append(numbers, p.lines.line)
		p.bets++
	}
	root, err := receipt.Root(p.a.file.game, &b.Secret, bets)
	if err != nil {
		return nil, nil, err
	}
	if root != entry.Root || entry.CumulativeBets != p.bets {
		return nil, nil, fmt.Errorf("%w: what is stored as batch %d, %d bets from line %d of %s on, is not what the file has there",
			ErrProofs, p.batches, entry.Count, numbers[0], p.a.File)
	}
	return bets, numbers, nil
}

// end returns an error where the file has bets that no proof is of.
func (p *proofsCheck) end() error {
	_, err := p.lines.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the agency's bets again: %w", err)
	}
	return fmt.Errorf("%w: they are of %d bets, and the file has more", ErrProofs, p.bets)
}

// Wanted says which receipts to make.
type Wanted struct {
	Line     int    // of the file, from 1; 0: any
	Document string // "" is any; 00000042 is 42
}

// sameDocument reports whether two documents are the same number.
func sameDocument(a, b string) bool { return strings.TrimLeft(a, "0") == strings.TrimLeft(b, "0") }

// Receipts makes the receipts of an agency's bets from its own file and the proofs that Run has kept, without asking anybody, and hands
// those that are wanted to save in the order of the file, with the line of each. It checks all that keepProofs has checked, again. Of
// Options it needs File, Proofs, LogKey and SkipBadLines.
func Receipts(ctx context.Context, o Options, proofs io.Reader, log *slog.Logger, want Wanted, save func(line int, r *receipt.Receipt) error) (made int, err error) {
	err = eachProven(ctx, o, proofs, log, func(b provenBatch) error {
		n, err := receiptsOf(b.head, b.proof, b.bets, b.lines, want, save)
		made += n
		return err
	})
	return made, err
}

// provenBatch is a batch of the agency's whose proof has been checked against its file.
type provenBatch struct {
	head   receipt.ProofsHead
	proof  receipt.BatchProof
	log    *tlog.VerifiedCheckpoint // that the proof leads to
	number uint64                   // of the batch, from 1
	bets   []byte                   // its lines, each ended by '\n'
	lines  []int                    // the number of each in the file, from 1
}

// eachProven checks kept proofs against the agency's file, all of them, and hands each batch to f.
func eachProven(ctx context.Context, o Options, proofs io.Reader, log *slog.Logger, f func(provenBatch) error) (err error) {
	all, err := receipt.ReadProofs(proofs)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Proofs, err)
	}
	a := newAgency(ctx, o, log)
	a.Agency = all.Agency
	if a.file, err = openChecked(a.ctx, o.File, o.SkipBadLines, true, func(int) {}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.file.Close()) }()
	if err := a.file.under(ctx, all.Draw, all.Game); err != nil {
		return err
	}
	check, err := a.checkProofs(all.Checkpoint)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Proofs, err)
	}
	for {
		proof, err := all.Next()
		if errors.Is(err, io.EOF) {
			return check.end()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.Proofs, err)
		}
		bets, lines, err := check.take(proof)
		if err != nil {
			return err
		}
		if err := f(provenBatch{all.ProofsHead, proof, check.log, check.batches, bets, lines}); err != nil {
			return err
		}
	}
}

// receiptsOf makes the receipts that are wanted of one batch.
func receiptsOf(head receipt.ProofsHead, proof receipt.BatchProof, bets []byte, numbers []int, want Wanted, save func(int, *receipt.Receipt) error) (made int, err error) {
	var leaves *receipt.Leaves
	i := -1
	for line := range quiniela.StoredLines(bets) {
		i++
		bet, err := head.Game.StoredBet(line)
		if err != nil {
			return made, err
		}
		who := receipt.PersonOf(bet)
		if want.Line != 0 && want.Line != numbers[i] || want.Document != "" && !sameDocument(want.Document, who.Document) {
			continue
		}
		if leaves == nil {
			if leaves, err = receipt.KeepLeaves(head.Game, &proof.Secret, bets); err != nil {
				return made, err
			}
		}
		r, err := receipt.New(head.Draw, leaves, i, who, proof.Logged, head.Checkpoint)
		if err == nil {
			err = save(numbers[i], r)
		}
		if err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}
