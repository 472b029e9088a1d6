//go:build unix

// Package pgtest runs real PostgreSQL servers for tests: in a temporary folder, on loopback, alone or as a primary with
// synchronous standbys that can be killed and promoted.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"quiniela/internal/sidebyside"
)

// Cluster is a primary and its standbys.
type Cluster struct {
	t     testing.TB
	dir   string
	bin   string
	uid   int // that runs them: PostgreSQL refuses to be root
	gid   int
	Nodes []*Node
}

// Node is one PostgreSQL server.
type Node struct {
	c       *Cluster
	Name    string
	Port    int
	dir     string
	process *exec.Cmd

	// conn is the connection of Exec, since a new one for each statement is most of what a waiting test costs. It is nil until
	// the first statement, after an error, and once the node was killed or stopped.
	mu   sync.Mutex
	conn *pgx.Conn
}

// patience bounds every wait.
const patience = 5 * time.Minute

// Start starts a primary and its standbys, which commits wait for: any one of the others. It skips the test where there
// is no PostgreSQL, or fails it with QUINIELA_REQUIRE_POSTGRES=1. With -short it skips every test.
func Start(t testing.TB, standbys int) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts PostgreSQL: not with -short")
	}
	c := &Cluster{t: t}
	if err := c.find(); err != nil {
		if os.Getenv("QUINIELA_REQUIRE_POSTGRES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "quiniela-pg-")
	if err != nil {
		t.Fatal(err)
	}
	c.dir = dir
	t.Cleanup(c.remove)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir, c.uid, c.gid)); err != nil {
		t.Fatal(err)
	}
	for i := range standbys + 1 {
		n := &Node{c: c, Name: "n" + strconv.Itoa(i+1), Port: freePort(t)}
		n.dir = filepath.Join(dir, n.Name)
		c.Nodes = append(c.Nodes, n)
	}
	primary := c.Nodes[0]
	c.initialize(primary)
	settings := "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_wal_senders = 10\nwal_keep_size = '512MB'\n" +
		"hot_standby = on\nwal_receiver_timeout = '5s'\nwal_sender_timeout = '5s'\nwal_retrieve_retry_interval = '100ms'\nshared_buffers = '64MB'\n"
	if standbys == 0 { // it is lost with its machine in any case, and never is here
		settings += "fsync = off\n"
	}
	primary.write("postgresql.auto.conf", settings)
	for _, n := range c.Nodes[1:] { // while the primary does not run, a copy of its folder is a standby
		c.must("cp", "-a", primary.dir, n.dir)
		n.Follow(primary)
		n.write("standby.signal", "")
	}
	primary.Start()
	primary.Exec("CREATE DATABASE quiniela")
	for _, n := range c.Nodes[1:] {
		n.Start()
	}
	c.Settle(primary)
	if standbys > 0 {
		for _, n := range c.Nodes {
			n.append("postgresql.auto.conf", "synchronous_standby_names = '"+n.standbys()+"'\n")
			n.reload()
		}
	}
	return c
}

// template is a database folder that was never started, of which Main lets every cluster have a copy: initdb takes longer than
// most tests.
var template struct {
	dir  string // empty without Main
	made sync.Once
}

// Main runs the tests of a package, which then share one initdb. A package with several clusters calls it in TestMain.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "quiniela-pg-template-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	template.dir = dir
	return sidebyside.Tests{M: m}.Run()
}

// initialize makes the folder of a node that was never started.
func (c *Cluster) initialize(n *Node) {
	c.t.Helper()
	if template.dir == "" {
		c.initdb(n.dir)
		return
	}
	made := filepath.Join(template.dir, "data")
	template.made.Do(func() {
		if err := os.Chown(template.dir, c.uid, c.gid); err != nil {
			c.t.Fatal(err)
		}
		c.initdb(made)
	})
	c.must("cp", "-a", made, n.dir)
}

func (c *Cluster) initdb(dir string) {
	c.t.Helper()
	c.must(c.bin+"/initdb", "-D", dir, "-U", "quiniela", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
}

func (c *Cluster) find() error {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, lookErr := exec.LookPath("initdb"); len(found) == 0 && lookErr == nil {
		found = []string{filepath.Dir(path)}
	}
	if err != nil || len(found) == 0 {
		return errors.New("this test needs PostgreSQL: install your system's package postgresql")
	}
	c.bin = found[len(found)-1]
	c.uid, c.gid = os.Getuid(), os.Getgid()
	if c.uid != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is no user for it: %w", err)
	}
	c.uid, _ = strconv.Atoi(u.Uid)
	c.gid, _ = strconv.Atoi(u.Gid)
	return nil
}

// freePort returns a port that is the test's until it ends.
func freePort(t testing.TB) int {
	t.Helper()
	port, release, err := sidebyside.Port()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

func (c *Cluster) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.gid)}
	}
	return cmd
}

