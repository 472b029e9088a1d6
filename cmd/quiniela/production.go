package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"quiniela/internal/agencies"
)

// checkProduction returns all that a server for real draws still lacks, each with what to type, or nil. It writes nothing.
func (c *serverCommand) checkProduction() error {
	if !c.Production {
		return nil
	}
	var lacks []error
	if c.Mode != "lottery" {
		lacks = append(lacks, errors.New("SERVER_MODE must be lottery"))
	}
	if c.AutoDraw && c.Schedule == "" {
		lacks = append(lacks, errors.New("draw 1 would open by itself, with a number that everybody knows: set SERVER_AUTO_DRAW=false"))
	}
	if c.TLSCert == "" {
		lacks = append(lacks, errors.New("the agencies' port has no TLS: set SERVER_TLS_CERT and SERVER_TLS_KEY; `quiniela certs` makes a pair for trials"))
	}
	if c.UnsafeSingle {
		lacks = append(lacks, errors.New("JOURNAL_UNSAFE_SINGLE accepts a database that can lose bets: leave it out"))
	}
	lacks = append(lacks, c.lacksLog(), c.lacksAgencies())
	if err := errors.Join(lacks...); err != nil {
		return usageError{errors.Join(errors.New("SERVER_PRODUCTION is set, and the server does not start before this is mended"), err)}
	}
	return nil
}

// lacksLog returns what the public log lacks. Its name is for ever, so somebody must have chosen it: for the key that is there, or for
// the one that the start makes.
func (c *serverCommand) lacksLog() error {
	if !c.PublicLog {
		return nil
	}
	if c.shared() && c.LogKey == "" {
		return errors.New("servers that share a journal share the public log's key: set SERVER_LOG_KEY to the same key for each")
	}
	named, err := exists(logKeyPath(c.Data, c.LogKey))
	if err != nil || named || c.LogOrigin != "" && !c.shared() {
		return err
	}
	command := "quiniela init --origin lottery.example/log --data " + c.Data
	if c.LogKey != "" {
		command += " --log-key " + c.LogKey
	}
	return fmt.Errorf("the public log has no name, which it keeps for ever: %s", command)
}

func (c *serverCommand) lacksAgencies() error {
	registered, err := exists(filepath.Join(c.Data, agencies.FileName))
	if err != nil || registered {
		return err
	}
	return fmt.Errorf("no agency is registered, so anyone could bet for any: quiniela agency add 1 --data %s >agency-1.token", c.Data)
}
