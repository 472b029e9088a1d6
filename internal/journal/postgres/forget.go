package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"quiniela"
	"quiniela/internal/journal"
)

// pieceForgotten is how many batches are replaced by one transaction. It keeps appends out meanwhile, and must end well within
// one attempt's timeout.
const pieceForgotten = 64

// batchRow is the row of a batch.
type batchRow struct {
	Position, Agency, Batch int64
	Data                    []byte
}

// Forget replaces the batches of a draw by what journal.Forgotten leaves of them, and returns how many it has replaced. Others may
// use the journal meanwhile. When it returns nil, the standbys have acknowledged all of it; after an error some batches are
// replaced, and it can be repeated and goes on where it was cut off. What was there is the database's to give up: the old
// versions of the rows when the table is rewritten (VACUUM FULL), its write-ahead log and archives when they run out.
func (j *Journal) Forget(ctx context.Context, draw uint64, game *quiniela.Terms) (batches int, err error) {
	if j.isClosed() {
		return 0, journal.ErrClosed
	}
	for at := (batchRow{Agency: -1}); ; {
		var rows []batchRow
		var replaced int
		err := j.retry(ctx, "forget", func(ctx context.Context) error {
			return j.commit(ctx, func(b *pgx.Batch) { queueBarrier(b, new(journal.Head)) }, func(conn *pgx.Conn) (err error) {
				rows, replaced, err = forgetAfter(ctx, conn, draw, game, at)
				return err
			})
		})
		if err != nil {
			return batches, fmt.Errorf("forget in the journal: %w", err)
		}
		batches += replaced
		if len(rows) < pieceForgotten {
			return batches, nil
		}
		at = rows[len(rows)-1]
	}
}

// forgetAfter replaces the next batches of a draw, in the order of their agencies and numbers. It returns those it has looked at,
// and how many of them it has replaced.
func forgetAfter(ctx context.Context, conn *pgx.Conn, draw uint64, game *quiniela.Terms, after batchRow) (rows []batchRow, replaced int, err error) {
	found, err := conn.Query(ctx, "SELECT position, agency, batch, data FROM journal_entry "+
		"WHERE draw = $1 AND (agency, batch) > ($2, $3) ORDER BY agency, batch LIMIT $4", int64(draw), after.Agency, after.Batch, pieceForgotten)
	if err != nil {
		return nil, 0, err
	}
	if rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[batchRow]); err != nil {
		return nil, 0, err
	}
	updates := &pgx.Batch{}
	for _, r := range rows {
		left, err := journal.Forgotten(r.Data, draw, game)
		if err != nil {
			return nil, 0, finalError{fmt.Errorf("journal entry %d: %w", r.Position, err)}
		}
		if left != nil {
			updates.Queue("UPDATE journal_entry SET data = $1 WHERE position = $2", left, r.Position)
		}
	}
	return rows, updates.Len(), conn.SendBatch(ctx, updates).Close()
}
