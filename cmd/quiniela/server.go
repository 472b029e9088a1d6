package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/client_golang/prometheus"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/agencies"
	"quiniela/internal/certs"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/journal/postgres"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/publish"
	"quiniela/internal/server"
	"quiniela/internal/store"
	"quiniela/tlog"
	"quiniela/witness"
)

type serverCommand struct {
	Config string `help:"File of settings; each is named as its variable." default:"config.ini" placeholder:"FILE"`
	Data   string `help:"Folder of the journal and the state." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	journalFlags
	Port     int    `help:"Port to listen on; 0 takes a free one." default:"12345" env:"SERVER_PORT"`
	IP       string `help:"Address or name to listen on; empty is every interface." name:"ip" env:"SERVER_IP"`
	Backlog  int    `help:"Connections the kernel holds until they are accepted." name:"listen-backlog" default:"128" env:"SERVER_LISTEN_BACKLOG"`
	TLSPort  int    `help:"Port for TLS 1.3, beside the plain one or in its place where they are equal; 0 is none." name:"tls-port" default:"0" env:"SERVER_TLS_PORT"`
	TLSCert  string `help:"Certificate chain, PEM; read again when it changes." name:"tls-cert" env:"SERVER_TLS_CERT" placeholder:"FILE"`
	TLSKey   string `help:"Its key, PEM." name:"tls-key" env:"SERVER_TLS_KEY" placeholder:"FILE"`
	TLSCA    string `help:"Authority of the agencies' certificates, PEM; an agency may then come with one in place of a token." name:"tls-client-ca" env:"SERVER_TLS_CLIENT_CA" placeholder:"FILE"`
	MaskDNI  bool   `help:"Hide documents in the log but for their last three digits." name:"mask-dni" env:"SERVER_MASK_DNI"`
	Level    string `help:"DEBUG, INFO, WARNING or ERROR." name:"log-level" default:"INFO" env:"LOGGING_LEVEL"`
	Mode     string `help:"lottery or echo." default:"lottery" enum:"lottery,echo" env:"SERVER_MODE"`
	Agencies int    `help:"Agencies that the draw expects." default:"5" env:"TOTAL_CLIENTES"`
	Number   int    `help:"Winning number, 0 to 9999." name:"winner-number" default:"7574" env:"LOTTERY_WINNER_NUMBER"`

	AutoDraw  bool     `help:"Open draw 1 by itself in an empty journal, for the agencies and with the number above." name:"auto-draw" default:"true" negatable:"" env:"SERVER_AUTO_DRAW"`
	HTTP      string   `help:"Address of the page, the API and the metrics, host:port; off is none." name:"http-addr" default:"127.0.0.1:8080" env:"SERVER_HTTP_ADDR"`
	HTTPHosts []string `help:"Names that the page may be asked for by, besides this machine's addresses." name:"http-hosts" env:"SERVER_HTTP_HOSTS" placeholder:"NAME"`
	Pprof     bool     `help:"Serve profiles at /debug/pprof/ of the page's address." env:"SERVER_PPROF"`
	LogFormat string   `help:"text, as specified, or json." name:"log-format" default:"text" enum:"text,json" env:"LOG_FORMAT"`

	PublicLog bool     `help:"Keep new draws in a public log, with receipts, in the data folder's public/." name:"public-log" default:"true" negatable:"" env:"SERVER_PUBLIC_LOG" group:"public log"`
	LogKey    string   `help:"Key that signs the log; made at the first start. Empty is log.key in the data folder." name:"log-key" env:"SERVER_LOG_KEY" placeholder:"FILE" group:"public log"`
	LogOrigin string   `help:"The log's name, given once: a new key is made for it." name:"log-origin" env:"SERVER_LOG_ORIGIN" placeholder:"NAME" group:"public log"`
	Witnesses []string `help:"Witnesses that are asked to cosign each draw's seal." name:"witness" env:"SERVER_WITNESSES" placeholder:"URL" group:"public log"`
	Beacon    []string `help:"Relays of the beacon drand quicknet, asked in turn; none: rounds are entered by hand." default:"${beacon}" env:"SERVER_BEACON_URLS" placeholder:"URL" group:"public log"`

	onlookers int // connections of the page at once; fitDescriptors sets it

	Profile string `help:"Write a CPU profile of this run to a file." name:"cpu-profile" placeholder:"FILE"`

	BareBody    int           `help:"Most bytes of a bare request." default:"8192" env:"SERVER_BARE_BODY_LIMIT" group:"limits"`
	FramedBody  int           `help:"Most bytes of a framed request's body." default:"1048576" env:"SERVER_FRAMED_BODY_LIMIT" group:"limits"`
	BatchBets   int           `help:"Most bets in a batch." default:"20000" env:"SERVER_BATCH_BETS_LIMIT" group:"limits"`
	Connections int           `help:"Most connections at once." default:"10000" env:"SERVER_MAX_CONNECTIONS" group:"limits"`
	PerAddress  int           `help:"Most connections of one address at once; 0 is no bound of its own." name:"connections-per-address" default:"1000" env:"SERVER_MAX_CONNECTIONS_PER_ADDRESS" group:"limits"`
	Read        time.Duration `help:"Longest wait inside a request." default:"10s" env:"SERVER_READ_TIMEOUT" group:"limits"`
	Request     time.Duration `help:"Longest that a request may take to arrive." default:"1m" env:"SERVER_REQUEST_TIMEOUT" group:"limits"`
	Idle        time.Duration `help:"Longest silence between requests." default:"5m" env:"SERVER_IDLE_TIMEOUT" group:"limits"`
	Settle      time.Duration `help:"Silence that ends a bare batch; 0 turns the rule off." name:"bare-batch-idle" default:"1s" env:"BARE_BATCH_IDLE" group:"limits"`
	Poll        time.Duration `help:"Longest that wait_winners waits." default:"30s" env:"SERVER_POLL_TIMEOUT" group:"limits"`
	Drain       time.Duration `help:"Longest that requests in hand may take when stopping." default:"7s" env:"SERVER_DRAIN_TIMEOUT" group:"limits"`
	QueueBytes  int           `help:"Most bytes that wait for the disk." default:"67108864" env:"SERVER_QUEUE_BYTES" group:"limits"`
	DiskReserve uint64        `help:"Bytes the disk must have free for bets to be taken." default:"268435456" env:"SERVER_DISK_RESERVE" group:"limits"`
}

// check returns what is wrong with the values that parsed.
func (c *serverCommand) check() error {
	for _, rule := range []struct {
		ok   bool
		what string
	}{
		{c.Port >= 0 && c.Port <= 65535, "SERVER_PORT must be 0 to 65535"},
		{c.Backlog >= 1, "SERVER_LISTEN_BACKLOG must be at least 1"},
		{c.Agencies >= 0 && c.Agencies <= 1000000, "TOTAL_CLIENTES must be 0 to 1000000"},
		{c.Number >= 0 && c.Number <= int(quiniela.MaxNumber), "LOTTERY_WINNER_NUMBER must be 0 to 9999"},
		{c.BareBody >= 128 && c.FramedBody >= 128 && c.FramedBody <= 99999999, "the body limits must be at least 128, and a frame's at most 99999999"},
		{c.BatchBets >= 1 && c.BatchBets <= 1000000, "SERVER_BATCH_BETS_LIMIT must be 1 to 1000000"},
		{c.Connections >= 1 && c.PerAddress >= 0, "SERVER_MAX_CONNECTIONS must be at least 1, and SERVER_MAX_CONNECTIONS_PER_ADDRESS not negative"},
		{c.TLSPort >= 0 && c.TLSPort <= 65535, "SERVER_TLS_PORT must be 0 to 65535"},
		{c.TLSPort == 0 == (c.TLSCert == "") && c.TLSPort == 0 == (c.TLSKey == ""), "SERVER_TLS_PORT, SERVER_TLS_CERT and SERVER_TLS_KEY go together; `quiniela certs` makes a pair for trials"},
		{c.TLSPort != 0 || c.TLSCA == "", "SERVER_TLS_CLIENT_CA needs SERVER_TLS_PORT"},
		{c.TLSPort == 0 || c.Mode == "lottery", "the echo server has no TLS"},
		{c.Read > 0 && c.Request > 0 && c.Idle > 0 && c.Settle >= 0 && c.Poll > 0 && c.Drain >= 0, "the times must be positive, such as 10s"},
		{c.QueueBytes >= 1<<20, "SERVER_QUEUE_BYTES must be at least 1048576"},
	} {
		if !rule.ok {
			return usageError{errors.New(rule.what)}
		}
	}
	return nil
}

func (c *serverCommand) Run(e env) (err error) {
	level, err := logline.ParseLevel(c.Level)
	if err != nil {
		return usageError{err}
	}
	if err := c.check(); err != nil {
		return err
	}
	stopProfile, err := profile(c.Profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopProfile()) }()
	// In a container the collector keeps below the container's limit. Without one, or with GOMEMLIMIT, nothing changes.
	_, _ = memlimit.Set(memlimit.WithRatio(memoryRatio), memlimit.WithProvider(memlimit.FromCgroup))
	handler, err := logline.Open(e.stdout, level, c.LogFormat)
	if err != nil {
		return usageError{err}
	}
	log := slog.New(handler)
	log.Info("config", "result", "success", "port", c.Port, "listen_backlog", c.Backlog, "logging_level", c.Level,
		"ip", c.IP, "mode", c.Mode, "agencies", c.Agencies, "winner_number", c.Number, "data", c.Data)
	if c.Mode == "echo" {
		err = c.echo(e.ctx, log)
	} else {
		err = c.lottery(e.ctx, log)
	}
	if err != nil {
		log.Error("serve", "result", "fail", "error", err)
	}
	return ended(err, handler)
}

// memoryRatio is the share of a container's memory that Go's heap may fill: the rest is stacks and what the kernel counts.
const memoryRatio = 0.8

// profile starts a CPU profile where a file is named, and returns what ends it.
func profile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("start the profile: %w", err), f.Close())
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, nil
}

func (c *serverCommand) config() server.Options {
	s := server.DefaultOptions()
	s.Address, s.Backlog, s.Connections = net.JoinHostPort(c.IP, strconv.Itoa(c.Port)), c.Backlog, c.Connections
	s.Limits = quiniela.Limits{BareBody: c.BareBody, FramedBody: c.FramedBody, BatchBets: c.BatchBets}
	s.PerAddress, s.MaskDNI, s.Request = c.PerAddress, c.MaskDNI, c.Request
	s.Read, s.Idle, s.Settle, s.Poll, s.Drain = c.Read, c.Idle, c.Settle, c.Poll, c.Drain
	return s
}

func (c *serverCommand) echo(ctx context.Context, log *slog.Logger) error {
	s, err := server.ListenEcho(c.config(), log)
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}

func (c *serverCommand) lottery(ctx context.Context, log *slog.Logger) error {
	if err := c.fitDescriptors(log); err != nil {
		return err
	}
	config, err := c.secured(log)
	if err != nil {
		return err
	}
	figures := newFigures(c.Data)
	config.Metrics = figures
	o := ledger.Options{
		QueueBytes: c.QueueBytes, Logger: log, Metrics: figures, Public: c.PublicLog, Beacon: ledger.Beacon{URLs: c.Beacon},
	}
	storage, err := openStorage(ctx, c.Data, c.opener(ctx, c.Data, local.Options{Reserve: c.DiskReserve}, c.Drain, log), o)
	if interrupted(ctx, err, log) {
		return nil
	}
	if err != nil {
		return err
	}
	err = c.serve(ctx, config, storage, figures, log)
	if interrupted(ctx, err, log) {
		err = nil
	}
	if closing := storage.close(log); err == nil {
		err = closing // after a failure they would only repeat it, and each has logged it
	}
	return err
}

// interrupted reports whether a start was given up because ctx ended, and says so.
func interrupted(ctx context.Context, err error, log *slog.Logger) bool {
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return false
	}
	log.Info("serve", "result", "success", "stopped", "while it was starting")
	return true
}

// serve serves the agencies, and whoever watches, until ctx ends or the ledger fails. What can fail at a start comes first,
// then the log's key, then the draw that opens by itself: so a start that fails decides nothing for the next one.
func (c *serverCommand) serve(ctx context.Context, config server.Options, storage *storage, figures *prometheus.Registry, log *slog.Logger) error {
	s, err := server.Listen(config, storage.ledger, log)
	if err != nil {
		return err
	}
	w, err := c.watch(ctx, storage, figures, log)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	stopPublishing, err := c.publish(ctx, s, storage, log)
	if err != nil {
		return errors.Join(err, w.close(), s.Close())
	}
	defer stopPublishing()
	if err := c.openFirstDraw(ctx, storage.ledger); err != nil {
		return errors.Join(err, w.close(), s.Close())
	}
	w.serve()
	return errors.Join(s.Serve(ctx), w.close())
}

// openFirstDraw opens the draw that opens by itself, or checks that the settings are still those it was opened with.
func (c *serverCommand) openFirstDraw(ctx context.Context, l *ledger.Ledger) error {
	if !c.AutoDraw {
		return nil
	}
	seed := &ledger.Seed{ID: "1", Agencies: uint32(c.Agencies), Rule: draw.FixedNumber(quiniela.Number(c.Number))}
	if err := l.OpenSeed(ctx, seed); err != nil {
		return fmt.Errorf("the data folder %s: %w", c.Data, err)
	}
	return nil
}

// publish publishes the public log, and returns what ends that.
func (c *serverCommand) publish(ctx context.Context, s *server.Server, storage *storage, log *slog.Logger) (stop func(), err error) {
	dir := filepath.Join(c.Data, publish.FolderName)
	if !c.PublicLog {
		return func() {}, publish.Compare(dir, storage.ledger)
	}
	if c.LogKey == "" && c.Journal != "local" {
		log.Warn("publish_log", "result", "fail", "error", "servers that share a journal share one log and one key: give it to each with SERVER_LOG_KEY. Until then this one publishes nothing and has no receipts")
		return func() {}, nil
	}
	if err := publish.Prepare(dir); err != nil {
		return nil, err
	}
	key, err := c.loadKey(storage.ledger.Log().Size)
	if err != nil {
		return nil, err
	}
	o := publish.Options{Dir: dir, Key: key, Ledger: storage.ledger, Log: log}
	if len(c.Witnesses) > 0 {
		o.Cosign = c.cosign
	}
	p, err := publish.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	s.SetReceipts(p.Receipt)
	log.Info("publish_log", "result", "success", "key", key.Verifier)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var publishing sync.WaitGroup
	publishing.Go(func() { p.Run(ctx) })
	return func() { cancel(); publishing.Wait() }, nil
}

// witnessPatience bounds how long a draw's seal waits for one witness.
const witnessPatience = 10 * time.Second

// cosign asks each witness for its signature of a checkpoint.
func (c *serverCommand) cosign(ctx context.Context, signed []byte, log ledger.Log) (lines [][]byte, err error) {
	prove := func(old int64) ([]tlog.Hash, error) { return tlog.ProveConsistency(old, log.Size, log) }
	for _, url := range c.Witnesses {
		ctx, cancel := context.WithTimeout(ctx, witnessPatience)
		line, failed := witness.Ask(ctx, &http.Client{}, url, signed, prove)
		cancel()
		if failed == nil {
			lines = append(lines, line)
		}
		err = errors.Join(err, failed)
	}
	return lines, err
}

// loadKey reads the log's key, and makes it at the first start. A log with more than its first draw's opening was signed
// before: a new key would be another log under its name. An empty file is a first start that was cut off.
func (c *serverCommand) loadKey(size int64) (publish.Key, error) {
	if c.LogKey == "" {
		c.LogKey = filepath.Join(c.Data, publish.KeyName)
	}
	info, err := os.Stat(c.LogKey)
	empty := err == nil && info.Size() == 0
	if size > 1 && (empty || errors.Is(err, fs.ErrNotExist)) {
		return publish.Key{}, fmt.Errorf("the public log has %d entries, and its key %s is not there: put it back from where you keep it, or name its place with SERVER_LOG_KEY; "+
			"to take bets without signing or publishing anything until then: --no-public-log", size, c.LogKey)
	}
	if empty {
		if err := os.Remove(c.LogKey); err != nil {
			return publish.Key{}, fmt.Errorf("the log's key %s is empty: %w", c.LogKey, err)
		}
	}
	return publish.LoadKey(c.LogKey, c.LogOrigin)
}

// secured is config with the registry of agencies and with TLS.
func (c *serverCommand) secured(log *slog.Logger) (s server.Options, err error) {
	s = c.config()
	if s.Guard, err = agencies.NewGuard(filepath.Join(c.Data, agencies.FileName), log); err != nil {
		return s, err
	}
	if s.Guard.Open() {
		log.Warn("agencies", "result", "success", "registered", 0,
			"access", "open: whoever reaches the port can bet for any agency; close it with `quiniela agency add`")
	}
	if c.TLSPort == 0 {
		return s, nil
	}
	s.TLSAddress = net.JoinHostPort(c.IP, strconv.Itoa(c.TLSPort))
	s.TLS, err = certs.Server(c.TLSCert, c.TLSKey, c.TLSCA, log)
	return s, err
}

// storage is what a data folder holds.
type storage struct {
	journal journal.Journal
	ledger  *ledger.Ledger
}

// journalFlags say where the journal is.
type journalFlags struct {
	Journal      string `help:"Where the journal is: local is in the data folder; postgres://user@host1,host2,host3/name?target_session_attrs=read-write is a replicated database that several servers share." default:"local" env:"JOURNAL" placeholder:"URL"`
	UnsafeSingle bool   `help:"Accept a database that could lose what it acknowledges: for trials." env:"JOURNAL_UNSAFE_SINGLE"`
}

// opener returns what opens the journal. A shared one is given up grace after ctx ends.
func (f journalFlags) opener(ctx context.Context, dir string, o local.Options, grace time.Duration, log *slog.Logger) func() (journal.Journal, error) {
	return func() (journal.Journal, error) {
		switch {
		case f.Journal == "local":
			return openJournal(dir, o)
		case strings.HasPrefix(f.Journal, "postgres://"), strings.HasPrefix(f.Journal, "postgresql://"):
			late, end := context.WithCancel(context.WithoutCancel(ctx))
			context.AfterFunc(ctx, func() { time.AfterFunc(grace, end) })
			return postgres.Open(late, postgres.Options{URL: f.Journal, UnsafeSingle: f.UnsafeSingle, Logger: log})
		}
		return nil, usageError{errors.New("JOURNAL must be local, or begin with postgres://")}
	}
}

// openStorage opens a journal, and the ledger over it with its state in a data folder.
func openStorage(ctx context.Context, dir string, open func() (journal.Journal, error), o ledger.Options) (*storage, error) {
	j, err := open()
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	l, err := ledger.Open(ctx, j, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the data folder %s: %w", dir, err), j.Close())
	}
	return &storage{j, l}, nil
}

func openJournal(dir string, o local.Options) (journal.Journal, error) {
	j, err := openLocal(dir, o)
	if err != nil {
		return nil, err
	}
	return j, nil
}

// openLocal opens the journal of a data folder.
func openLocal(dir string, o local.Options) (*local.Journal, error) {
	j, err := local.Open(filepath.Join(dir, "journal"), o)
	if errors.Is(err, journal.ErrLocked) {
		return nil, fmt.Errorf("the data folder %s is in use by another quiniela: stop that one first, or name the right folder with --data", dir)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("there is no journal in %s: name the server's data folder with --data", dir)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// close closes the ledger and the journal, with a line for each.
func (s *storage) close(log *slog.Logger) error {
	return errors.Join(closeLogged(log, "ledger", s.ledger), closeLogged(log, "journal", s.journal))
}

func closeLogged(log *slog.Logger, what string, c io.Closer) error {
	if err := c.Close(); err != nil {
		log.Error("close_"+what, "result", "fail", "error", err)
		return err
	}
	log.Info("close_"+what, "result", "success")
	return nil
}
