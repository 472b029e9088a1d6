package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A primary that was taken for dead, and comes back after a standby was promoted, takes connections and writes as before. None of its
// commits is acknowledged: its standbys follow the other one now. A server that came to it would wait for ever. Each promotion begins
// a timeline with a higher number, so of two primaries the one with the lower timeline is the old one, and no connection to it is kept.

// errOldPrimary says that a database is one that another was promoted in the place of.
var errOldPrimary = errors.New("an old primary")

// node is one database server of the URL.
type node struct {
	address string
	config  *pgx.ConnConfig // to reach it alone
}

// nodesOf returns the servers that a URL names. One may be named more than once: with TLS, and without.
func nodesOf(config *pgx.ConnConfig) (all []node) {
	ways := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	at := map[string]int{}
	for _, way := range ways {
		address := net.JoinHostPort(way.Host, strconv.Itoa(int(way.Port)))
		if i, ok := at[address]; ok {
			all[i].config.Fallbacks = append(all[i].config.Fallbacks, way)
			continue
		}
		at[address] = len(all)
		c := config.Copy()
		c.Host, c.Port, c.TLSConfig, c.Fallbacks, c.ValidateConnect = way.Host, way.Port, way.TLSConfig, nil, nil
		all = append(all, node{address, c})
	}
	return all
}

// askTimeline answers with the file of the write-ahead log that a primary writes, whose first eight digits are its timeline, and with
// nothing on a standby.
const askTimeline = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_walfile_name(pg_current_wal_lsn()) END"

// timelineOf returns the timeline of a primary; 0 is a standby, or a database that does not tell.
func timelineOf(ctx context.Context, conn *pgconn.PgConn) uint64 {
	results, err := conn.Exec(ctx, askTimeline).ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		return 0
	}
	const digits = 8
	name := string(results[0].Rows[0][0])
	timeline, err := strconv.ParseUint(name[:min(digits, len(name))], 16, 32)
	if err != nil {
		return 0
	}
	return timeline
}

// onlyNewest makes the journal's connections refuse an old primary, so that the next host of the URL is tried.
func (j *Journal) onlyNewest(config *pgx.ConnConfig) {
	validate := config.ValidateConnect
	config.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if validate != nil {
			if err := validate(ctx, conn); err != nil {
				return err
			}
		}
		timeline := timelineOf(ctx, conn)
		newest := j.sawPrimary(timeline)
		if timeline == 0 || timeline == newest {
			return nil
		}
		return fmt.Errorf("%w: it is on timeline %d, and another primary on %d", errOldPrimary, timeline, newest)
	}
}

// sawPrimary remembers a primary's timeline, and returns the highest one. Connections to an older one are closed.
func (j *Journal) sawPrimary(timeline uint64) (newest uint64) {
	j.mu.Lock()
	was := j.timeline
	j.timeline = max(was, timeline)
	newest = j.timeline
	j.mu.Unlock()
	if was != 0 && newest != was {
		j.pool.Reset()
	}
	return newest
}

// look asks every server of the URL for its timeline, so that the newest primary is known. It logs each old primary, once. A server that
// does not answer is left out.
func (j *Journal) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, j.options.Timeout)
	defer cancel()
	timelines := make([]uint64, len(j.nodes))
	var asked sync.WaitGroup
	for i, n := range j.nodes {
		asked.Go(func() {
			conn, err := pgx.ConnectConfig(ctx, n.config)
			if err != nil {
				return
			}
			defer func() { _ = conn.Close(ctx) }()
			timelines[i] = timelineOf(ctx, conn.PgConn())
		})
	}
	asked.Wait()
	var newest uint64
	for _, timeline := range timelines {
		newest = j.sawPrimary(timeline)
	}
	var old []string
	for i, timeline := range timelines {
		if timeline != 0 && timeline < newest {
			old = append(old, fmt.Sprintf("%s (timeline %d)", j.nodes[i].address, timeline))
		}
	}
	j.tellOld(strings.Join(old, ", "), newest)
}

// tellOld logs which primaries are old ones, where that has changed.
func (j *Journal) tellOld(old string, newest uint64) {
	j.mu.Lock()
	told := j.old == old
	j.old = old
	j.mu.Unlock()
	if old != "" && !told {
		j.log.Error("journal", "result", "fail", "error", fmt.Sprintf("two primaries: %s takes writes, and another one was promoted in its place (timeline %d), which is used", old, newest),
			"advice", "stop the old one, and make it a standby of the other: docs/CLUSTER.md")
	}
}