func (c *Cluster) must(args ...string) {
	c.t.Helper()
	if out, err := c.command(args...).CombinedOutput(); err != nil {
		c.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (c *Cluster) remove() {
	for _, n := range c.Nodes {
		n.Kill()
	}
	if err := os.RemoveAll(c.dir); err != nil {
		c.t.Error(err)
	}
}

// URL names the database on all nodes, whichever is the primary.
func (c *Cluster) URL() string { return c.URLVia(nil) }

// URLVia is URL with other addresses for the nodes, such as proxies'.
func (c *Cluster) URLVia(addresses map[string]string) string {
	var hosts []string
	for _, n := range c.Nodes {
		host := fmt.Sprintf("127.0.0.1:%d", n.Port)
		if via, ok := addresses[n.Name]; ok {
			host = via
		}
		hosts = append(hosts, host)
	}
	return "postgres://quiniela@" + strings.Join(hosts, ",") + "/quiniela?target_session_attrs=read-write&sslmode=disable"
}

func (n *Node) url(database string) string {
	return fmt.Sprintf("postgres://quiniela@127.0.0.1:%d/%s?sslmode=disable&application_name=%s", n.Port, database, n.Name)
}

func (n *Node) write(name, text string) {
	n.c.t.Helper()
	path := filepath.Join(n.dir, name)
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chown(path, n.c.uid, n.c.gid)); err != nil {
		n.c.t.Fatal(err)
	}
}

func (n *Node) append(name, text string) {
	n.c.t.Helper()
	old, err := os.ReadFile(filepath.Join(n.dir, name))
	if err != nil {
		n.c.t.Fatal(err)
	}
	n.write(name, string(old)+text)
}

// Start starts the node and waits until it answers.
func (n *Node) Start() {
	n.c.t.Helper()
	_ = os.Remove(filepath.Join(n.dir, "postmaster.pid")) // it was killed
	log, err := os.OpenFile(filepath.Join(n.c.dir, n.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		n.c.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	n.process = n.c.command(n.c.bin+"/postgres", "-D", n.dir, "-p", strconv.Itoa(n.Port))
	n.process.Stdout, n.process.Stderr = log, log
	if err := n.process.Start(); err != nil {
		n.c.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if _, err := n.query("SELECT 1"); err == nil {
			return
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			n.c.t.Fatalf("%s did not start:\n%s", n.Name, text[max(0, len(text)-2000):])
		}
	}
}

// Kill kills the node with all its processes at once, and waits for their end.
func (n *Node) Kill() {
	if n.process == nil {
		return
	}
	postmaster := n.process.Process.Pid
	out, _ := exec.Command("pgrep", "-P", strconv.Itoa(postmaster)).Output() // none is an error
	_ = syscall.Kill(postmaster, syscall.SIGKILL)
	var children []int
	for _, f := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(f); err == nil {
			children = append(children, pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	_ = n.process.Wait()
	n.process = nil
	n.disconnect()
	for deadline := time.Now().Add(patience); len(children) > 0 && time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		children = slices.DeleteFunc(children, func(pid int) bool { return syscall.Kill(pid, 0) != nil })
	}
}

// Stop shuts the node down, which ends what runs there.
func (n *Node) Stop() {
	_ = n.process.Process.Signal(syscall.SIGINT)
	timer := time.AfterFunc(patience, func() { _ = n.process.Process.Kill() })
	defer timer.Stop()
	_ = n.process.Wait()
	n.process = nil
	n.disconnect()
}

func (n *Node) disconnect() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		_ = n.conn.Close(context.Background())
		n.conn = nil
	}
}

// Alive reports whether the node was not killed.
func (n *Node) Alive() bool { return n.process != nil }

// Follow makes a standby follow a primary, now if it runs.
func (n *Node) Follow(primary *Node) {
	n.c.t.Helper()
	n.append("postgresql.auto.conf", fmt.Sprintf("primary_conninfo = 'host=127.0.0.1 port=%d user=quiniela application_name=%s'\nrecovery_target_timeline = 'latest'\n", primary.Port, n.Name))
	if n.process != nil {
		n.reload()
	}
}

// Detach takes a standby away from its primary: it lives, and gets nothing more. Follow or Promote bring it back.
func (n *Node) Detach(primary *Node) {
	n.c.t.Helper()
	n.append("postgresql.auto.conf", "primary_conninfo = 'host=127.0.0.1 port=1'\n")
	n.reload()
	for deadline := time.Now().Add(patience); primary.Exec("SELECT count(*) FROM pg_stat_replication WHERE application_name = '"+n.Name+"'") != "0"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.c.t.Fatalf("%s does not leave %s", n.Name, primary.Name)
		}
	}
}

// Password makes the node ask a role for its password.
func (n *Node) Password(role string) {
	n.c.t.Helper()
	rules, err := os.ReadFile(filepath.Join(n.dir, "pg_hba.conf"))
	if err != nil {
		n.c.t.Fatal(err)
	}
	n.write("pg_hba.conf", "host all "+role+" all scram-sha-256\n"+string(rules))
	n.reload()
}

