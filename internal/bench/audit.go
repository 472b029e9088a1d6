package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"quiniela/internal/publish"
)

// audit measures how long the draw that has just been drawn takes to be published, and an audit of all that is published, by a process of
// its own.
func (r *runner) audit(s *central, g game, size, bets int) error {
	r.progress(g.prefix+"publishing", 0, 0)
	public := filepath.Join(s.dir, publish.FolderName)
	began := time.Now()
	for outcome := filepath.Join(public, "draws", g.draw, "outcome.json"); ; time.Sleep(time.Millisecond) {
		_, err := os.Stat(outcome)
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if r.ctx.Err() != nil || time.Since(began) > patience {
			return errors.Join(errors.New("the draw is not published"), r.ctx.Err())
		}
	}
	r.add(Audit, size, g.prefix+"publishing the draw", "s", time.Since(began).Seconds(), "")
	if err := s.stop(); err != nil {
		return err
	}
	disk, err := folderSize(public)
	if err != nil {
		return err
	}
	r.add(Audit, size, g.prefix+"public folder per bet", "bytes", float64(disk)/float64(bets), "")
	r.progress(g.prefix+"audit", 0, 0)
	var out bytes.Buffer
	command := exec.CommandContext(r.ctx, r.Program, "audit", public)
	command.Stdout, command.Stderr = &out, &out
	began = time.Now()
	if err := command.Run(); err != nil {
		return fmt.Errorf("audit: %w: %s", err, bytes.TrimSpace(out.Bytes()))
	}
	r.add(Audit, size, g.prefix+"audit", "bets/s", float64(bets)/time.Since(began).Seconds(), "")
	if peak, ok := peakMemory(command.ProcessState); ok {
		r.add(Audit, size, g.prefix+"audit's memory, peak", "MB", peak, "")
	}
	return nil
}
