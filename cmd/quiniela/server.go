package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/console"
	"quiniela/internal/ledger"
	"quiniela/internal/logline"
	"quiniela/internal/publish"
	"quiniela/internal/server"
)

type serverCommand struct {
	Config string `help:"File of settings; each is named as its variable." default:"config.ini" placeholder:"FILE"`
	Data   string `help:"Folder of the journal and the state." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	journalFlags
	Port     int    `help:"Port to listen on; 0 takes a free one. With --tls-cert it speaks TLS 1.3 alone." default:"12345" env:"SERVER_PORT"`
	IP       string `help:"Address or name to listen on; empty is every interface." name:"ip" env:"SERVER_IP"`
	Backlog  int    `help:"Connections that the kernel queues until they are accepted." name:"listen-backlog" default:"128" env:"SERVER_LISTEN_BACKLOG"`
	TLSCert  string `help:"Certificate chain, PEM; read again when it changes." name:"tls-cert" env:"SERVER_TLS_CERT" placeholder:"FILE"`
	TLSKey   string `help:"Its key, PEM." name:"tls-key" env:"SERVER_TLS_KEY" placeholder:"FILE"`
	TLSCA    string `help:"Authority of the agencies' certificates, PEM; an agency may then show a certificate instead of a token." name:"tls-client-ca" env:"SERVER_TLS_CLIENT_CA" placeholder:"FILE"`
	Plain    int    `help:"With TLS, a second port that speaks plain TCP, for a network that you trust; 0 is none." name:"plain-port" default:"0" env:"SERVER_PLAIN_PORT"`
	MaskDNI  bool   `help:"Show only the last three digits of documents in the log." name:"mask-dni" env:"SERVER_MASK_DNI"`
	Level    string `help:"DEBUG, INFO, WARNING or ERROR." name:"log-level" default:"INFO" env:"LOGGING_LEVEL"`
	Mode     string `help:"lottery or echo." default:"lottery" enum:"lottery,echo" env:"SERVER_MODE"`
	Agencies int    `help:"Agencies that the draw expects." default:"5" env:"TOTAL_CLIENTES"`
	Number   int    `help:"Winning number, 0 to 9999." name:"winner-number" default:"7574" env:"LOTTERY_WINNER_NUMBER"`

	Production bool `help:"For real draws: refuse to start until the public log has its name, agencies are registered and their port speaks TLS, and while draw 1 would open by itself." env:"SERVER_PRODUCTION"`

	Schedule  string   `help:"File of recurring draws that open by themselves, in place of draw 1; read again when it changes. See: quiniela draw schedule." env:"SERVER_SCHEDULE" placeholder:"FILE"`
	AutoDraw  bool     `help:"Open draw 1 by itself in an empty journal, for the agencies and with the number above." name:"auto-draw" default:"true" negatable:"" env:"SERVER_AUTO_DRAW"`
	HTTP      string   `help:"Address of the page and the API, host:port; off is none." name:"http-addr" default:"127.0.0.1:8080" env:"SERVER_HTTP_ADDR" group:"page"`
	HTTPHosts []string `help:"Host names that the page answers to, besides localhost and IP addresses." name:"http-hosts" env:"SERVER_HTTP_HOSTS" placeholder:"NAME" group:"page"`
	HTTPCert  string   `help:"Certificate chain of the page, PEM, for TLS 1.3; read again when it changes." name:"http-tls-cert" env:"SERVER_HTTP_TLS_CERT" placeholder:"FILE" group:"page"`
	HTTPKey   string   `help:"Its key, PEM." name:"http-tls-key" env:"SERVER_HTTP_TLS_KEY" placeholder:"FILE" group:"page"`
	Proxies   []string `help:"Addresses or networks of the proxies in front of the page. Their word counts for a client's address and for TLS (X-Forwarded-Proto)." name:"http-proxies" env:"SERVER_HTTP_PROXIES" placeholder:"ADDRESS" group:"page"`
	ProxyHead string   `help:"Header in which they say the client's address." name:"http-proxy-header" default:"X-Forwarded-For" env:"SERVER_HTTP_PROXY_HEADER" placeholder:"NAME" group:"page"`
	Admin     string   `help:"Address of the health checks and the metrics, host:port; off is none. Whoever reaches it reads all figures." name:"admin-addr" default:"127.0.0.1:8081" env:"SERVER_ADMIN_ADDR" group:"page"`
	Pprof     bool     `help:"Serve profiles at /debug/pprof/ of that address." env:"SERVER_PPROF" group:"page"`
	LogFormat string   `help:"text, as specified, or json." name:"log-format" default:"text" enum:"text,json" env:"LOG_FORMAT"`

	PublicLog bool     `help:"Keep new draws in a public log, with receipts, in the data folder's public/." name:"public-log" default:"true" negatable:"" env:"SERVER_PUBLIC_LOG" group:"public log"`
	LogKey    string   `help:"Key that signs the log; made at the first start. Empty is log.key in the data folder." name:"log-key" env:"SERVER_LOG_KEY" placeholder:"FILE" group:"public log"`
	LogOrigin string   `help:"Name of the log, for the key that the first start makes; it cannot change." name:"log-origin" env:"SERVER_LOG_ORIGIN" placeholder:"NAME" group:"public log"`
	Witnesses []string `help:"Witnesses that are asked to cosign each draw's seal and outcome, each with its key; only that key's signature is taken." name:"witness" env:"SERVER_WITNESSES" placeholder:"URL=VKEY" group:"public log"`
	Quorum    int      `help:"How many witnesses must have cosigned what is published as final." name:"witness-quorum" env:"SERVER_WITNESS_QUORUM" default:"1" placeholder:"N" group:"public log"`
	Beacon    []string `help:"Relays of the beacon drand quicknet, asked in turn; without any, rounds are entered by hand." default:"${beacon}" env:"SERVER_BEACON_URLS" placeholder:"URL" group:"public log"`

	BackupDir  string `help:"Folder that a backup is made in each day by itself; it must be there, best on another disk. Empty makes none." name:"backup-dir" env:"SERVER_BACKUP_DIR" placeholder:"DIR" group:"backups"`
	BackupAt   string `help:"When, in this machine's time zone." name:"backup-at" default:"04:00" env:"SERVER_BACKUP_AT" placeholder:"HH:MM" group:"backups"`
	BackupKeep int    `help:"How many of these backups are kept; older ones are removed once a new one is checked." name:"backup-keep" default:"14" env:"SERVER_BACKUP_KEEP" group:"backups"`

	BareBody    int           `help:"Most bytes of a bare request." default:"8192" env:"SERVER_BARE_BODY_LIMIT" group:"limits"`
	FramedBody  int           `help:"Most bytes of a framed request's body." default:"1048576" env:"SERVER_FRAMED_BODY_LIMIT" group:"limits"`
	BatchBets   int           `help:"Most bets in a batch." default:"20000" env:"SERVER_BATCH_BETS_LIMIT" group:"limits"`
	Connections int           `help:"Most connections at once." default:"10000" env:"SERVER_MAX_CONNECTIONS" group:"limits"`
	PerAddress  int           `help:"Most connections of one IPv4 address or IPv6 /64 at once; 0 is no limit." name:"connections-per-address" default:"1000" env:"SERVER_MAX_CONNECTIONS_PER_ADDRESS" group:"limits"`
	PerAgency   int           `help:"With a registry, most connections of one agency at once; 0 is no limit." name:"connections-per-agency" default:"100" env:"SERVER_MAX_CONNECTIONS_PER_AGENCY" group:"limits"`
	AgencyRate  int           `help:"With a registry, requests a second that are taken of one agency; further ones wait. 0 is no limit." name:"agency-requests" default:"2000" env:"SERVER_AGENCY_REQUESTS" group:"limits"`
	AgencyBytes int           `help:"With a registry, bytes a second of one agency's requests and lists of winners; further ones wait. 0 is no limit." name:"agency-bytes" default:"33554432" env:"SERVER_AGENCY_BYTES" group:"limits"`
	BodyMemory  int64         `help:"Most bytes of requests over 16 KiB in hand at once, of all connections; further ones wait." name:"body-memory" default:"67108864" env:"SERVER_BODY_MEMORY" group:"limits"`
	Read        time.Duration `help:"Longest wait inside a request." default:"10s" env:"SERVER_READ_TIMEOUT" group:"limits"`
	Idle        time.Duration `help:"Longest silence between requests." default:"5m" env:"SERVER_IDLE_TIMEOUT" group:"limits"`
	Settle      time.Duration `help:"Silence that ends a bare batch; 0 turns the rule off." name:"bare-batch-idle" default:"1s" env:"BARE_BATCH_IDLE" group:"limits"`
	Drain       time.Duration `help:"Longest that requests in hand may take when stopping." default:"7s" env:"SERVER_DRAIN_TIMEOUT" group:"limits"`
	QueueBytes  int           `help:"Most bytes queued for the disk." default:"67108864" env:"SERVER_QUEUE_BYTES" group:"limits"`
	DiskReserve uint64        `help:"Bytes the disk must have free for bets to be taken." default:"268435456" env:"SERVER_DISK_RESERVE" group:"limits"`
}

const (
	maxPort       = 65535
	mostAgencies  = 1000000
	leastBody     = 128
	mostFrame     = 99999999 // eight digits, as a frame's length has at most
	mostBatchBets = 1000000
	leastQueue    = 1 << 20
	mostBackups   = 10000
)

// check returns what is wrong with the values that parsed.
func (c *serverCommand) check() error {
	wrong := ""
	switch {
	case c.Port < 0 || c.Port > maxPort:
		wrong = "SERVER_PORT must be 0 to 65535"
	case c.Backlog < 1:
		wrong = "SERVER_LISTEN_BACKLOG must be at least 1"
	case c.Agencies < 0 || c.Agencies > mostAgencies:
		wrong = "TOTAL_CLIENTES must be 0 to 1000000"
	case c.Number < 0 || c.Number > int(quiniela.MaxNumber):
		wrong = "LOTTERY_WINNER_NUMBER must be 0 to 9999"
	case c.BareBody < leastBody || c.FramedBody < leastBody || c.FramedBody > mostFrame:
		wrong = "the body limits must be at least 128, and a frame's at most 99999999"
	case c.BatchBets < 1 || c.BatchBets > mostBatchBets:
		wrong = "SERVER_BATCH_BETS_LIMIT must be 1 to 1000000"
	case c.Connections < 1 || c.PerAddress < 0:
		wrong = "SERVER_MAX_CONNECTIONS must be at least 1, and SERVER_MAX_CONNECTIONS_PER_ADDRESS not negative"
	case c.PerAgency < 0 || c.AgencyRate < 0 || c.AgencyBytes < 0:
		wrong = "SERVER_MAX_CONNECTIONS_PER_AGENCY, SERVER_AGENCY_REQUESTS and SERVER_AGENCY_BYTES must not be negative"
	case c.Read <= 0 || c.Idle <= 0 || c.Settle < 0 || c.Drain < 0:
		wrong = "the times must be positive, such as 10s"
	case c.QueueBytes < leastQueue || c.BodyMemory < leastQueue:
		wrong = "SERVER_QUEUE_BYTES and SERVER_BODY_MEMORY must be at least 1048576"
	}
	if wrong != "" {
		return usageError{errors.New(wrong)}
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if _, err := prefixes(c.Proxies); err != nil {
		return err
	}
	if _, err := c.witnesses(); err != nil {
		return err
	}
	if (c.HTTPCert == "") != (c.HTTPKey == "") {
		return usageError{errors.New("SERVER_HTTP_TLS_CERT and SERVER_HTTP_TLS_KEY go together")}
	}
	if c.LogOrigin != "" {
		if err := publish.CheckOrigin(c.LogOrigin); err != nil {
			return usageError{fmt.Errorf("SERVER_LOG_ORIGIN: %w", err)}
		}
	}
	if err := c.journalFlags.check(); err != nil {
		return err
	}
	if _, err := c.backups(); err != nil {
		return err
	}
	return c.checkProduction()
}

// backups reads the settings of the backups that are made by themselves. nil: none are.
func (c *serverCommand) backups() (*central.Backups, error) {
	at, err := time.Parse("15:04", c.BackupAt)
	switch {
	case err != nil:
		return nil, usageError{fmt.Errorf("SERVER_BACKUP_AT: %q: want a time of the day, such as 04:00", c.BackupAt)}
	case c.BackupKeep < 1 || c.BackupKeep > mostBackups:
		return nil, usageError{errors.New("SERVER_BACKUP_KEEP must be 1 to 10000")}
	case c.BackupDir == "":
		return nil, nil
	case c.shared():
		return nil, usageError{errors.New("SERVER_BACKUP_DIR is for a journal in the data folder, and JOURNAL is a database: leave it empty, and back up the database with its own tools (docs/CLUSTER.md)")}
	}
	return &central.Backups{Dir: c.BackupDir, At: time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, Keep: c.BackupKeep}, nil
}

// checkTLS returns what is wrong with the settings of TLS, which go together.
func (c *serverCommand) checkTLS() error {
	wrong := ""
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		wrong = "SERVER_TLS_CERT and SERVER_TLS_KEY go together; `quiniela certs` makes a pair for trials"
	case c.TLSCert == "" && c.TLSCA != "":
		wrong = "SERVER_TLS_CLIENT_CA needs SERVER_TLS_CERT and SERVER_TLS_KEY"
	case c.TLSCert == "" && c.Plain != 0:
		wrong = "SERVER_PLAIN_PORT needs SERVER_TLS_CERT: without TLS, SERVER_PORT is the plain one"
	case c.Plain < 0 || c.Plain > maxPort || c.Plain != 0 && c.Plain == c.Port:
		wrong = "SERVER_PLAIN_PORT must be 0 to 65535, and not SERVER_PORT, which speaks TLS"
	case c.TLSCert != "" && c.Mode == "echo":
		wrong = "the echo server has no TLS"
	}
	if wrong != "" {
		return usageError{errors.New(wrong)}
	}
	return nil
}

func (c *serverCommand) Run(e env) error {
	level, err := logline.ParseLevel(c.Level)
	if err != nil {
		return usageError{err}
	}
	if err := c.check(); err != nil {
		return err
	}
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

// Where the page and the metrics are when nobody has chosen.
const (
	defaultHTTP  = "127.0.0.1:8080"
	defaultAdmin = "127.0.0.1:8081"
)

// serverOptions are those of the agencies' listeners.
func (c *serverCommand) serverOptions() server.Options {
	s := server.DefaultOptions()
	s.Address = net.JoinHostPort(c.IP, strconv.Itoa(c.Port))
	s.Backlog, s.Connections = c.Backlog, c.Connections
	s.Limits = quiniela.Limits{BareBody: c.BareBody, FramedBody: c.FramedBody, BatchBets: c.BatchBets}
	s.PerAgency, s.AgencyRequests, s.AgencyBytes = c.PerAgency, c.AgencyRate, c.AgencyBytes
	s.PerAddress, s.BodyMemory, s.MaskDNI = c.PerAddress, c.BodyMemory, c.MaskDNI
	s.Read, s.Idle, s.Settle, s.Drain = c.Read, c.Idle, c.Settle, c.Drain
	if c.Plain != 0 {
		s.PlainAddress = net.JoinHostPort(c.IP, strconv.Itoa(c.Plain))
	}
	return s
}

// site are the settings of the page and the metrics, which check has seen.
func (c *serverCommand) site() *central.Site {
	s := &central.Site{
		Address: c.HTTP, Optional: c.HTTP == defaultHTTP, TLS: central.TLS{Cert: c.HTTPCert, Key: c.HTTPKey}, Hosts: c.HTTPHosts, Version: console.ShortVersion(release),
		Admin: c.Admin, AdminOptional: c.Admin == defaultAdmin, Pprof: c.Pprof,
	}
	s.Proxies.From, _ = prefixes(c.Proxies)
	s.Proxies.Header = c.ProxyHead
	if c.HTTP == "off" {
		s.Address = ""
	}
	if c.Admin == "off" {
		s.Admin = ""
	}
	return s
}

// prefixes reads addresses, such as 10.0.0.7, and networks, such as 10.0.0.0/8.
func prefixes(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if a, bad := netip.ParseAddr(text); bad == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("SERVER_HTTP_PROXIES: %q: want an address, such as 10.0.0.7, or a network, such as 10.0.0.0/8", text)}
		}
		all = append(all, p)
	}
	return all, nil
}

// witnesses reads the witnesses with their keys.
func (c *serverCommand) witnesses() (all []central.Witness, err error) {
	for _, text := range c.Witnesses {
		w, err := central.ParseWitness(text)
		if err != nil {
			return nil, usageError{fmt.Errorf("SERVER_WITNESSES: %w", err)}
		}
		all = append(all, w)
	}
	if len(all) > 0 && (c.Quorum < 1 || c.Quorum > len(all)) {
		return nil, usageError{fmt.Errorf("SERVER_WITNESS_QUORUM: %d of %d witnesses: want 1 to %d", c.Quorum, len(all), len(all))}
	}
	return all, nil
}

func (c *serverCommand) options(log *slog.Logger) central.Options {
	o := central.DefaultOptions(c.Data)
	o.Log, o.QueueBytes, o.Relays, o.Schedule = log, c.QueueBytes, c.Beacon, c.Schedule
	o.Journal = c.journalOptions()
	o.Journal.Reserve = c.DiskReserve
	o.Server = c.serverOptions()
	o.TLS = central.TLS{Cert: c.TLSCert, Key: c.TLSKey, ClientCA: c.TLSCA}
	o.Site = c.site()
	o.Backups, _ = c.backups()
	if c.PublicLog {
		o.PublicLog = &central.PublicLog{Key: c.LogKey, Origin: c.LogOrigin}
		o.PublicLog.Witnesses, _ = c.witnesses()
		o.PublicLog.Quorum = c.Quorum
	}
	if c.AutoDraw {
		o.Seed = &ledger.Seed{ID: "1", Agencies: uint32(c.Agencies), Rule: draw.FixedNumber(quiniela.Number(c.Number))}
	}
	return o
}

func (c *serverCommand) echo(ctx context.Context, log *slog.Logger) error {
	s, err := server.ListenEcho(c.serverOptions(), log)
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}

func (c *serverCommand) lottery(ctx context.Context, log *slog.Logger) error {
	l, err := central.Open(ctx, c.options(log))
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		log.Info("serve", "result", "success", "stopped", "while it was starting")
		return nil
	}
	if err != nil {
		return err
	}
	err = l.Serve(ctx)
	if closing := l.Close(); err == nil {
		err = closing // after a failure it would only repeat it
	}
	return err
}
