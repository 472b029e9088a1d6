package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quiniela/internal/operators"
)

type operatorCommand struct {
	Add    operatorAddCommand    `cmd:"" help:"Register a person and show their key, once."`
	List   operatorListCommand   `cmd:"" help:"Show who is registered."`
	Rotate operatorRotateCommand `cmd:"" help:"End a person's key and logins and give a new key; brings back a revoked one."`
	Revoke operatorRevokeCommand `cmd:"" help:"Shut a person out."`
}

// operatorsFlags say where the registry of operators is. A running server sees a change within a second.
type operatorsFlags struct {
	Data string `help:"The server's data folder." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
}

func (f operatorsFlags) path() string { return filepath.Join(f.Data, operators.FileName) }

// mustExist returns an error where there is no registry, which a change would begin.
func (f operatorsFlags) mustExist() error {
	if _, err := os.Stat(f.path()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nobody is registered in %s; `quiniela operator add NAME` registers the first, or name the server's data folder with --data", f.Data)
	}
	return nil
}

type operatorAddCommand struct {
	operatorsFlags
	Name string `arg:"" help:"The person's name, of letters, digits, '.', '_' and '-'. It stands in the trail for ever."`
	Role string `help:"What the person may do: viewer sees what is sold and the trail; notary also enters numbers and sees who won; operator may do everything." default:"operator" enum:"operator,notary,viewer"`
}

func (c *operatorAddCommand) Run(e env) error {
	var key string
	err := operators.Change(c.path(), func(r *operators.Registry) (err error) {
		key, err = r.Add(c.Name, operators.Role(c.Role), time.Now())
		return err
	})
	if err != nil {
		return err
	}
	return showKey(e, c.Name, key)
}

// showKey prints the key alone on standard output, so that it can go into a file.
func showKey(e env, name, key string) error {
	if _, err := printf(e.stdout, "%s\n", key); err != nil {
		return fmt.Errorf("show the key: %w; give %s another with `quiniela operator rotate %s`", err, name, name)
	}
	_, err := printf(e.stderr, "The key of %s is shown this once and kept nowhere. It opens the page with that name, and commands with --key-file or QUINIELA_KEY.\n", name)
	return err
}

type operatorListCommand struct{ operatorsFlags }

func (c *operatorListCommand) Run(e env) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	r, err := operators.Read(c.path())
	if err != nil {
		return err
	}
	t := &listing{columns: []column{{head: e.say("NAME")}, {head: e.say("ROLE")}, {head: e.say("ADDED")}, {head: e.say("KEY")}}}
	for _, p := range r.Operators {
		added := p.Added.Local().Format(time.DateOnly)
		key := fmt.Sprintf(e.say("since %s"), added)
		switch {
		case p.Revoked != nil:
			key = fmt.Sprintf(e.say("revoked %s"), p.Revoked.Local().Format(time.DateOnly))
		case p.Rotated != nil:
			key = fmt.Sprintf(e.say("since %s"), p.Rotated.Local().Format(time.DateOnly))
		}
		t.add(p.Name, string(p.Role), added, key)
	}
	return t.write(e.stdout, widthOf(e.stdout))
}

type operatorRotateCommand struct {
	operatorsFlags
	Name string `arg:"" help:"The person's name."`
}

func (c *operatorRotateCommand) Run(e env) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	var key string
	err := operators.Change(c.path(), func(r *operators.Registry) (err error) {
		key, err = r.Rotate(c.Name, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	_, _ = printf(e.stderr, "The old key of %s and every login with it are worth nothing within a second.\n", c.Name)
	return showKey(e, c.Name, key)
}

type operatorRevokeCommand struct {
	operatorsFlags
	Name string `arg:"" help:"The person's name."`
}

func (c *operatorRevokeCommand) Run(e env) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	err := operators.Change(c.path(), func(r *operators.Registry) error { return r.Revoke(c.Name, time.Now()) })
	if err != nil {
		return err
	}
	_, err = printf(e.stdout, "%s is shut out within a second, also where they are logged in. What they did stays in the trail.\n", c.Name)
	return err
}
