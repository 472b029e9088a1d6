package receipt

import (
	"encoding/hex"
	"errors"
	"fmt"

	"quiniela/tlog"
)

// Continues is the first entry of a log that was begun because its operator had lost entries of an older one. It names where the older
// one ended, so that nobody can say that it never was. The draws that were drawn in the older log are proven there; the new one has the
// others from their opening on, word for word, so that a beacon's round gives them the same number.
type Continues struct {
	Log   string    // the older log's verifier key, with its name
	Size  uint64    // entries of the newest checkpoint that the operator knew of it
	Root  tlog.Hash // and its root
	Draws uint64    // how many draws had been opened: a draw up to this number may be missing here
	Began uint64    // µs since the Unix epoch
}

// Encode returns the entry, or an error where it contradicts itself.
func (c Continues) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("continues entry: %w", err)
	}
	return fmt.Appendf(nil, "%s\nlog %s\nsize %d\nroot %s\ndraws %d\nbegan %d\n",
		continuesHeader, c.Log, c.Size, hex.EncodeToString(c.Root[:]), c.Draws, c.Began), nil
}

func (c Continues) check() error {
	if _, err := tlog.TrustLog(c.Log); err != nil || !oneLine(c.Log) {
		return fmt.Errorf("the older log's key %.80q is none", c.Log)
	}
	if c.Size == 0 {
		return errors.New("the older log had no entry")
	}
	return nil
}

// ParseContinues reads a continues entry.
func ParseContinues(entry []byte) (Continues, error) {
	l := newLines(entry, continuesHeader)
	c := Continues{Log: l.text("log"), Size: l.uint("size"), Root: l.hash("root", l.text("root")), Draws: l.uint("draws"), Began: l.uint("began")}
	return finish(l, c, c.Encode)
}