// standbys names whom the node's commits wait for.
func (n *Node) standbys() string {
	var others []string
	for _, other := range n.c.Nodes {
		if other != n {
			others = append(others, other.Name)
		}
	}
	return "ANY 1 (" + strings.Join(others, ", ") + ")"
}

// Synchronous says whether the node's commits wait for its standbys, as they do from the start.
func (n *Node) Synchronous(on bool) {
	n.c.t.Helper()
	names := ""
	if on {
		names = n.standbys()
	}
	n.Set("synchronous_standby_names", names)
}

// Set changes a setting of the node while it runs.
func (n *Node) Set(setting, value string) {
	n.c.t.Helper()
	n.Exec("ALTER SYSTEM SET " + setting + " = '" + strings.ReplaceAll(value, "'", "''") + "'")
	n.reload()
}

// reload makes the node read its settings, and returns once it has.
func (n *Node) reload() {
	n.c.t.Helper()
	before := n.Exec("SELECT pg_conf_load_time()::text")
	n.Exec("SELECT pg_reload_conf()")
	for deadline := time.Now().Add(patience); n.Exec("SELECT pg_conf_load_time()::text") == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.c.t.Fatalf("%s does not read its settings", n.Name)
		}
	}
}

// Exec runs a statement on the node's own database.
func (n *Node) Exec(sql string) string {
	n.c.t.Helper()
	out, err := n.query(sql)
	if err != nil {
		n.c.t.Fatalf("%s: %s: %v", n.Name, sql, err)
	}
	return out
}

// ExecOn is Exec on a database of one's own.
func (n *Node) ExecOn(database, sql string) string {
	n.c.t.Helper()
	out, err := n.queryOn(database, sql)
	if err != nil {
		n.c.t.Fatalf("%s: %s: %v", n.Name, sql, err)
	}
	return out
}

func (n *Node) query(sql string) (out string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if n.conn == nil {
		if n.conn, err = pgx.Connect(ctx, n.url("postgres")); err != nil {
			n.conn = nil
			return "", err
		}
	}
	if out, err = ask(ctx, n.conn, sql); err != nil {
		_ = n.conn.Close(ctx)
		n.conn = nil
	}
	return out, err
}

// queryOn has a connection of its own, which would otherwise hinder what is done with the database.
func (n *Node) queryOn(database, sql string) (out string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, n.url(database))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	return ask(ctx, conn, sql)
}

// ask returns the first value of a statement's last row, as text.
func ask(ctx context.Context, conn *pgx.Conn, sql string) (out string, err error) {
	rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return "", err
		}
		if len(values) > 0 {
			out = fmt.Sprint(values[0])
		}
	}
	return out, rows.Err()
}

// Settle waits until every living standby has applied what the primary has written.
func (c *Cluster) Settle(primary *Node) {
	c.t.Helper()
	end := primary.Exec("SELECT pg_current_wal_lsn()::text")
	for _, n := range c.Nodes {
		for deadline := time.Now().Add(patience); n != primary && n.Alive() && n.Exec("SELECT COALESCE(pg_last_wal_replay_lsn() >= '"+end+"', false)") != "true"; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				c.t.Fatalf("%s does not get what %s has", n.Name, primary.Name)
			}
		}
	}
}

// Promote makes the living standby that has received the most the primary, and lets the other living ones follow it. A
// standby with less could lack what was acknowledged.
func (c *Cluster) Promote() *Node {
	c.t.Helper()
	var best *Node
	most := -1.0
	for _, n := range c.Nodes {
		if !n.Alive() || n.Exec("SELECT pg_is_in_recovery()") != "true" {
			continue
		}
		got, err := strconv.ParseFloat(n.Exec("SELECT pg_wal_lsn_diff(COALESCE(pg_last_wal_receive_lsn(), '0/0'), '0/0')::float8::text"), 64)
		if err != nil {
			c.t.Fatal(err)
		}
		if got > most {
			best, most = n, got
		}
	}
	if best == nil {
		c.t.Fatal("no standby is alive")
	}
	best.Exec("SELECT pg_promote(true, 60)")
	for _, n := range c.Nodes {
		if n != best && n.Alive() {
			n.Follow(best)
		}
	}
	return best
}

// Rejoin makes a killed node a standby of a primary again, from a new copy.
func (c *Cluster) Rejoin(n, primary *Node) {
	c.t.Helper()
	if err := os.RemoveAll(n.dir); err != nil {
		c.t.Fatal(err)
	}
	c.must(c.bin+"/pg_basebackup", "-D", n.dir, "-d", primary.url("postgres"), "-X", "stream", "-c", "fast", "--no-sync")
	n.Follow(primary)
	n.append("postgresql.auto.conf", "synchronous_standby_names = '"+n.standbys()+"'\n")
	n.write("standby.signal", "")
	n.Start()
}
