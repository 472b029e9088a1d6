package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela"
	"quiniela/internal/client"
	"quiniela/internal/sample"
)

const good = "Ana,Paz,1,1990-01-01,7574\r\n"

func TestNothingIsSentOfABadFile(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	for text, want := range map[string]string{
		good + "Ana,Paz,1,1990-02-30,7\n":            "agency-1.csv:2: birthdate: ",
		good + "Ana,Paz,1,1990-02-30,7\n" + "x\ny\n": "agency-1.csv:4: 1 fields, want 5: first_name,last_name,document,birthdate,number\n3 lines are wrong; nothing was sent",
		good + "\n" + good:                           "agency-1.csv:2: the line is blank",
		good + strings.Repeat("x", 1<<20) + "\n":     "agency-1.csv:2: the line is longer than",
		"\xff\xfe\x00\n":                             "agency-1.csv:1: the file is UTF-16",
	} {
		_, err := client.Run(t.Context(), config(1, c.address, write(t, text)), quiet)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nothing was sent") {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	if _, err := client.Run(t.Context(), config(1, c.address, "/nowhere/agency-1.csv"), quiet); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if got := c.stored(); len(got) > 0 {
		t.Fatalf("stored %q", got)
	}
}

func TestBadLinesCanBeSkipped(t *testing.T) {
	t.Parallel()
	c := start(t, 1)
	conf := config(1, c.address, write(t, good+"bad\n"+good+"\n"+"Ana,Paz,x,1990-01-01,7\n"+good+"\n\n"))
	conf.SkipBadLines = true
	report, err := client.Run(t.Context(), conf, quiet)
	if err != nil || report.Bets != 3 || len(report.Documents) != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	var lines []int
	for _, s := range report.Skipped {
		lines = append(lines, s.Line)
	}
	if !slices.Equal(lines, []int{2, 4, 5}) {
		t.Fatalf("skipped %+v", report.Skipped)
	}
}

// longest bounds a run whose failure could be a hang.
const longest = 5 * time.Minute

// relayOnce passes connections on to an address, and calls once before it passes on the first bets.
func relayOnce(t *testing.T, to string, once func()) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var first sync.Once
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
				_, _ = io.Copy(near, far)
				_ = near.Close()
			}()
			go func() {
				buf := make([]byte, 64<<10)
				for {
					n, err := near.Read(buf)
					if bytes.Contains(buf[:n], []byte("agency_ID|")) {
						first.Do(once)
					}
					_, _ = far.Write(buf[:n])
					if err != nil {
						_ = far.(*net.TCPConn).CloseWrite()
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// writeEarlier is write, an hour ago: a change now has another time, however coarse the file system's clock is.
func writeEarlier(t *testing.T, text string) string {
	path, before := write(t, text), time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, before, before); err != nil {
		t.Fatal(err)
	}
	return path
}

// overwrite writes text at a place of a file, as a program does that rewrites it where it lies.
func overwrite(t *testing.T, path string, at int64, text string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		_, err = f.WriteAt([]byte(text), at)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

// bigText is a file of many blocks whose lines are all different.
func bigText() string {
	var b strings.Builder
	for i := range 20000 {
		b.WriteString("Ana,Paz,")
		b.WriteString(strings.TrimLeft(time.Unix(int64(100000000+i), 0).UTC().Format("150405"), "0"))
		b.WriteString("7,1990-01-01,0007\n")
	}
	return b.String()
}

// changes are what can happen to a file of many blocks while its first bets are on their way.
var changes = map[string]func(t *testing.T, path, text string){
	"cut": func(t *testing.T, path, text string) {
		if err := os.Truncate(path, int64(strings.Index(text[len(text)/2:], "\n")+len(text)/2+1)); err != nil {
			t.Error(err)
		}
	},
	"grown": func(t *testing.T, path, text string) {
		overwrite(t, path, int64(len(text)), "Eva,Sol,2,1990-01-01,8\n")
	},
	"rewritten before what is sent": func(t *testing.T, path, text string) {
		at := strings.LastIndex(text, "Ana,")
		overwrite(t, path, int64(at), "Eva,Sol")
	},
	"rewritten behind what is sent": func(t *testing.T, path, text string) { overwrite(t, path, 0, "Eva,Sol") },
	"rewritten with its time put back": func(t *testing.T, path, text string) {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
			return
		}
		overwrite(t, path, int64(strings.LastIndex(text, "Ana,")), "Eva,Sol")
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Error(err)
		}
	},
	"replaced": func(t *testing.T, path, text string) {
		if err := os.WriteFile(path+".new", []byte(strings.ReplaceAll(text, "Ana", "Eva")), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Error(err)
		}
	},
	"removed": func(t *testing.T, path, text string) {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	},
}

func TestAFileThatChangesWhileItIsSentIsAnError(t *testing.T) {
	t.Parallel()
	text := bigText()
	for how, change := range changes {
		for _, plain := range []bool{false, true} {
			name := how
			if plain {
				name += ", plain"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c, path := start(t, 1), writeEarlier(t, text)
				ctx, cancel := context.WithTimeout(t.Context(), longest)
				defer cancel()
				conf := config(1, relayOnce(t, c.address, func() { change(t, path, text) }), path)
				conf.Window, conf.Plain, conf.Tries = 1, plain, 5
				_, err := client.Run(ctx, conf, quiet)
				if err == nil || !strings.Contains(err.Error(), "the file changed: "+path) || ctx.Err() != nil {
					t.Errorf("%v, want that %s changed", err, path)
				}
				if stored := strings.Join(append(c.stored()["1"], ""), "\n"); !strings.HasPrefix(text, stored) {
					t.Errorf("%d bytes of bets are stored, and are not the beginning of what was checked", len(stored))
				}
				if plain {
					return // it cannot go on
				}
				// The agency has not finished: the file as it was is sent to its end.
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if report, err := client.Run(ctx, config(1, c.address, path), quiet); err != nil || report.Bets != 20000 {
					t.Errorf("the second run: %d bets, %v", report.Bets, err)
				}
				c.check([]string{path})
			})
		}
	}
}

