//go:build linux

package integration

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// databaseImage is a stand-in for postgres:17, for a machine that reaches no registry.
const databaseImage = "quiniela-test-postgres:bookworm"

// databaseEntry does of the entry point of the image postgres what deploy/cluster/compose.yaml uses.
const databaseEntry = `#!/bin/bash
set -e
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /run/postgresql
	chown -R postgres "$PGDATA" /run/postgresql
	chmod 700 "$PGDATA"
	exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") -A scram-sha-256 >/dev/null
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
	pg_ctl -D "$PGDATA" -w start -o "-c listen_addresses=''"
	psql -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
	for f in /docker-entrypoint-initdb.d/*.sh; do . "$f"; done
	pg_ctl -D "$PGDATA" -w -m fast stop
fi
exec "$@"
`

// haveDatabase returns the image of the databases: the one that the file names, or the stand-in, which it makes of Debian's packages.
func haveDatabase(t *testing.T) string {
	t.Helper()
	for _, image := range []string{"postgres:17", databaseImage} {
		if _, err := command(t, nil, "docker", "image", "inspect", image); err == nil {
			return image
		}
	}
	if _, err := command(t, nil, "docker", "pull", "-q", "postgres:17"); err == nil {
		return "postgres:17"
	}
	makeImage(t, databaseImage, "postgresql,gosu", map[string]string{"usr/local/bin/docker-entrypoint.sh": databaseEntry},
		"ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", `ENTRYPOINT ["docker-entrypoint.sh"]`)
	return databaseImage
}

// makeImage makes an image of Debian with packages and files.
func makeImage(t *testing.T, image, packages string, files map[string]string, changes ...string) {
	t.Helper()
	const variable = "QUINIELA_REQUIRE_MACHINES"
	if _, err := exec.LookPath("debootstrap"); err != nil || os.Getuid() != 0 {
		skipOrFail(t, variable, "this test runs containers of a Debian that it makes as root with the package debootstrap")
	}
	root := filepath.Join(t.TempDir(), "root")
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // its packages may come slowly
	defer cancel()
	if out, err := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include="+packages, "bookworm", root).CombinedOutput(); err != nil {
		skipOrFail(t, variable, fmt.Sprintf("debootstrap: %v: %s", err, lastLine(string(out))))
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-c", `root=$0; image=$1; shift; for c; do set -- "$@" -c "$c"; shift; done; tar -C "$root" -c . | docker import "$@" - "$image"`, root, image}
	if out, err := command(t, nil, append(append([]string{"sh"}, args...), changes...)...); err != nil {
		t.Fatal(err, out)
	}
}

// clusterFile is the cluster's compose file, in a lab that it runs in.
type clusterFile struct {
	*lab
	env []string
}

func openClusterFile(t *testing.T) clusterFile {
	t.Helper()
	needDocker(t)
	if err := images(); err != nil {
		t.Fatal(err)
	}
	l := clusterFile{&lab{t, t.TempDir()}, []string{"POSTGRES_PASSWORD=secret", "LOG_ORIGIN=lottery.example/log", "POSTGRES_IMAGE=" + haveDatabase(t)}}
	l.write("deploy/cluster/compose.yaml", readFile(t, "../deploy/cluster/compose.yaml"))
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := l.compose("logs", "--no-color", "--tail", "30")
			t.Logf("the last lines of each container:\n%s", out)
		}
		if out, err := l.compose("down", "-v", "-t", "2"); err != nil {
			t.Error(err, out)
		}
	})
	return l
}

func (l clusterFile) compose(args ...string) (string, error) {
	return l.run(l.env, append([]string{"docker", "compose", "-f", "deploy/cluster/compose.yaml"}, args...)...)
}

