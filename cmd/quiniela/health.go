package main

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"quiniela"
)

type healthCommand struct {
	Config  string        `help:"The server's file of settings." default:"config.ini" placeholder:"FILE"`
	Server  string        `help:"Address of the central, host:port; empty is the one on this machine, by its settings." placeholder:"ADDRESS"`
	Port    int           `hidden:"" default:"12345" env:"SERVER_PORT"`
	IP      string        `hidden:"" name:"ip" env:"SERVER_IP"`
	TLSCert string        `hidden:"" name:"tls-cert" env:"SERVER_TLS_CERT"`
	TLS     bool          `help:"Speak TLS, without a look at the certificate; by its settings a server with SERVER_TLS_CERT is asked so anyway." name:"tls"`
	Mode    string        `hidden:"" default:"lottery" env:"SERVER_MODE"`
	Timeout time.Duration `help:"Longest wait." default:"3s"`
}

// Run comes to the server as an agency does, and asks it something that it must answer, whoever asks. Any answer will do, such as that
// an agency has to show who it is, but not that there is no room, that the server is going down, or that this is no way to ask. An echo
// server is only connected to, for it would log what it is sent.
func (c *healthCommand) Run(e env) error {
	address := c.Server
	if address == "" {
		address = net.JoinHostPort(cmp.Or(c.IP, "localhost"), fmt.Sprint(c.Port))
	}
	conn, err := net.DialTimeout("tcp", address, c.Timeout)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(c.Timeout)) // the reads tell
	if c.Mode == "lottery" {
		if c.TLS || c.TLSCert != "" {
			// It is asked whether it lives, not who it is.
			conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
		}
		if err := greet(conn); err != nil {
			return err
		}
	}
	_, err = printf(e.stdout, "healthy\n")
	return err
}

// greet asks the server where agency 1 goes on, without a token.
func greet(conn net.Conn) error {
	const question = "hello|1"
	_, err := fmt.Fprintf(conn, "%d;%s", len(question), question)
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return fmt.Errorf("the server does not speak TLS at %s, and was asked with TLS: ask another port, or without --tls and SERVER_TLS_CERT", conn.RemoteAddr())
	}
	if err != nil {
		return fmt.Errorf("the server takes no question: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the server gives no answer: %w", err)
	}
	for _, out := range []quiniela.Code{quiniela.Busy, quiniela.Stopping} {
		if why, ok := strings.CutPrefix(answer, "fail|0|"+string(out)+"|"); ok {
			return fmt.Errorf("agencies cannot get in: %s", strings.TrimSpace(why))
		}
	}
	if why, ok := strings.CutPrefix(answer, "fail|0|"+string(quiniela.BadFrame)+"|"); ok {
		return fmt.Errorf("the server was asked in the wrong way: %s; `quiniela health --tls` asks with TLS", strings.TrimSpace(why))
	}
	return nil
}
