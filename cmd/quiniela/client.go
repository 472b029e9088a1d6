package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"quiniela"
	"quiniela/internal/certs"
	"quiniela/internal/client"
	"quiniela/internal/logline"
	"quiniela/internal/sample"
)

type clientCommand struct {
	Send     sendCommand         `cmd:"" default:"withargs" help:"Send an agency's bets and wait for its winners; the default."`
	Status   clientStatusCommand `cmd:"" help:"Ask the central where an agency stands: what is stored, what is missing, and whether the draw is open. It changes nothing."`
	Find     clientFindCommand   `cmd:"" help:"Find the bets of a document in an agency's file and, with the operator's proofs, where they are stored. It asks nobody."`
	Receipts receiptsCommand     `cmd:"" help:"Make receipts of an agency's bets, from its file and the operator's proofs that the client has kept. It asks nobody."`
}

// agencyFlags say which agency this is, where the central is, and how each of them shows who it is.
type agencyFlags struct {
	Config  string  `help:"File of settings." default:"config.yaml" placeholder:"FILE"`
	ID      *uint32 `help:"Number of the agency." name:"id" env:"CLI_ID" key:"id"`
	Base    uint32  `help:"Number of the first agency: 0 where agencies are counted from 0. The central counts from 1: its agency 1 is then --id 0." name:"agency-base" default:"1" env:"CLI_AGENCY_BASE" key:"agencyBase"`
	Server  string  `help:"Address of the central, host:port; several servers of one central are separated by commas." default:"localhost:12345" env:"CLI_SERVER_ADDRESS" key:"server.address" placeholder:"ADDRESS"`
	TLS     bool    `help:"Speak TLS; the server's certificate is always verified." name:"tls" env:"CLI_TLS" key:"server.tls"`
	TLSCA   string  `help:"Authority of the server's certificate, PEM; empty: those of the system." name:"tls-ca" env:"CLI_TLS_CA" key:"server.ca" placeholder:"FILE"`
	TLSCert string  `help:"The agency's own certificate, PEM, in place of a token." name:"tls-cert" env:"CLI_TLS_CERT" key:"tls.cert" placeholder:"FILE"`
	TLSKey  string  `help:"Its key, PEM." name:"tls-key" env:"CLI_TLS_KEY" key:"tls.key" placeholder:"FILE"`
	Token   string  `help:"The agency's token. Other users of this machine can see a flag: prefer CLI_TOKEN or --token-file." env:"CLI_TOKEN" key:"token" placeholder:"TOKEN"`
	TokenIn string  `help:"File with the token." name:"token-file" env:"CLI_TOKEN_FILE" key:"token.file" placeholder:"FILE"`
	InClear bool    `help:"Send the token without TLS, over a network that you trust. To a server on this machine it goes so anyway." name:"token-in-clear" env:"CLI_TOKEN_IN_CLEAR" key:"token.inClear"`
	Draw    string  `help:"Name of the draw; empty: the current draw." env:"CLI_DRAW" key:"draw" placeholder:"ID"`
}

func (c *agencyFlags) check() error {
	switch {
	case c.Base > 1:
		return usageError{errors.New("agencies are counted from 1, or with --agency-base 0 from 0")}
	case c.ID == nil || *c.ID < c.Base:
		return usageError{fmt.Errorf("which agency? Give its number: --id %d, CLI_ID=%[1]d, or `id: %[1]d` in the file", c.Base)}
	case c.Draw != "" && quiniela.CheckDrawID(c.Draw) != nil:
		return usageError{errors.New("the draw's name is 1 to 64 letters, digits, '.', '_' or '-'")}
	}
	return nil
}

// agency returns the agency's number at the central.
func (c *agencyFlags) agency() quiniela.Agency { return quiniela.Agency(*c.ID - c.Base + 1) }

// fileFlags say where the agency's file of bets is.
type fileFlags struct {
	Data    string `help:"Folder of the agency's file, agency-<id>.csv." default:".data" env:"CLI_DATA_DIR" key:"data.dir" placeholder:"DIR"`
	File    string `help:"The agency's file itself." env:"CLI_FILE" key:"data.file" placeholder:"FILE"`
	SkipBad bool   `help:"Leave out the bad lines of a file that has some; otherwise they are an error." name:"skip-bad-lines" env:"CLI_SKIP_BAD_LINES" key:"skip-bad-lines"`
}

// path returns the path of an agency's file.
func (c *fileFlags) path(id uint32) string {
	if c.File != "" {
		return c.File
	}
	return filepath.Join(c.Data, sample.Name(int(id)))
}

// explain adds to an error about the file at a path what to do.
func (c *fileFlags) explain(err error, path string, id uint32) error {
	var about *fs.PathError
	if !errors.As(err, &about) || about.Path != path {
		return err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.File != "":
		return fmt.Errorf("%w; give the agency's file with --file, CLI_FILE or data.file, or its folder with --data", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; put the agency's file at %s; in a container that is %s beside the compose file. To make files up: quiniela generate --agencies %d --out %s",
			err, path, filepath.Join(".data", filepath.Base(path)), max(id, 1), c.Data)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; let the user that runs the client read the file and enter its folder; in the client's image that is user 65532", err)
	}
	return err
}

