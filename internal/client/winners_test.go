package client_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quiniela/internal/client"
)

// several has people with more than one bet, on the winning number and on others, and documents that are written with zeros.
const several = `Ana,Paz,30904465,1990-01-01,7574
Ana,Paz,30904465,1990-01-01,1234
Eva,Sol,00000042,1985-02-03,7574
Leo,Mar,28000111,1970-12-31,7
Ana,Paz,30904465,1990-01-01,07574
Leo,Mar,28000111,1970-12-31,1234
`

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The winning bets are whole rows of the agency's own file, in its order: the bets on the winning number, and no other bets of the same
// people. A further run writes the same.
func TestTheWinningRowsAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	const want = "Ana,Paz,30904465,1990-01-01,7574\nEva,Sol,00000042,1985-02-03,7574\nAna,Paz,30904465,1990-01-01,07574\n"
	c := start(t, 1)
	conf := config(1, c.address, write(t, strings.ReplaceAll(several, "\n", "\r\n")))
	conf.BatchBets, conf.Winners = 2, filepath.Join(t.TempDir(), "made", "winners.csv")
	for range 2 {
		if _, err := client.Run(t.Context(), conf, quiet); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(conf.Winners)
		if got := read(t, conf.Winners); err != nil || got != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %q, %v; want %q", info.Mode(), got, err, want)
		}
	}
	if others, err := os.ReadDir(filepath.Dir(conf.Winners)); err != nil || len(others) != 1 {
		t.Errorf("in the folder are %v, %v", others, err)
	}

	c = start(t, 1)
	conf = config(1, c.address, write(t, "Leo,Mar,28000111,1970-12-31,7\nno bet\n"))
	conf.SkipBadLines, conf.Winners = true, filepath.Join(t.TempDir(), "none.csv")
	if _, err := client.Run(t.Context(), conf, quiet); err != nil || read(t, conf.Winners) != "" {
		t.Errorf("without a winner: %v", err)
	}
}

// Where the file of winners or that of the proofs cannot be written, nothing is sent, and no file is touched.
func TestAFileThatCannotBeWrittenIsFoundBeforeSending(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	conf := config(1, c.address, write(t, several))
	for _, path := range []string{t.TempDir(), filepath.Join(conf.File, "winners.csv"), "/proc/winners.csv", conf.File} {
		conf.Winners, conf.Proofs = path, ""
		_, err := client.Run(t.Context(), conf, quiet)
		if err == nil || !strings.Contains(err.Error(), "write the winning bets to "+path) || !strings.Contains(err.Error(), "nothing was sent: name a file with --winners") {
			t.Errorf("winners in %s: %v", path, err)
		}
		conf.Winners, conf.Proofs = "", path
		_, err = client.Run(t.Context(), conf, quiet)
		if err == nil || !strings.Contains(err.Error(), "keep the proofs in "+path) || !strings.Contains(err.Error(), "nothing was sent: name a file with --proofs") {
			t.Errorf("proofs in %s: %v", path, err)
		}
	}
	if got := c.stored(); len(got) != 0 || read(t, conf.File) != several {
		t.Errorf("stored %q", got)
	}
}

// changing relays one connection after the other to an address, and changes the lines of the replies.
func changing(t *testing.T, to string, change func(line string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(far, near)
				_ = far.Close()
			}()
			go func() {
				for r := bufio.NewReader(far); ; {
					line, err := r.ReadString('\n')
					if err != nil {
						_ = near.Close()
						return
					}
					_, _ = io.WriteString(near, change(line))
				}
			}()
		}
	}()
	return l.Addr().String()
}