func (l clusterFile) must(args ...string) string {
	l.t.Helper()
	out, err := l.compose(args...)
	if err != nil {
		l.t.Fatalf("docker compose %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// healthy waits until services are healthy.
func (l clusterFile) healthy(services ...string) {
	l.t.Helper()
	for _, service := range services {
		await(l.t, service+" is healthy", func() bool {
			out, err := l.compose("ps", "--format", "{{.Health}}", service)
			return err == nil && strings.TrimSpace(out) == "healthy"
		})
	}
}

// sql asks a database node.
func (l clusterFile) sql(node, query string) string {
	l.t.Helper()
	return l.must("exec", "-T", node, "psql", "-d", "quiniela", "-Atqc", query)
}

// The cluster's file as it is. The primary is killed while agencies send, a standby is promoted by hand, and the other one follows it. The
// old primary comes back, does not start as a second one, and becomes a standby with the commands of CLUSTER.md. No bet is lost.
func TestTheClusterFileRuns(t *testing.T) {
	l := openClusterFile(t)
	if out, err := l.run(nil, program(t), "generate", "--agencies", "5", "--bets", "10000"); err != nil {
		t.Fatal(err, out)
	}
	l.must("up", "-d", "server1", "server2")
	l.healthy("pg1", "pg2", "pg3", "server1", "server2")
	agency := []string{"agency1", "agency2", "agency3", "agency4", "agency5"}
	for _, name := range agency { // slowly, in small batches one after the other
		l.must("run", "-d", "--no-deps", "--name", name, "-e", "CLI_BATCH_MAXAMOUNT=5", "-e", "CLI_WINDOW=1", name)
	}
	t.Cleanup(func() { _, _ = command(t, nil, append([]string{"docker", "rm", "-f"}, agency...)...) })
	stored := func(node string) string {
		return l.sql(node, "SELECT count(*) FROM journal_entry WHERE batch IS NOT NULL")
	}
	await(t, "bets are stored", func() bool { return len(stored("pg1")) > 2 })
	l.must("kill", "pg1")
	killed := time.Now()
	best, other := "pg2", "pg3"
	if l.sql("pg2", "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '"+l.sql("pg3", "SELECT pg_last_wal_receive_lsn()")+"') < 0") == "t" {
		best, other = other, best
	}
	before := stored(best)
	if before == "10000" {
		t.Fatal("pg1 was killed too late")
	}
	l.sql(best, "SELECT pg_promote()")
	t.Logf("pg1 was killed, and after %v %s was promoted, which had %s of 10000 batches", time.Since(killed).Round(time.Second), best, before)
	l.must("start", "pg1")
	await(t, "the old primary says that it does not start", func() bool {
		return strings.Contains(l.must("logs", "pg1"), "pg1 was the primary, and another node is it now")
	})
	for _, name := range agency {
		if out, err := command(t, nil, "docker", "wait", name); err != nil || out != "0\n" {
			t.Errorf("%s ended with %s (%v)", name, out, err)
		}
	}
	t.Logf("%v after it was killed the agencies had their winners", time.Since(killed).Round(time.Second))
	if got := l.sql(best, "SELECT string_agg(application_name, ' ') FROM pg_stat_replication"); got != other {
		t.Errorf("%s follows %s, want %s", got, best, other)
	}
	wantClusterBets(t, l)
	for _, line := range rejoin(t) {
		if out, err := l.run(l.env, "sh", "-c", line); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	await(t, "pg1 is a standby", func() bool {
		return l.sql(best, "SELECT string_agg(application_name, ' ' ORDER BY application_name) FROM pg_stat_replication") == "pg1 "+other
	})
	key := "publish_log | result: success | key: lottery.example/log+"
	if one, two := logKeyIn(l.must("logs", "server1"), key), logKeyIn(l.must("logs", "server2"), key); one == "" || one != two {
		t.Errorf("the servers publish with the keys %q and %q", one, two)
	}
}

func logKeyIn(log, before string) string {
	_, after, _ := strings.Cut(log, before)
	key, _, _ := strings.Cut(after, "\n")
	return key
}

// wantClusterBets checks that the journal holds every bet of the files exactly once.
func wantClusterBets(t *testing.T, l clusterFile) {
	t.Helper()
	var want []string
	for id := 1; id <= 5; id++ {
		for line := range strings.Lines(l.read(fmt.Sprintf(".data/agency-%d.csv", id))) {
			want = append(want, fmt.Sprintf("%d,%s", id, strings.TrimRight(line, "\r\n")))
		}
	}
	out := l.must("exec", "-T", "server1", "/quiniela", "export")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows {
		got = append(got, strings.Join(row, ","))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("the journal holds %d bets, want the %d of the files; %d are not in both", len(got), len(want), different(want, got))
	}
}

// rejoin returns the lines that CLUSTER.md has for an old primary, which are of pg1 there.
func rejoin(t *testing.T) []string {
	t.Helper()
	_, text, ok := strings.Cut(readFile(t, "../docs/CLUSTER.md"), "<!-- rejoin -->\n```sh\n")
	block, _, ends := strings.Cut(text, "```")
	if !ok || !ends {
		t.Fatal("CLUSTER.md has no block after <!-- rejoin -->")
	}
	return strings.Split(strings.TrimSpace(block), "\n")
}
