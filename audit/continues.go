package audit

import (
	"bytes"
	"fmt"

	"quiniela/receipt"
	"quiniela/tlog"
)

// A log may begin with an entry that names an older log, of which its operator has lost entries. The draws that were drawn there are not in
// this one, so the numbers of draws begin where they please, up to how many there had been.

// seen is a retained checkpoint that this log's policy does not believe, and why.
type seen struct {
	where  string
	signed []byte
	err    error
}

// readBeginning reads the published copy of that entry, where there is one.
func (a *auditor) readBeginning() error {
	entry, err := a.peek("continues")
	if err == nil && entry != nil {
		a.texts[tlog.LeafHash(entry)] = entry
	}
	return err
}

// next returns the number of the next draw that is new. One below it may come again in a log that continues another.
func (a *auditor) next() uint64 {
	if a.continues == nil {
		return a.last + 1
	}
	return max(a.last, a.continues.Draws) + 1
}

// beginning looks at the entry.
func (a *auditor) beginning(index uint64, c receipt.Continues, data []byte) error {
	if index != 0 {
		a.entries.finding("entry %d says that the log continues another: only its first entry can", index)
		return nil
	}
	a.continues = &c
	a.report.Warnings = append(a.report.Warnings, fmt.Sprintf("This log continues another, of which its operator says that entries were lost: the log of the key %s, "+
		"which had %d entries with the root %s. What is missing is not in this log. What you have seen of the older one, give with --checkpoints.", c.Log, c.Size, c.Root))
	have, err := a.read("continues")
	if err != nil {
		return err
	}
	a.files.Checked++
	if !bytes.Equal(have, data) {
		a.files.finding("continues is missing, or not the log's first entry")
	}
	return nil
}

// compareOlder compares retained checkpoints that are not of this log with what it says of the older one.
func (a *auditor) compareOlder() {
	for _, s := range a.older {
		c, err := a.olderCheckpoint(s)
		switch {
		case err != nil:
			a.retained.finding("%s: %v", s.where, err)
		case c.Size > int64(a.continues.Size):
			a.retained.finding("%s is of the older log, with %d entries, and this one says that it ended with %d: entries were kept quiet. Keep both and publish them",
				s.where, c.Size, a.continues.Size)
		case c.Size < int64(a.continues.Size):
			a.retained.Not = fmt.Sprintf("%s is of the older log, and shorter than this one says: audit the older log with it", s.where)
		case c.Root != a.continues.Root:
			a.retained.Checked++
			a.retained.finding("%s is of the older log of %d entries, with another root than this one says. Keep both and publish them", s.where, c.Size)
		default:
			a.retained.Checked++
			a.retained.Text = "checkpoints seen earlier are of this same log, which has only grown, or the last one of the log before it"
		}
	}
}

// olderCheckpoint verifies a retained checkpoint with the older log's key. The error is this log's policy's where there is no older log, or
// it is not of that one either.
func (a *auditor) olderCheckpoint(s seen) (c tlog.Checkpoint, err error) {
	if a.continues == nil {
		return c, s.err
	}
	policy, err := tlog.TrustLog(a.continues.Log)
	if err != nil {
		return c, err
	}
	opened, err := policy.VerifyCheckpoint(s.signed)
	if err != nil {
		return c, s.err
	}
	return opened.Checkpoint, nil
}
