package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"quiniela/draw"
	"quiniela/internal/agencies"
	assembled "quiniela/internal/central"
	"quiniela/internal/client"
	"quiniela/internal/ledger"
	"quiniela/internal/publish"
	"quiniela/receipt"
	"quiniela/tlog"
	"quiniela/verify"
)

// lottery is a whole central with a public log and a registered agency, on a real disk.
type lottery struct {
	*assembled.Central
	dir   string
	key   string // the log's
	token string
}

func open(t *testing.T) *lottery {
	t.Helper()
	l := &lottery{dir: t.TempDir()}
	err := agencies.Change(filepath.Join(l.dir, agencies.FileName), func(r *agencies.Registry) (err error) {
		l.token, err = r.Add(1, "", "", time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o := assembled.DefaultOptions(l.dir)
	o.PublicLog = &assembled.PublicLog{Interval: 20 * time.Millisecond}
	o.Seed = &ledger.Seed{ID: "1", Agencies: 1, Rule: draw.FixedNumber(7574)}
	if l.Central, err = assembled.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, l.Close()); err != nil {
			t.Error(err)
		}
	})
	key, err := os.ReadFile(filepath.Join(l.dir, publish.FolderName, publish.VerifierName))
	if err != nil {
		t.Fatal(err)
	}
	l.key = strings.TrimSpace(string(key))
	return l
}

// client returns the options of agency 1.
func (l *lottery) client(t *testing.T, address, file string) client.Options {
	o := config(1, address, file)
	o.Token, o.BatchBets, o.Timeout = l.token, 50, time.Second
	o.Proofs, o.LogKey = filepath.Join(t.TempDir(), "kept", "proofs"), l.key
	return o
}

// An agency ends with the operator's signed proof of every batch, and makes from it the receipt of every bet, which is proven.
func TestAnAgencyEndsWithProofsOfAllItsBets(t *testing.T) {
	l := open(t)
	file := files(t, 1, 333)[0]
	o := l.client(t, l.Addr().String(), file)
	if _, err := client.Run(t.Context(), o, quiet); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(o.Proofs)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the proofs: %v, %v", info.Mode(), err)
	}
	outcome := l.outcome(t)
	want := bets(t, file)
	made := 0
	n, err := receipts(t, o, client.Wanted{}, func(line int, r *receipt.Receipt) error {
		f := strings.Split(want[made], ",")
		made++
		text, err := r.Encode()
		if err != nil {
			return err
		}
		report, err := verify.Check(verify.Options{Receipt: text, Outcome: outcome, Key: []byte(l.key)})
		if err != nil || line != made || r.Document != f[2] || r.FirstName != f[0] || report.Result != verify.ByOperator || *report.Won != (f[4] == "7574") {
			return fmt.Errorf("line %d: %s, %v", line, report.Text(), err)
		}
		return nil
	})
	if err != nil || n != 333 || made != 333 {
		t.Errorf("%d receipts, %v", n, err)
	}
	for _, w := range []client.Wanted{{Line: 200}, {Document: strings.Split(want[199], ",")[2]}} {
		n, err := receipts(t, o, w, func(line int, _ *receipt.Receipt) error {
			if line != 200 {
				t.Errorf("%+v: line %d", w, line)
			}
			return nil
		})
		if n != 1 || err != nil {
			t.Errorf("%+v: %d receipts, %v", w, n, err)
		}
	}
	// Another run changes nothing, and another file is not the one that was proven.
	if _, err := client.Run(t.Context(), o, quiet); err != nil {
		t.Error(err)
	}
	o.File = write(t, strings.Replace(strings.Join(want, "\n")+"\n", want[3], strings.Replace(want[3], ",", "a,", 1), 1))
	_, err = receipts(t, o, client.Wanted{Line: 300}, func(int, *receipt.Receipt) error { return nil })
	if !errors.Is(err, client.ErrProofs) || !strings.Contains(err.Error(), "batch 1, 50 bets from line 1 of") {
		t.Errorf("another file: %v", err)
	}
}

func receipts(t *testing.T, o client.Options, want client.Wanted, save func(int, *receipt.Receipt) error) (int, error) {
	t.Helper()
	proofs, err := os.Open(o.Proofs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proofs.Close() }()
	return client.Receipts(t.Context(), o, proofs, quiet, want, save)
}