func TestAFileThatChangesWhileItIsCheckedIsAnError(t *testing.T) {
	t.Parallel()
	text := bigText()
	for how, change := range changes {
		if how == "rewritten with its time put back" {
			continue // what was read after it is what is sent
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c, path := start(t, 1), writeEarlier(t, text)
			conf := config(1, c.address, path)
			changed := false
			conf.Progress = func(p client.Progress) {
				if p.Stage == "check" && !changed {
					changed = true
					change(t, path, text)
				}
			}
			_, err := client.Run(t.Context(), conf, quiet)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "nothing was sent") {
				t.Errorf("%v, want that %s changed", err, path)
			}
			if got := c.stored(); len(got) > 0 {
				t.Errorf("%d bets are stored", len(got["1"]))
			}
		})
	}
}

// A file that grows when its last byte has been read, and one that is cut in the middle of its only block.
func TestASmallFileThatChangesIsAnError(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("Ana,Paz,1,1990-01-01,7574\n", 3)
	for how, change := range changes {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c, path := start(t, 1), writeEarlier(t, text)
			conf := config(1, c.address, path)
			conf.Progress = func(p client.Progress) {
				if p.Stage == "send" && p.Bets == 0 {
					change(t, path, text)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), longest)
			defer cancel()
			if _, err := client.Run(ctx, conf, quiet); err == nil || !strings.Contains(err.Error(), path) || ctx.Err() != nil {
				t.Errorf("%v, want that %s changed", err, path)
			}
			if got := c.stored(); len(got) > 0 && strings.Join(got["1"], "\n")+"\n" != text {
				t.Errorf("stored %q", got)
			}
		})
	}
}

func TestTheFileIsNotNeededOnceTheAgencyHasFinished(t *testing.T) {
	t.Parallel()
	c, path := start(t, 2), write(t, good)
	waiting := make(chan struct{}, 1000)
	conf := config(1, c.address, path)
	conf.Progress = func(p client.Progress) {
		if p.Stage == "wait" {
			waiting <- struct{}{}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		_, err := client.Run(ctx, conf, quiet)
		result <- err
	}()
	<-waiting
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.down() // the line is lost while it waits for the draw
	c.up()
	if _, err := client.Run(ctx, config(2, c.address, write(t, good)), quiet); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestAnEmptyFileIsAnErrorUnlessItIsRight(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"empty": "", "blank": "\n \n", "nothing good in it": "x\n"} {
		for _, plain := range []bool{false, true} {
			c := start(t, 1)
			conf := config(1, c.address, write(t, text))
			conf.Plain, conf.SkipBadLines, conf.Tries = plain, true, 5
			_, err := client.Run(t.Context(), conf, quiet)
			if err == nil || !strings.Contains(err.Error(), "agency-1.csv has no bet") || !strings.Contains(err.Error(), "--allow-empty") {
				t.Errorf("%s, plain %t: %v", name, plain, err)
			}
			// It has not finished: bets are still taken.
			if _, err := client.Run(t.Context(), config(1, c.address, write(t, good)), quiet); err != nil {
				t.Errorf("%s, plain %t: the file with a bet: %v", name, plain, err)
			}
		}
	}
	c := start(t, 1)
	conf := config(1, c.address, write(t, ""))
	conf.AllowEmpty = true
	if report, err := client.Run(t.Context(), conf, quiet); err != nil || report.Bets != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := client.Run(t.Context(), config(1, free(t), t.TempDir()), quiet); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

func BenchmarkFile(b *testing.B) {
	var text bytes.Buffer
	const lines = 200000
	if err := sample.Write(&text, 1, 1, lines); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "agency-1.csv")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n, err := client.CountBets(path); err != nil || n != lines {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)*lines/b.Elapsed().Seconds(), "lines/s")
}

// Whatever a file holds, what is sent of it is exactly its good lines, and the server's parser takes them.
func FuzzFile(f *testing.F) {
	f.Add([]byte("Ana,Paz,1,1990-01-01,7\r\nEva,Sol,2,1990-01-01,8\r\n"))
	f.Add([]byte("Ana,Paz,1,1990-01-01,7\n\n\nEva,Sol,2,1990-01-01,8"))
	f.Add([]byte("Ana,Paz,1,1990-01-01,07,100,1-5\nEva,Sol,2,1990-01-01,8\nEva,Sol,2,1990-01-01,8,0.01\n"))
	f.Add([]byte("\xef\xbb\xbfAna,Paz,1,1990-01-01,7\n\x00\n"))
	f.Add([]byte(strings.Repeat("x", 5000) + "\nAna,Paz,1,1990-01-01,7\n"))
	path := filepath.Join(f.TempDir(), "agency-1.csv")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		bodies, want, game, err := client.Cut(path, 3)
		if err != nil {
			return // the whole file is refused
		}
		bets := 0
		for _, body := range bodies {
			lines, plays, err := game.CheckLines(body, quiniela.DayOf(time.Now()), 3, nil, nil)
			if err != nil || len(body) > 8192 {
				t.Fatalf("a batch that the server refuses: %q: %v", body, err)
			}
			bets += len(plays) / game.PlaySize()
			if n := bytes.Count(lines, []byte("\n")); n != len(plays)/game.PlaySize() {
				t.Fatalf("%d lines and %d plays", n, len(plays)/game.PlaySize())
			}
		}
		if bets != want {
			t.Fatalf("%d bets are sent of %d", bets, want)
		}
	})
}
