package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quiniela/internal/agencies"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
	"quiniela/internal/publish"
	"quiniela/internal/web"
)

type agencyListCommand struct {
	registryFlags
	formatFlags
}

// listedAgency is a registered agency, for programs. It has no token, and no hash of one.
type listedAgency struct {
	Agency      uint32     `json:"agency"`
	Name        string     `json:"name,omitempty"`
	May         string     `json:"may"` // bet, or nothing: it was revoked
	Added       *time.Time `json:"added"`
	Rotated     *time.Time `json:"rotated,omitempty"`
	Revoked     *time.Time `json:"revoked,omitempty"`
	Certificate string     `json:"certificate_sha256,omitempty"` // the only one that it may come with
	Draw        string     `json:"draw,omitempty"`               // the current one, where a server runs on the folder
	State       string     `json:"state,omitempty"`              // in that draw
}

func (c *agencyListCommand) Run(e env) error {
	r, err := agencies.Read(c.path())
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.checkFolder(); err != nil {
			return err
		}
		r, err = new(agencies.Registry), nil
	}
	if err != nil {
		return err
	}
	draw, states := c.standing(e)
	list := []listedAgency{}
	for _, a := range r.Agencies {
		l := listedAgency{Agency: uint32(a.Number), Name: a.Name, May: "bet", Added: &a.Added, Rotated: a.Rotated, Revoked: a.Revoked, Certificate: a.Certificate}
		if l.State = states[l.Agency]; l.State != "" {
			l.Draw = draw
		}
		if a.Revoked != nil {
			l.May = "nothing"
		}
		list = append(list, l)
	}
	switch {
	case c.JSON:
		return printJSON(e.stdout, map[string]any{"agencies": list})
	case c.CSV:
		return printAgencies(e, list)
	case len(list) == 0:
		_, err := printf(e.stdout, e.say("No agency is registered in %s, so the server is open to all. `quiniela agency add 1` registers the first and closes it.")+"\n", c.Data)
		return err
	}
	return tellAgencies(e, list, draw)
}

// checkFolder returns an error where the folder is no server's: without a registry a server is open to all, and nobody should read that
// of a folder that was misspelt.
func (f registryFlags) checkFolder() error {
	for _, name := range []string{operators.FileName, publish.KeyName, ledger.StateName, "journal"} {
		if _, err := os.Lstat(filepath.Join(f.Data, name)); err == nil {
			return nil
		}
	}
	what := "is no data folder of a server"
	if _, err := os.Stat(f.Data); errors.Is(err, fs.ErrNotExist) {
		what = "is not there"
	}
	return fmt.Errorf("the folder %s %s: name the server's data folder with --data; `quiniela agency add 1` begins a registry in it", f.Data, what)
}

// mustExist returns an error where there is no registry, which a change would begin.
func (f registryFlags) mustExist() error {
	if _, err := os.Stat(f.path()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no agency is registered in %s: name the server's data folder with --data", f.Data)
	}
	return nil
}

// standing asks the server that runs on the folder for the name of its current draw and for where the agencies are in it. Nobody has to
// run: then there is no name, and no answer in three seconds is none either.
func (f registryFlags) standing(e env) (current string, states map[uint32]string) {
	ctx, stop := context.WithTimeout(e.ctx, 3*time.Second)
	defer stop()
	e.ctx = ctx
	a, err := adminFlags{Data: f.Data}.open()
	if err != nil {
		return "", nil
	}
	draws, err := all[web.Draw](e, a, "/api/v1/draws", "draws")
	if err != nil || len(draws) == 0 {
		return "", nil
	}
	current = draws[len(draws)-1].ID
	for _, d := range draws {
		if d.State == "open" {
			current = d.ID
			break
		}
	}
	progress, err := all[web.Agency](e, a, drawPath(current)+"/agencies", "agencies")
	if err != nil {
		return "", nil
	}
	states = map[uint32]string{}
	for _, p := range progress {
		states[p.Agency] = p.State
	}
	return current, states
}

// tellAgencies shows a list of agencies; the current draw, if there is one, is the last column.
func tellAgencies(e env, list []listedAgency, draw string) error {
	t := &listing{long: 1, columns: []column{{head: e.say("AGENCY")}, {head: e.say("NAME")}, {head: e.say("ADDED")}, {head: e.say("STATE")},
		{head: e.say("CERTIFICATE")}, {head: fmt.Sprintf(e.say("IN %s"), draw)}}}
	for _, a := range list {
		state, certificate, inDraw := e.say("may bet"), e.say("any"), ""
		if a.Revoked != nil {
			state = fmt.Sprintf(e.say("revoked %s"), a.Revoked.Local().Format(time.DateOnly))
		}
		switch {
		case a.Certificate != "":
			certificate = a.Certificate[:16] + "…"
		case a.Rotated != nil:
			certificate = fmt.Sprintf(e.say("none since %s"), a.Rotated.Local().Format(time.DateOnly))
		}
		if draw != "" {
			inDraw = "-"
		}
		if a.State != "" {
			inDraw = e.say(states[a.State])
		}
		t.add(digits(a.Agency), a.Name, a.Added.Local().Format(time.DateOnly), state, certificate, inDraw)
	}
	t.dropEmpty()
	return t.write(e.stdout, widthOf(e.stdout))
}

func printAgencies(e env, list []listedAgency) error {
	var rows [][]string
	for _, a := range list {
		rows = append(rows, []string{digits(a.Agency), a.Name, a.May, instant(a.Added), instant(a.Rotated), instant(a.Revoked), a.Certificate, a.Draw, a.State})
	}
	return printCSV(e.stdout, "agency,name,may,added,rotated,revoked,certificate_sha256,draw,state", rows)
}