// A server that names other winners than the file has on the winning number is found out, and no file is written.
func TestOtherWinnersThanTheFilesAreFoundOut(t *testing.T) {
	t.Parallel()
	for name, tried := range map[string]struct {
		change func(line string) string
		want   string
	}{
		"one is left out": {func(line string) string {
			return strings.NewReplacer("ok|3\n", "ok|2\n", "00000042\n", "").Replace(line)
		}, "the server names the document *****465 where the bet in line 3 of "},
		"the last is left out": {func() func(line string) string {
			anas := 0
			return func(line string) string {
				if line == "30904465\n" {
					if anas++; anas == 2 {
						return ""
					}
				}
				return strings.Replace(line, "ok|3\n", "ok|2\n", 1)
			}
		}(), "the bet in line 5 of "},
		"one is added": {func(line string) string {
			return strings.Replace(line, "ok|3\n", "ok|4\n28000111\n", 1)
		}, "the server names the document *****111 where the bet in line 1 of "},
		"one is added at the end": {func(line string) string {
			return strings.NewReplacer("ok|3\n", "ok|4\n", "00000042\n", "00000042\n30904465\n").Replace(line)
		}, "the server names the document *****465, of which "},
		"the number is another": {func(line string) string {
			return strings.Replace(line, "|7574|3\n", "|1234|3\n", 1)
		}, "the server names the document *****042 where the bet in line 6 of "},
	} {
		c := start(t, 1)
		conf := config(1, changing(t, c.address, tried.change), write(t, several))
		conf.MaskDNI, conf.Winners = true, filepath.Join(t.TempDir(), "winners.csv")
		_, err := client.Run(t.Context(), conf, quiet)
		if !errors.Is(err, client.ErrWinners) || !strings.Contains(err.Error(), tried.want) || strings.Contains(err.Error(), "30904465") {
			t.Errorf("%s: %v, want %q", name, err, tried.want)
		}
		if left, err := os.ReadDir(filepath.Dir(conf.Winners)); err != nil || len(left) != 0 {
			t.Errorf("%s: left are %v, %v", name, left, err)
		}
	}
}

// A server of before does not know the request for the number: that is said, and the bets are stored all the same.
func TestAServerThatDoesNotTellTheNumber(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	older := changing(t, c.address, func(line string) string {
		if strings.Contains(line, "|drawn|") {
			return "fail|0|unknown|no such request\n"
		}
		return line
	})
	conf := config(1, older, write(t, several))
	conf.Winners = filepath.Join(t.TempDir(), "winners.csv")
	_, err := client.Run(t.Context(), conf, quiet)
	if err == nil || !strings.Contains(err.Error(), "it is of an older version") {
		t.Error(err)
	}
	if got := len(c.stored()["1"]); got != 6 {
		t.Errorf("%d bets are stored", got)
	}
}

// The rows come from the file as it was sent: one that has changed while the agency waited is an error that says so.
func TestAFileThatChangesWhileTheDrawIsAwaited(t *testing.T) {
	t.Parallel()
	c := start(t, 2)
	conf := config(1, c.address, write(t, several))
	conf.Winners = filepath.Join(t.TempDir(), "winners.csv")
	conf.Progress = func(p client.Progress) {
		if p.Stage != "wait" {
			return
		}
		if err := os.WriteFile(conf.File, []byte(strings.Replace(several, "Ana", "Eva", 1)), 0o600); err != nil {
			t.Error(err)
		}
		if _, err := client.Run(t.Context(), config(2, c.address, write(t, good)), quiet); err != nil {
			t.Error(err)
		}
	}
	_, err := client.Run(t.Context(), conf, quiet)
	if err == nil || !strings.Contains(err.Error(), "after it was sent; all its bets are stored, and the agency has finished: restore the file and run it again") {
		t.Error(err)
	}
	if err := os.WriteFile(conf.File, []byte(several), 0o600); err != nil {
		t.Fatal(err)
	}
	conf.Progress = nil
	if _, err := client.Run(t.Context(), conf, quiet); err != nil || strings.Count(read(t, conf.Winners), "\n") != 3 {
		t.Errorf("restored: %v", err)
	}
}

