package client_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"quiniela/client"
)

// longest bounds a run whose failure could be a hang.
const longest = time.Minute

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
	text := bigText()
	for how, change := range changes {
		for _, plain := range []bool{false, true} {
			name := how
			if plain {
				name += ", plain"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c, path := start(t, 1), write(t, text)
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
	text := bigText()
	for how, change := range changes {
		if how == "rewritten with its time put back" {
			continue // what was read after it is what is sent
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c, path := start(t, 1), write(t, text)
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
	text := strings.Repeat("Ana,Paz,1,1990-01-01,7574\n", 3)
	for how, change := range changes {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c, path := start(t, 1), write(t, text)
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
	if _, err := client.Run(t.Context(), config(1, free(t), t.TempDir()), quiet); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}
