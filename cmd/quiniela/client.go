package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"

	"quiniela"
	"quiniela/internal/certs"
	"quiniela/internal/client"
	"quiniela/internal/durable"
	"quiniela/internal/logline"
	"quiniela/internal/sample"
	"quiniela/receipt"
)

type clientCommand struct {
	Send     sendCommand     `cmd:"" default:"withargs" help:"Send an agency's bets and wait for its winners; the default."`
	Receipts receiptsCommand `cmd:"" help:"Make receipts of an agency's bets, from its file and the operator's proofs that the client has kept. It asks nobody."`
}

// agencyFlags say which agency this is, where the central is, and how each of them shows who it is.
type agencyFlags struct {
	Config  string        `help:"File of settings." default:"config.yaml" placeholder:"FILE"`
	ID      uint32        `help:"Number of the agency." name:"id" env:"CLI_ID" key:"id"`
	Server  string        `help:"Address of the central, host:port; several servers of one central are separated by commas." default:"localhost:12345" env:"CLI_SERVER_ADDRESS" key:"server.address" placeholder:"ADDRESS"`
	TLS     bool          `help:"Speak TLS; the server's certificate is always verified." name:"tls" env:"CLI_TLS" key:"server.tls"`
	TLSCA   string        `help:"Authority of the server's certificate, PEM; empty: those of the system." name:"tls-ca" env:"CLI_TLS_CA" key:"server.ca" placeholder:"FILE"`
	TLSCert string        `help:"The agency's own certificate, PEM, in place of a token." name:"tls-cert" env:"CLI_TLS_CERT" key:"tls.cert" placeholder:"FILE"`
	TLSKey  string        `help:"Its key, PEM." name:"tls-key" env:"CLI_TLS_KEY" key:"tls.key" placeholder:"FILE"`
	Token   string        `help:"The agency's token. Other users of this machine can see a flag: prefer CLI_TOKEN or --token-file." env:"CLI_TOKEN" key:"token" placeholder:"TOKEN"`
	TokenIn string        `help:"File with the token." name:"token-file" env:"CLI_TOKEN_FILE" key:"token.file" placeholder:"FILE"`
	InClear bool          `help:"Send the token without TLS, over a network that you trust. To a server on this machine it goes so anyway." name:"token-in-clear" env:"CLI_TOKEN_IN_CLEAR" key:"token.inClear"`
	Timeout time.Duration `help:"How long the server may stay unreachable; 0: no limit." default:"1m" env:"CLI_SERVER_TIMEOUT" key:"server.timeout"`
	Draw    string        `help:"Name of the draw; empty: the current draw." env:"CLI_DRAW" key:"draw" placeholder:"ID"`
	Level   string        `help:"DEBUG, INFO, WARNING or ERROR." name:"log-level" default:"INFO" env:"CLI_LOG_LEVEL" key:"log.level"`
}

func (c *agencyFlags) check() error {
	switch {
	case c.ID == 0:
		return usageError{errors.New("which agency? Give its number: --id 1, CLI_ID=1, or `id: 1` in the file")}
	case c.Draw != "" && quiniela.CheckDrawID(c.Draw) != nil:
		return usageError{errors.New("the draw's name is 1 to 64 letters, digits, '.', '_' or '-'")}
	case c.Timeout < 0:
		return usageError{errors.New("times cannot be negative")}
	}
	return nil
}

