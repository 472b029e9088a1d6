package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"quiniela/internal/central"
)

// adminFlags say which running server a command speaks to.
type adminFlags struct {
	Data   string `help:"Data folder of the running server." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	Server string `help:"Or its address, as in http://127.0.0.1:8080; with a key." placeholder:"URL"`
	File   string `help:"File with your key (quiniela operator add). Without one, whoever owns the data folder acts." name:"key-file" placeholder:"FILE"`
	Key    string `help:"Your key, in place of a file." env:"QUINIELA_KEY" placeholder:"KEY"`
	Clear  bool   `help:"Send the key without TLS also to another machine, over a network that you trust." name:"key-in-clear"`
}

// admin speaks the API of a running server as its operator.
type admin struct {
	http   http.Client
	base   string
	key    string
	where  string // the address or the socket, for messages
	advice string // for the error when no server answers
}

// errNoServer says that no server answers.
var errNoServer = errors.New("no server answers")

func (f adminFlags) open() (*admin, error) {
	key, err := f.readKey()
	if err != nil {
		return nil, err
	}
	if f.Server == "" {
		path := filepath.Join(f.Data, central.SocketName)
		a := &admin{
			base: "http://quiniela", key: key, where: path,
			advice: "start `quiniela server`, or name its data folder with --data",
		}
		a.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}
		return a, nil
	}
	if key == "" {
		return nil, usageError{errors.New("--server needs your key: --key-file FILE, or QUINIELA_KEY; `quiniela operator add` gives one")}
	}
	if err := f.guardKey(); err != nil {
		return nil, err
	}
	return &admin{
		http: http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, // with the key
		base: strings.TrimSuffix(f.Server, "/"), key: key, where: f.Server,
		advice: "is the address its SERVER_HTTP_ADDR?",
	}, nil
}

// readKey returns the operator's key; "" is none.
func (f adminFlags) readKey() (string, error) {
	if f.File == "" {
		return f.Key, nil
	}
	text, err := os.ReadFile(f.File)
	if err != nil {
		return "", fmt.Errorf("read the operator's key: %w", err)
	}
	if key := strings.TrimSpace(string(text)); key != "" {
		return key, nil
	}
	return "", usageError{fmt.Errorf("%s is empty: want an operator's key in it", f.File)}
}

// guardKey refuses to send the operator's key over a network without TLS, unless it was asked for by name.
func (f adminFlags) guardKey() error {
	u, err := url.Parse(f.Server)
	if err != nil || u.Host == "" {
		return usageError{fmt.Errorf("--server %q: want an address as in https://lottery.example", f.Server)}
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() || f.Clear {
		return nil
	}
	return usageError{fmt.Errorf("the operator's key would cross the network to %s in clear; nothing was sent: use https://, or a port that ssh forwards, or, "+
		"on a network that you trust, say --key-in-clear", u.Host)}
}

// problem is an error as RFC 9457 has it.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// mostAnswer bounds an answer, in bytes.
const mostAnswer = 256 << 20

// call asks the server and decodes its answer into out, where that is not nil. in is the body; nil is none.
func (a *admin) call(ctx context.Context, method, path string, in, out any) error {
	response, err := a.ask(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, mostAnswer)).Decode(out); err != nil {
		return fmt.Errorf("the answer of the server at %s: %w", a.where, err)
	}
	return nil
}

// ask asks the server and returns its answer, whose body the caller closes. An answer that is an error is returned as one.
func (a *admin) ask(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, usageError{err}
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if a.key != "" {
		request.Header.Set("Authorization", "Bearer "+a.key)
	}
	response, err := a.http.Do(request)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("%w at %s: %s", errNoServer, a.where, a.advice)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the server at %s: %w", a.where, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	var p problem
	if err := json.NewDecoder(io.LimitReader(response.Body, mostAnswer)).Decode(&p); err != nil || p.Detail == "" {
		return nil, fmt.Errorf("the server at %s answered %s: is it a quiniela of this version?", a.where, response.Status)
	}
	return nil, errors.New(p.Detail)
}

// all asks for a list, part by part.
func all[T any](e env, a *admin, path, name string) (items []T, err error) {
	for from := uint64(0); ; {
		var answer map[string]json.RawMessage
		if err := a.call(e.ctx, http.MethodGet, fmt.Sprintf("%s?from=%d&limit=1000", path, from), nil, &answer); err != nil {
			return nil, err
		}
		var part []T
		err := json.Unmarshal(answer[name], &part)
		next := uint64(0)
		if rest, ok := answer["next"]; ok && err == nil {
			err = json.Unmarshal(rest, &next)
		}
		if err != nil || next != 0 && next <= from {
			return nil, fmt.Errorf("the server at %s answers no list of %s: is it a quiniela of this version?", a.where, name)
		}
		items = append(items, part...)
		if next == 0 {
			return items, nil
		}
		from = next
	}
}
