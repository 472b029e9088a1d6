package main

import (
	"bufio"
	"cmp"
	"crypto/tls"
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
	TLSPort int           `hidden:"" name:"tls-port" default:"0" env:"SERVER_TLS_PORT"`
	Mode    string        `hidden:"" default:"lottery" env:"SERVER_MODE"`
	Timeout time.Duration `help:"Longest wait." default:"3s"`
}

// Run comes to the server as an agency does, and asks it something that it must answer, whoever asks. Any answer will do, such as that
// an agency has to show who it is, but not that there is no room, or that the server is going down. An echo server is only connected to,
// for it would log what it is sent.
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
		if c.TLSPort == c.Port {
			// It is asked whether it lives, not who it is.
			conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
		}
		const question = "hello|1"
		if _, err := fmt.Fprintf(conn, "%d;%s", len(question), question); err != nil {
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
	}
	_, err = printf(e.stdout, "healthy\n")
	return err
}