type sendCommand struct {
	agencyFlags
	MaskDNI bool   `help:"Hide all but the last three digits of documents in the log." name:"mask-dni" env:"CLI_MASK_DNI" key:"log.maskDni"`
	Mode    string `help:"batch, bet or echo." default:"batch" enum:"batch,bet,echo" env:"CLI_MODE" key:"mode"`

	Data      string        `help:"batch: folder of the agency's file, agency-<id>.csv." default:".data" env:"CLI_DATA_DIR" key:"data.dir" placeholder:"DIR"`
	File      string        `help:"batch: the agency's file itself." env:"CLI_FILE" key:"data.file" placeholder:"FILE"`
	LogFormat string        `help:"text, as specified, or json." name:"log-format" default:"text" enum:"text,json" env:"LOG_FORMAT" key:"log.format"`
	Batch     int           `help:"batch: the most bets in a batch." name:"batch-max-amount" default:"150" env:"CLI_BATCH_MAXAMOUNT" key:"batch.maxAmount"`
	Window    int           `help:"batch: the most batches that are unanswered at once." default:"16" env:"CLI_WINDOW" key:"window"`
	Tries     int           `help:"batch: how often to ask for the winners, a second apart; 0: wait without limit." default:"0" env:"CLI_WINNERS_TRIES" key:"winners.tries"`
	Plain     plainForm     `help:"batch, bet: use the specification's own form: a connection per request, and no way to resume. --plain=lines is the form of its exercise 6: bet lines alone, and no winners." env:"CLI_PLAIN" key:"plain"`
	SkipBad   bool          `help:"batch: send the good lines of a file that has bad ones." name:"skip-bad-lines" env:"CLI_SKIP_BAD_LINES" key:"skip-bad-lines"`
	Proofs    string        `help:"batch: keep the operator's signed proof of every batch in this file, and check that it is of the agency's own file; receipts are made from it." env:"CLI_PROOFS" key:"proofs.file" placeholder:"FILE"`
	LogKey    string        `help:"batch: the log's verifier key, which must have signed the proofs." name:"log-key" env:"CLI_LOG_KEY" key:"proofs.key" placeholder:"VKEY"`
	Empty     bool          `help:"batch: accept a file without a bet." name:"allow-empty" env:"CLI_ALLOW_EMPTY" key:"allow-empty"`
	Amount    int           `help:"echo: how many messages." name:"loop-amount" default:"5" env:"CLI_LOOP_AMOUNT" key:"loop.amount"`
	Period    time.Duration `help:"echo: pause between them." name:"loop-period" default:"5s" env:"CLI_LOOP_PERIOD" key:"loop.period"`
}

// plainForm is which of the specification's forms a client speaks: none, plainFramed or plainLines. As a flag it needs no
// value, and is plainFramed then.
type plainForm string

const (
	plainFramed plainForm = "framed"
	plainLines  plainForm = "lines"
)

// IsBool implements kong.BoolMapperValue.
func (plainForm) IsBool() bool { return true }

// Decode implements kong.MapperValue.
func (p *plainForm) Decode(ctx *kong.DecodeContext) error {
	value := "true"
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		value = fmt.Sprint(ctx.Scan.Pop().Value)
	}
	switch strings.ToLower(value) {
	case "", "false", "0", "no":
		*p = ""
	case "true", "1", "yes":
		*p = plainFramed
	case "lines":
		*p = plainLines
	default:
		return fmt.Errorf("%q is not true, false or lines", value)
	}
	return nil
}

func (c *sendCommand) check() error {
	if err := c.agencyFlags.check(); err != nil {
		return err
	}
	switch {
	case c.Batch < 1 || c.Window < 1:
		return usageError{errors.New("the most bets in a batch and the window must be at least 1")}
	case c.Draw != "" && c.Mode != "batch", c.Draw != "" && c.Plain != "":
		return usageError{errors.New("a draw can be named in the mode `batch` only, and not with --plain: the specification's form has no place for it")}
	case c.Proofs != "" && (c.Plain != "" || c.Mode != "batch"):
		return usageError{errors.New("proofs can be kept in the mode `batch` only, and not with --plain: the specification's form has none")}
	case c.LogKey != "" && c.Proofs == "":
		return usageError{errors.New("the log's key is for the proofs: name their file with --proofs")}
	case c.Plain != "" && (c.Token != "" || c.TokenIn != ""):
		return usageError{errors.New("a token cannot be shown with --plain: the specification's form has no place for it; use a certificate (--tls-cert), or leave --plain out")}
	case c.Tries < 0 || c.Amount < 0 || c.Period < 0:
		return usageError{errors.New("tries, amounts and times cannot be negative")}
	}
	return nil
}