type sendCommand struct {
	agencyFlags
	Timeout time.Duration `help:"How long the server may stay unreachable; 0: no limit." default:"1m" env:"CLI_SERVER_TIMEOUT" key:"server.timeout"`
	Level   string        `help:"DEBUG, INFO, WARNING or ERROR." name:"log-level" default:"INFO" env:"CLI_LOG_LEVEL" key:"log.level"`
	MaskDNI bool          `help:"Hide all but the last three digits of documents in the log." name:"mask-dni" env:"CLI_MASK_DNI" key:"log.maskDni"`
	Mode    string        `help:"batch, bet or echo." default:"batch" enum:"batch,bet,echo" env:"CLI_MODE" key:"mode"`

	fileFlags
	Check     bool          `help:"batch: check the file, send nothing, and ask no server."`
	LogFormat string        `help:"text, as specified, or json." name:"log-format" default:"text" enum:"text,json" env:"LOG_FORMAT" key:"log.format"`
	Batch     int           `help:"batch: the most bets in a batch." name:"batch-max-amount" default:"150" env:"CLI_BATCH_MAXAMOUNT" key:"batch.maxAmount"`
	Window    int           `help:"batch: the most batches that are unanswered at once." default:"16" env:"CLI_WINDOW" key:"window"`
	Tries     int           `help:"batch: how often to ask for the winners, a second apart; 0: wait without limit." default:"0" env:"CLI_WINNERS_TRIES" key:"winners.tries"`
	Plain     plainForm     `help:"batch, bet: use the specification's own form: a connection per request, and no way to resume. --plain=lines is the form of its exercise 6: bet lines alone, and no winners." env:"CLI_PLAIN" key:"plain"`
	Winners   string        `help:"batch: write the agency's winning bets to this file, whole rows of its own file." env:"CLI_WINNERS_FILE" key:"winners.file" placeholder:"FILE"`
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
	case c.Timeout < 0:
		return usageError{errors.New("times cannot be negative")}
	case c.Winners != "" && (c.Plain != "" || c.Mode != "batch"):
		return usageError{errors.New("winning bets can be written in the mode `batch` only, and not with --plain: the specification's form does not tell the winning number")}
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
	if c.Check {
		return c.checkFile(e)
	}
	level, err := logline.ParseLevel(c.Level)
	if err != nil {
		return usageError{err}
	}
	if err := c.check(); err != nil {
		return err
	}
	shown := c.progress(e)
	handler, err := logline.Open(shown.lines(e.stdout), level, c.LogFormat)
	if err != nil {
		return usageError{err}
	}
	log := slog.New(handler)
	log.Info("config", "result", "success", "client_id", *c.ID, "server_address", c.Server, "loop_amount", c.Amount,
		"loop_period", c.Period, "log_level", c.Level, "mode", c.Mode, "batch_max_amount", c.Batch)
	err = c.run(e, log, shown)
	if err != nil {
		log.Error(c.Mode, "result", "fail", "client_id", *c.ID, "error", err)
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

func (c *sendCommand) run(e env, log *slog.Logger, shown *progress) error {
	config := client.Options{
		Agency: c.agency(), Draw: c.Draw, Address: c.Server, File: c.path(*c.ID), BatchBets: c.Batch, Plain: c.Plain != "", Lines: c.Plain == plainLines,
		SkipBadLines: c.SkipBad, AllowEmpty: c.Empty, Window: c.Window, Timeout: c.Timeout, Tries: c.Tries, MaskDNI: c.MaskDNI,
		Proofs: c.Proofs, Winners: c.Winners, LogKey: c.LogKey,
	}
	if err := c.secure(&config); err != nil {
		return err
	}
	w := newWatch(e, c.agencyFlags, shown, log)
	config.Progress = w.tell
	report, err := c.send(e.ctx, config, log)
	w.end()
	for _, bad := range report.Skipped {
		_, _ = printf(e.stderr, "quiniela: skipped %s:%s\n", config.File, bad.String())
	}
	return c.explain(err, config.File, *c.ID)
}

// send does what the mode says. The report is of the mode batch.
func (c *sendCommand) send(ctx context.Context, config client.Options, log *slog.Logger) (report client.Report, err error) {
	switch c.Mode {
	case "echo":
		err = client.Echo(ctx, config, c.Amount, c.Period, log)
	case "bet":
		err = client.Bet(ctx, config, client.BetFields{
			FirstName: os.Getenv("NOMBRE"), LastName: os.Getenv("APELLIDO"), Document: os.Getenv("DOCUMENTO"),
			Birthdate: os.Getenv("NACIMIENTO"), Number: os.Getenv("NUMERO"),
		}, log)
	default:
		report, err = client.Run(ctx, config, log)
	}
	return report, err
}

// checkFile checks the file as sending does, and sends nothing.
func (c *sendCommand) checkFile(e env) error {
	if c.Mode != "batch" {
		return usageError{errors.New("--check is for the file of the mode `batch`")}
	}
	if c.File == "" {
		if err := c.agencyFlags.check(); err != nil {
			return err
		}
	}
	var id uint32
	if c.ID != nil {
		id = *c.ID
	}
	path := c.path(id)
	shown := newProgress(e.stderr)
	b := shown.add("check", "bets", 0)
	bets, skipped, err := client.Check(e.ctx, client.Options{
		File: path, SkipBadLines: c.SkipBad, AllowEmpty: c.Empty, Progress: func(p client.Progress) { b.set(int64(p.Bets)) },
	})
	b.remove()
	shown.end()
	if err != nil {
		return c.explain(err, path, id)
	}
	for _, bad := range skipped {
		_, _ = printf(e.stderr, "quiniela: would skip %s:%s\n", path, bad.String())
	}
	_, err = printf(e.stdout, "%s\n", fmt.Sprintf(e.say("%s: %s bets can be sent. Nothing was sent."), path, e.count(uint64(bets))))
	return err
}
