package central

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/tlog"
	"quiniela/witness"
)

// Witness is one that is asked for cosignatures: where it is, and the key that its signatures must have.
type Witness struct {
	URL string
	Key string // C2SP's verifier key of a cosigner
}

// ParseWitness reads URL=VKEY.
func ParseWitness(text string) (Witness, error) {
	at := strings.Index(text, "=")
	if at < 1 || !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return Witness{}, fmt.Errorf("the witness %q: want its address and its key, such as https://witness.example=witness.example/w+9c0d1e2f+BE…; "+
			"`quiniela witness key` prints the key", text)
	}
	return Witness{text[:at], text[at+1:]}, nil
}

// witnessPatience bounds how long all witnesses together are waited for.
const witnessPatience = 3 * time.Second

// panel is the witnesses that a central asks, and how many of them it takes.
type panel struct {
	*Central
	key    string       // the log's
	policy *tlog.Policy // that, and the quorum of the witnesses
	asks   http.Client
}

// cosigner returns what asks the witnesses, for the log with a verifier key.
func (c *Central) cosigner(key string) (func(context.Context, []byte, ledger.Log) ([]byte, bool), error) {
	policy, err := c.options.PublicLog.policy(key)
	if err != nil {
		return nil, err
	}
	return (&panel{Central: c, key: key, policy: policy}).cosign, nil
}

// policy is the operator's own: the log's key, and as many of its witnesses as it asks for.
func (o *PublicLog) policy(key string) (*tlog.Policy, error) {
	quorum := o.Quorum
	if quorum == 0 {
		quorum = 1
	}
	if quorum < 0 || quorum > len(o.Witnesses) {
		return nil, fmt.Errorf("a quorum of %d of %d witnesses: want 1 to %d", quorum, len(o.Witnesses), len(o.Witnesses))
	}
	text := "log " + key + "\n"
	var names []string
	for i, w := range o.Witnesses {
		name := fmt.Sprintf("w%d", i+1)
		names = append(names, name)
		text += fmt.Sprintf("witness %s %s\n", name, w.Key)
	}
	text += fmt.Sprintf("group quorum %d %s\nquorum quorum\n", quorum, strings.Join(names, " "))
	policy, err := tlog.ParsePolicy([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the witnesses: %w", err)
	}
	return policy, nil
}

// cosign asks all witnesses at once, and adds to the checkpoint the lines that are a signature by the witness that was asked. A witness
// that is slow, down or answers anything else is logged and left out. It reports whether the quorum is met.
func (p *panel) cosign(ctx context.Context, signed []byte, log ledger.Log) (cosigned []byte, enough bool) {
	ctx, cancel := context.WithTimeout(ctx, witnessPatience)
	defer cancel()
	prove := func(old int64) ([]tlog.Hash, error) { return tlog.ProveConsistency(old, log.Size, log) }
	answers := make([][]byte, len(p.options.PublicLog.Witnesses))
	var asked sync.WaitGroup
	for i, w := range p.options.PublicLog.Witnesses {
		asked.Go(func() {
			lines, err := witness.Ask(ctx, &p.asks, w.URL, signed, prove)
			if err != nil {
				p.left(w, err)
				return
			}
			answers[i] = lines
		})
	}
	asked.Wait()
	cosigned, verified := signed, 0
	for i, w := range p.options.PublicLog.Witnesses {
		if answers[i] == nil {
			continue
		}
		with, err := p.add(cosigned, answers[i], w)
		if err != nil {
			p.left(w, err)
			continue
		}
		cosigned = with
		verified++
	}
	c, err := p.policy.VerifyCheckpoint(cosigned)
	if err == nil {
		err = p.policy.Quorum(c)
	}
	if err != nil {
		p.log.Warn("cosign", "result", "fail", "entries", log.Size, "witnesses", verified, "error", err, "next", "they are asked again")
		return cosigned, false
	}
	p.log.Info("cosign", "result", "success", "entries", log.Size, "witnesses", verified)
	return cosigned, true
}

func (p *panel) left(w Witness, err error) {
	p.log.Warn("cosign", "result", "fail", "witness", w.URL, "error", err, "next", "it is left out")
}

// add adds the line by a witness's own key, out of those that it answered with, to a checkpoint.
func (p *panel) add(signed, lines []byte, w Witness) ([]byte, error) {
	err := errors.New("none of its lines is by its key")
	for line := range bytes.Lines(lines) {
		with, bad := tlog.AddSignatures(signed, line)
		if bad == nil {
			bad = p.signedBy(with, w)
		}
		if bad == nil {
			return with, nil
		}
		err = errors.Join(err, bad)
	}
	return nil, err
}

// signedBy returns an error where a checkpoint has no cosignature of a witness.
func (p *panel) signedBy(signed []byte, w Witness) error {
	policy, err := tlog.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w %s\nquorum w\n", p.key, w.Key))
	if err != nil {
		return err
	}
	c, err := policy.VerifyCheckpoint(signed)
	if err != nil {
		return err
	}
	return policy.Quorum(c)
}

// askWitnesses asks each witness how much of the log it has seen, before anything is signed. A log that has less than that has lost entries
// that were shown: signing it would be a fork, and the start ends. A witness that does not answer is logged.
func (c *Central) askWitnesses(ctx context.Context, key publish.Key) error {
	if len(c.options.PublicLog.Witnesses) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, witnessPatience)
	defer cancel()
	empty, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: key.Signer.Name(), Root: new(tlog.CompactRange).Root()}, key.Signer)
	if err != nil {
		return err
	}
	have := c.Ledger.Log().Size
	lost := make([]error, len(c.options.PublicLog.Witnesses))
	var asked sync.WaitGroup
	for i, w := range c.options.PublicLog.Witnesses {
		asked.Go(func() {
			seen, err := witness.Seen(ctx, new(http.Client), w.URL, empty)
			switch {
			case err != nil:
				c.log.Warn("witness", "result", "fail", "witness", w.URL, "error", err, "next", "it is asked to cosign all the same")
			case seen > have:
				lost[i] = fmt.Errorf("the witness %s has cosigned %d entries of the log %s, and the journal gives %d: entries were lost that had been shown, "+
					"or this is another log's journal. Nothing was signed. Find the journal or the backup that has them all; where nobody has, `quiniela restore --new-log` begins another log "+
					"(docs/OPERATIONS.md)", w.URL, seen, key.Signer.Name(), have)
			}
		})
	}
	asked.Wait()
	return errors.Join(lost...)
}