func (l *lottery) outcome(t *testing.T) []byte {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		data, err := os.ReadFile(filepath.Join(l.dir, publish.FolderName, "draws", "1", "outcome.json"))
		if err == nil {
			return data
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// What was stored before this run may be of another file than the last batch shows. The proofs tell.
func TestAFileThatDiffersBeforeTheLastBatchIsFound(t *testing.T) {
	l := open(t)
	file := files(t, 1, 300)[0]
	lines := bets(t, file)
	other := strings.Split(strings.Join(lines, "\n"), "\n")
	other[7] = "Mallory,Paz,1,1990-01-01,7"
	for n := range 2 {
		s := &ledger.Submission{Agency: 1, Batch: uint64(n) + 1, Frame: []byte(strings.Join(other[50*n:50*n+50], "\n") + "\n")}
		if err := l.Ledger.Submit(s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	o := l.client(t, l.Addr().String(), file)
	_, err := client.Run(t.Context(), o, quiet)
	if !errors.Is(err, client.ErrProofs) || !strings.Contains(err.Error(), "batch 1, 50 bets from line 1") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(o.Proofs); err == nil {
		t.Error("the proofs of another file were kept")
	}
}

// An operator that denies a bet, or signs something else, is found out by the client before it is done.
func TestProofsThatAreNone(t *testing.T) {
	l := open(t)
	file := files(t, 1, 200)[0]
	if _, err := client.Run(t.Context(), l.client(t, l.Addr().String(), file), quiet); err != nil {
		t.Fatal(err)
	}
	replaceField := func(line string, field int, with string) string {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		f[field] = with
		return strings.Join(f, "|") + "\n"
	}
	zeros := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for what, change := range map[string]func(lines []string) []string{
		"a batch left out":  func(lines []string) []string { return append([]string{"ok|4\n"}, lines[1:5]...) },
		"none":              func([]string) []string { return []string{"ok|0\n"} },
		"the checkpoint":    func(lines []string) []string { return append([]string{"ok|1\n"}, lines[1]) },
		"two in turn":       func(lines []string) []string { lines[2], lines[3] = lines[3], lines[2]; return lines },
		"another secret":    func(lines []string) []string { lines[2] = replaceField(lines[2], 2, zeros(32)); return lines },
		"another index":     func(lines []string) []string { lines[2] = replaceField(lines[2], 0, "3"); return lines },
		"no path":           func(lines []string) []string { lines[2] = replaceField(lines[2], 3, ""); return lines },
		"another path":      func(lines []string) []string { lines[2] = replaceField(lines[2], 3, zeros(64)); return lines },
		"another entry":     func(lines []string) []string { lines[2] = replaceField(lines[2], 1, zeros(92)); return lines },
		"no line":           func(lines []string) []string { lines[2] = "\n"; return lines },
		"another log's key": func(lines []string) []string { lines[1] = foreign(t, lines[1]); return lines },
		"no checkpoint":     func(lines []string) []string { lines[1] = "AAAA\n"; return lines },
	} {
		o := l.client(t, relayProofs(t, l.Addr().String(), change), file)
		_, err := client.Run(t.Context(), o, quiet)
		if err == nil {
			t.Errorf("%s: the client is content", what)
		}
		if _, err := os.Stat(o.Proofs); err == nil {
			t.Errorf("%s: the proofs were kept", what)
		}
	}
}

// foreign returns the same checkpoint, signed by somebody else under the log's name.
func foreign(t *testing.T, line string) string {
	t.Helper()
	note, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	c, err := tlog.UnverifiedCheckpoint(note)
	if err != nil {
		t.Fatal(err)
	}
	key, err := publish.LoadKey(filepath.Join(t.TempDir(), "key"), c.Origin)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := tlog.SignCheckpoint(c, key.Signer)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signed) + "\n"
}

// relayProofs passes everything on, and changes the reply to proofs.
func relayProofs(t *testing.T, to string, change func([]string) []string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go relay(conn, to, change)
		}
	}()
	return l.Addr().String()
}

func relay(conn net.Conn, to string, change func([]string) []string) {
	defer func() { _ = conn.Close() }()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var asked atomic.Bool // for proofs
	go func() {
		defer func() { _ = server.Close() }()
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if bytes.Contains(buf[:n], []byte("proofs|")) {
				asked.Store(true)
			}
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	for r := bufio.NewReader(server); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		reply := []string{line}
		if asked.CompareAndSwap(true, false) {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "ok|")))
			for range n {
				if line, err = r.ReadString('\n'); err != nil {
					return
				}
				reply = append(reply, line)
			}
			reply = change(reply)
		}
		if _, err := io.WriteString(conn, strings.Join(reply, "")); err != nil {
			return
		}
	}
}
