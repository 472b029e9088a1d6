package journaltest_test

import (
	"testing"

	"quiniela/internal/journal"
	"quiniela/internal/journal/journaltest"
)

func TestMemory(t *testing.T) {
	journaltest.Run(t, journaltest.Engine{New: func(*testing.T) func() (journal.Journal, error) {
		return new(journaltest.Disk).Open
	}})
}