func (c *sendCommand) Run(e env) error {
	level, err := logline.ParseLevel(c.Level)
	if err != nil {
		return usageError{err}
	}
	if err := c.check(); err != nil {
		return err
	}
	handler, err := logline.Open(e.stdout, level, c.LogFormat)
	if err != nil {
		return usageError{err}
	}
	log := slog.New(handler)
	log.Info("config", "result", "success", "client_id", c.ID, "server_address", c.Server, "loop_amount", c.Amount,
		"loop_period", c.Period, "log_level", c.Level, "mode", c.Mode, "batch_max_amount", c.Batch)
	err = c.run(e, log)
	if err != nil {
		log.Error(c.Mode, "result", "fail", "client_id", c.ID, "error", err)
	}
	return ended(err, handler)
}

// secure sets how the agency shows who it is, and how it checks the server.
func (c *agencyFlags) secure(config *client.Options) (err error) {
	config.Token, config.TokenInClear = c.Token, c.InClear
	if c.TokenIn != "" {
		if c.Token != "" {
			return usageError{errors.New("give the token or its file, not both")}
		}
		text, err := os.ReadFile(c.TokenIn)
		if err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		config.Token = strings.TrimSpace(string(text))
	}
	if strings.ContainsAny(config.Token, "|\n") {
		return usageError{errors.New("the token has a `|` or a line end in it, which no token has")}
	}
	if c.TLS || c.TLSCA != "" || c.TLSCert != "" {
		config.TLS, err = certs.Client(c.TLSCA, c.TLSCert, c.TLSKey)
	}
	return err
}

func (c *sendCommand) run(e env, log *slog.Logger) error {
	config := client.Options{
		Agency: quiniela.Agency(c.ID), Draw: c.Draw, Address: c.Server, File: c.File, BatchBets: c.Batch, Plain: c.Plain != "", Lines: c.Plain == plainLines,
		SkipBadLines: c.SkipBad, AllowEmpty: c.Empty, Window: c.Window, Timeout: c.Timeout, Tries: c.Tries, MaskDNI: c.MaskDNI,
		Proofs: c.Proofs, LogKey: c.LogKey,
	}
	if err := c.secure(&config); err != nil {
		return err
	}
	switch c.Mode {
	case "echo":
		return client.Echo(e.ctx, config, c.Amount, c.Period, log)
	case "bet":
		return client.Bet(e.ctx, config, client.BetFields{
			FirstName: os.Getenv("NOMBRE"), LastName: os.Getenv("APELLIDO"), Document: os.Getenv("DOCUMENTO"),
			Birthdate: os.Getenv("NACIMIENTO"), Number: os.Getenv("NUMERO"),
		}, log)
	}
	if config.File == "" {
		config.File = filepath.Join(c.Data, sample.Name(int(c.ID)))
	}
	shown := new(progress)
	if !terminal(e.stdout) { // on a terminal the lines of the log are what is seen
		shown = newProgress(e.stderr)
	}
	config.Progress = c.bets(shown)
	report, err := client.Run(e.ctx, config, log)
	shown.end()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w; %s", err, c.whereFilesBelong())
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; let the user that runs the client read the file and enter its folder; in the client's image that is user 65532", err)
	}
	for _, bad := range report.Skipped {
		_, _ = printf(e.stderr, "quiniela: skipped %s:%s\n", config.File, bad.String())
	}
	return err
}

// bets returns what shows on p how many of an agency's bets are done.
func (c *agencyFlags) bets(p *progress) func(client.Progress) {
	b := p.add(fmt.Sprintf("agency %d", c.ID), "bets", 0)
	return func(done client.Progress) {
		b.of(int64(done.Total))
		if done.Stage != "check" {
			b.set(int64(done.Bets))
		}
	}
}

// whereFilesBelong says where to put the agency's file when there is none.
func (c *sendCommand) whereFilesBelong() string {
	if c.File != "" {
		return "give the agency's file with --file, CLI_FILE or data.file, or its folder with --data"
	}
	name := sample.Name(int(c.ID))
	return fmt.Sprintf("put the agency's file at %s; in a container that is %s beside the compose file. To make files up: quiniela generate --agencies %d --out %s",
		filepath.Join(c.Data, name), filepath.Join(".data", name), c.ID, c.Data)
}

