package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/internal/agencies"
	"quiniela/internal/certs"
)

type agencyCommand struct {
	Add    agencyAddCommand    `cmd:"" help:"Register an agency and show its token, once."`
	List   agencyListCommand   `cmd:"" help:"Show the registered agencies."`
	Rotate agencyRotateCommand `cmd:"" help:"End an agency's token and certificates and give it a new token; brings back a revoked one."`
	Revoke agencyRevokeCommand `cmd:"" help:"Shut an agency out."`
}

// registryFlags say where the registry is. A running server sees a change within a second.
type registryFlags struct {
	Data string `help:"The server's data folder." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
}

func (f registryFlags) path() string { return filepath.Join(f.Data, agencies.FileName) }

type agencyAddCommand struct {
	registryFlags
	Number      uint32 `arg:"" help:"Number of the agency, from 1."`
	Name        string `help:"Name, for people." placeholder:"NAME"`
	Certificate string `help:"The only certificate it may come with, PEM." placeholder:"FILE"`
}

func (c *agencyAddCommand) Run(e env) error {
	fingerprint, err := fingerprint(c.Certificate, c.Number)
	if err != nil {
		return err
	}
	var token string
	err = agencies.Change(c.path(), func(r *agencies.Registry) (err error) {
		token, err = r.Add(quiniela.Agency(c.Number), c.Name, fingerprint, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	return showToken(e, c.Number, token)
}

// fingerprint reads the certificate that an agency is to come with, and returns its SHA-256. Without a path that is empty.
func fingerprint(path string, number uint32) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("%s holds no certificate in PEM", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if want := agencies.CertificateName(quiniela.Agency(number)); c.Subject.CommonName != want {
		return "", fmt.Errorf("%s: the certificate's common name is %q, and agency %d's must be %q", path, c.Subject.CommonName, number, want)
	}
	return agencies.Fingerprint(c), nil
}

// showToken prints the token alone on standard output, so that it can go into a file.
func showToken(e env, number uint32, token string) error {
	if _, err := printf(e.stdout, "%s\n", token); err != nil {
		return fmt.Errorf("show the token: %w; give agency %d another with `quiniela agency rotate %d`", err, number, number)
	}
	_, err := printf(e.stderr, "The token of agency %d is shown this once and kept nowhere. The agency gives it as CLI_TOKEN, or in a file with --token-file.\n"+
		"Serve with TLS: a client does not send it over a network in clear.\n", number)
	return err
}

type agencyRotateCommand struct {
	registryFlags
	Number      uint32 `arg:"" help:"Number of the agency."`
	Certificate string `help:"The only certificate it may come with from now on, PEM; without it none." placeholder:"FILE"`
}

func (c *agencyRotateCommand) Run(e env) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	fingerprint, err := fingerprint(c.Certificate, c.Number)
	if err != nil {
		return err
	}
	var token string
	err = agencies.Change(c.path(), func(r *agencies.Registry) (err error) {
		token, err = r.Rotate(quiniela.Agency(c.Number), fingerprint, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	next := fmt.Sprintf("To let it come with a certificate again, make a new one and name it: quiniela agency rotate %d --certificate FILE", c.Number)
	if fingerprint != "" {
		next = "It may come with the new certificate instead of the token."
	}
	_, _ = printf(e.stderr, "The older token and certificates of agency %d are worth nothing within a second, also where it is connected. %s\n", c.Number, next)
	return showToken(e, c.Number, token)
}

type agencyRevokeCommand struct {
	registryFlags
	Number uint32 `arg:"" help:"Number of the agency."`
}

func (c *agencyRevokeCommand) Run(e env) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	err := agencies.Change(c.path(), func(r *agencies.Registry) error { return r.Revoke(quiniela.Agency(c.Number), time.Now()) })
	if err != nil {
		return err
	}
	_, err = printf(e.stdout, "Agency %d is shut out, within a second also where it is connected. Its bets stay.\n", c.Number)
	return err
}

type certsCommand struct {
	Out      string   `help:"Folder to write to." default:"tls" placeholder:"DIR"`
	Hosts    []string `help:"Names and addresses under which the server is reached." name:"host" default:"localhost,127.0.0.1,::1" placeholder:"NAME"`
	Agencies int      `help:"How many agencies get a certificate, from 1 on." default:"0"`
}

func (c *certsCommand) Run(e env) error {
	if c.Agencies < 0 || len(c.Hosts) == 0 {
		return usageError{errors.New("want at least one --host, and no negative number of agencies")}
	}
	var clients []string
	for n := 1; n <= c.Agencies; n++ {
		clients = append(clients, agencies.CertificateName(quiniela.Agency(n)))
	}
	made, err := certs.Create(c.Out, c.Hosts, clients)
	for _, path := range made {
		_, _ = printf(e.stdout, "%s\n", path)
	}
	if err == nil && len(made) == 0 {
		_, _ = printf(e.stdout, "All of them are in %s already; remove one to have it made anew.\n", c.Out)
	}
	return err
}
