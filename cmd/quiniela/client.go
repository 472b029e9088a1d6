package main

import (
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
)

type clientCommand struct {
	Send     sendCommand     `cmd:"" default:"withargs" help:"Send an agency's bets and wait for its winners; the default."`
	Receipts receiptsCommand `cmd:"" help:"Fetch the receipts of an agency's stored bets, one file a bet."`
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
	agencyFlags
	Batch uint64 `help:"Number of the batch; 0: all." default:"0" placeholder:"N"`
	Out   string `help:"Folder for the files, <batch>-<line>.json." default:"receipts" placeholder:"DIR"`
}

func (c *receiptsCommand) Run(e env) error {
	level, err := logline.ParseLevel(c.Level)
	if err != nil {
		return usageError{err}
	}
	if err := c.check(); err != nil {
		return err
	}
	config := client.Options{Agency: quiniela.Agency(c.ID), Draw: c.Draw, Address: c.Server, Timeout: c.Timeout}
	if err := c.secure(&config); err != nil {
		return err
	}
	if err := durable.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("make a folder for the receipts: %w", err)
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: max(level, slog.LevelWarn)}))
	shown := newProgress(e.stderr)
	if c.Batch == 0 { // how many bets one batch has is not known before
		config.Progress = c.bets(shown)
	}
	n, err := client.Receipts(e.ctx, config, c.Batch, log, func(batch uint64, line uint32, receipt []byte) error {
		name := filepath.Join(c.Out, fmt.Sprintf("%d-%d.json", batch, line))
		return durable.WriteFile(name, append(receipt, '\n'), 0o600)
	})
	shown.end()
	if n > 0 || err == nil {
		_, _ = printf(e.stdout, "%s receipts of agency %d in %s.\n", humanize.Comma(int64(n)), c.ID, c.Out)
	}
	if err != nil {
		return err
	}
	_, err = printf(e.stdout, "Each shows who made its bet: give it to nobody else. To check one: quiniela verify %s --key KEY\n",
		filepath.Join(c.Out, "1-1.json"))
	return err
}