type receiptsCommand struct {
	Config   string `help:"File of settings." default:"config.yaml" placeholder:"FILE"`
	File     string `help:"The agency's file of bets, as it was sent." required:"" env:"CLI_FILE" key:"data.file" placeholder:"FILE"`
	Proofs   string `help:"The operator's proofs, as the client has kept them." required:"" env:"CLI_PROOFS" key:"proofs.file" placeholder:"FILE"`
	LogKey   string `help:"The log's verifier key: the proofs must have its signature." name:"log-key" env:"CLI_LOG_KEY" key:"proofs.key" placeholder:"VKEY"`
	SkipBad  bool   `help:"The good lines of the file were sent, and the bad ones left out." name:"skip-bad-lines" env:"CLI_SKIP_BAD_LINES" key:"skip-bad-lines"`
	Line     int    `help:"The receipt of the bet in this line of the file, from 1." xor:"which" placeholder:"N"`
	Document string `help:"The receipts of the bets of this document." xor:"which" placeholder:"N"`
	All      bool   `help:"The receipts of all bets, as one file: receipts.jsonl, one receipt a line." xor:"which"`
	Out      string `help:"Folder for the files, receipt-<line>.json." default:"receipts" placeholder:"DIR"`
}

func (c *receiptsCommand) Run(e env) (err error) {
	if c.Line < 0 || c.Line == 0 && c.Document == "" && !c.All {
		return usageError{errors.New("which bets? Give --line N, --document N or --all")}
	}
	proofs, err := os.Open(c.Proofs)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; the client keeps them while it sends, with --proofs FILE: run it again with that, and the same file of bets", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proofs.Close()) }()
	out, err := c.writer()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o := client.Options{File: c.File, Proofs: c.Proofs, LogKey: c.LogKey, SkipBadLines: c.SkipBad}
	made, err := client.Receipts(e.ctx, o, proofs, log, client.Wanted{Line: c.Line, Document: c.Document}, out.save)
	if err = errors.Join(err, out.end(err)); err != nil {
		return err
	}
	if made == 0 {
		return fmt.Errorf("no bet of %s is what you asked for", c.File)
	}
	noun := "receipts"
	if made == 1 {
		noun = "receipt"
	}
	_, _ = printf(e.stdout, "%s %s, the last in %s.\n", humanize.Comma(int64(made)), noun, out.last)
	_, err = printf(e.stdout, "Each shows who made its bet: give it to nobody else. To check one: quiniela verify RECEIPT --log LOG --policy FILE\n")
	return err
}

// receiptWriter writes receipts, each to a file of its own or all to one.
type receiptWriter struct {
	dir  string
	all  *durable.File // or nil
	last string        // the file that was written last
}

func (c *receiptsCommand) writer() (*receiptWriter, error) {
	w := &receiptWriter{dir: c.Out}
	if err := durable.MkdirAll(c.Out, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for the receipts: %w", err)
	}
	if !c.All {
		return w, nil
	}
	var err error
	w.last = filepath.Join(c.Out, "receipts.jsonl")
	w.all, err = durable.Create(w.last, 0o600)
	return w, err
}

func (w *receiptWriter) save(line int, r *receipt.Receipt) error {
	text, err := r.Encode()
	if err != nil {
		return err
	}
	if w.all == nil {
		w.last = filepath.Join(w.dir, fmt.Sprintf("receipt-%d.json", line))
		return durable.WriteFile(w.last, text, 0o600)
	}
	var one bytes.Buffer
	if err := json.Compact(&one, text); err != nil {
		return err
	}
	one.WriteByte('\n')
	_, err = w.all.Write(one.Bytes())
	return err
}

// end puts the one file in its place, where nothing failed.
func (w *receiptWriter) end(failed error) error {
	switch {
	case w.all == nil:
		return nil
	case failed != nil:
		return w.all.Discard()
	}
	return w.all.Commit()
}
