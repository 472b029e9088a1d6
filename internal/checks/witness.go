package checks

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"quiniela/internal/console"
	"quiniela/internal/logline"
	"quiniela/witness"
)

// Witness are the commands of a witness.
type Witness struct {
	Serve WitnessServe `cmd:"" default:"withargs" help:"Run a witness that cosigns a log's checkpoints as long as the log only grows."`
	Key   WitnessKey   `cmd:"" help:"Print the witness's verifier key, for policies. A new folder gets a new key."`
}

// WitnessFlags are of both commands.
type WitnessFlags struct {
	Dir  string `help:"Folder of the witness's key and of what it has cosigned. Never restore an older state of it." default:"./witness" placeholder:"DIR"`
	Name string `help:"Name of a new key, such as witness.example/quiniela; needed once." placeholder:"NAME"`
}

// WitnessServe is the command that runs a witness.
type WitnessServe struct {
	WitnessFlags
	Addr string   `help:"Address to listen on; put a web server with TLS in front of it." default:"127.0.0.1:8090" placeholder:"ADDRESS"`
	Log  []string `help:"Verifier key of a log to witness, from its log.vkey; repeat it for each log." required:"" sep:"none" placeholder:"VKEY"`
}

// Run serves until the context ends.
func (c *WitnessServe) Run(e Env) (err error) {
	handler := logline.New(e.Out, slog.LevelInfo)
	defer func() { err = errors.Join(err, handler.Close()) }()
	log := slog.New(handler)
	w, err := witness.Open(witness.Options{Dir: c.Dir, Name: c.Name, Logs: c.Log, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; take another with --addr", c.Addr, err)
	}
	for _, origin := range w.Origins() {
		log.Info("witness", "result", "success", "origin", origin)
	}
	log.Info("serve", "result", "success", "address", l.Addr().String(), "key", w.Key())
	return w.Serve(e.Ctx, l)
}

// WitnessKey is the command that prints a witness's key.
type WitnessKey struct{ WitnessFlags }

// Run makes the key where there is none.
func (c *WitnessKey) Run(e Env) error {
	key, err := witness.Key(c.Dir, c.Name)
	if err != nil {
		return err
	}
	_, err = console.Printf(e.Out, "%s\n", key)
	return err
}