// Where an agency stands, from before its first bet until its draw is done; asking changes nothing.
func TestWhereAnAgencyStands(t *testing.T) {
	t.Parallel()
	c := start(t, 2)
	conf := config(1, c.address, write(t, several))
	stand := func(want string) {
		t.Helper()
		s, err := client.Stand(t.Context(), conf, quiet)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s %s, %d in %d, finished %t, %d missing, number %d, %d winners", s.Draw, s.State, s.Bets, s.Batches, s.Finished, s.Missing(), s.Number, s.Winners)
		if got != want || s.Sent.Other != nil {
			t.Errorf("%s (%v), want %s", got, s.Sent.Other, want)
		}
	}
	stand("1 open, 0 in 0, finished false, 6 missing, number 0, 0 winners")
	// Two batches, and no finish.
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	lines := strings.SplitAfter(several, "\n")
	for i, part := range []string{lines[0], lines[1] + lines[2]} {
		body := fmt.Sprintf("agency_ID|1|%d\n%s", i+1, part)
		if _, err := fmt.Fprintf(conn, "%d;%s", len(body), body); err != nil {
			t.Fatal(err)
		}
		if reply, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(reply, "success|") {
			t.Fatalf("%q, %v", reply, err)
		}
	}
	stand("1 open, 3 in 2, finished false, 3 missing, number 0, 0 winners")
	waiting := conf
	waiting.Progress = func(p client.Progress) {
		if p.Stage == "wait" {
			stand("1 open, 6 in 3, finished true, 0 missing, number 0, 0 winners")
			if _, err := client.Run(t.Context(), config(2, c.address, write(t, good)), quiet); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := client.Run(t.Context(), waiting, quiet); err != nil {
		t.Fatal(err)
	}
	stand("1 drawn, 6 in 3, finished true, 0 missing, number 7574, 3 winners")

	conf.File = write(t, strings.Replace(several, "Eva", "Eve", 1)+"Ana,Paz,1,1990-01-01,1\n")
	if s, err := client.Stand(t.Context(), conf, quiet); err != nil || s.Missing() != 1 {
		t.Errorf("a longer file: %+v, %v", s, err) // only the last stored batch is compared
	}
	conf.File = write(t, strings.Replace(several, "28000111,1970-12-31,1234", "28000111,1970-12-31,1235", 1))
	if s, err := client.Stand(t.Context(), conf, quiet); err != nil || s.Sent.Other == nil || s.Missing() != 0 {
		t.Errorf("another file: %+v, %v", s, err)
	}
	conf.File = ""
	if s, err := client.Stand(t.Context(), conf, quiet); err != nil || s.Sent != nil || s.Bets != 6 {
		t.Errorf("no file: %+v, %v", s, err)
	}
}

// A client tells what it waits for, and since when: first for the server, and then, whatever happens to the connection, for the draw
// since it has finished.
func TestTheClientTellsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	c := start(t, 2)
	c.down()
	conf := config(1, c.address, write(t, several))
	var told []client.Progress
	conf.Progress = func(p client.Progress) {
		if len(told) > 0 && told[len(told)-1].Stage == p.Stage {
			return
		}
		told = append(told, p)
		switch {
		case len(told) == 1:
			c.up()
		case p.Stage == "wait" && len(told) < 4:
			c.down() // the connection is lost
			c.up()
		case p.Stage == "wait":
			if _, err := client.Run(t.Context(), config(2, c.address, write(t, good)), quiet); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := client.Run(t.Context(), conf, quiet); err != nil {
		t.Fatal(err)
	}
	var stages []string
	for _, p := range told {
		stages = append(stages, p.Stage)
	}
	if got := strings.Join(stages, " "); got != "connect send wait connect wait done" {
		t.Fatalf("told %s", got)
	}
	if p := told[0]; p.Cause == nil || p.Since.IsZero() || p.Total != 6 {
		t.Errorf("of the server it told %+v", p)
	}
	first, last := told[2], told[4]
	if first.Stage != "wait" || !last.Since.Equal(first.Since) || last.Bets != 6 {
		t.Errorf("it waits %+v, and after the server's restart %+v", first, last)
	}
}
