package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"quiniela/internal/lang"
)

func TestAskWantsTheWord(t *testing.T) {
	for answer, ok := range map[string]bool{"night\n": true, " night \r\n": true, "night": true, "": false, "y\n": false, "Night\n": false, "nigh\nnight\n": false} {
		var out bytes.Buffer
		if err := ask(t.Context(), strings.NewReader(answer), &out, "Type %s to go on: ", "night"); (err == nil) != ok {
			t.Errorf("%q: %v", answer, err)
		}
		if out.String() != "Type night to go on: " {
			t.Errorf("asked %q", out.String())
		}
	}
}

func TestAQuestionCanBeInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	in, other := io.Pipe()
	defer func() { _ = other.Close() }()
	stop()
	if err := ask(ctx, in, io.Discard, "Type %s to go on: ", "night"); err == nil || !strings.Contains(err.Error(), "nothing was done") {
		t.Fatal(err)
	}
}

func TestMomentsHaveTheirZoneAndDistance(t *testing.T) {
	home, err := time.LoadLocation("America/Argentina/Buenos_Aires")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 15, 48, 0, 0, home)
	for _, c := range []struct {
		at   time.Time
		want string
		es   string
	}{
		{time.Date(2026, 11, 24, 21, 0, 0, 0, home), "Tuesday 2026-11-24 21:00:00 -03:00 (America/Argentina/Buenos_Aires), in 5 h 12 min",
			"martes 2026-11-24 21:00:00 -03:00 (America/Argentina/Buenos_Aires), dentro de 5 h 12 min"},
		{time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC), "Wednesday 2026-11-25 18:00:00 -03:00 (America/Argentina/Buenos_Aires), in 1 d 2 h",
			"miércoles 2026-11-25 18:00:00 -03:00 (America/Argentina/Buenos_Aires), dentro de 1 d 2 h"},
		{now.Add(61 * time.Second), "Tuesday 2026-11-24 15:49:01 -03:00 (America/Argentina/Buenos_Aires), in 1 min 1 s",
			"martes 2026-11-24 15:49:01 -03:00 (America/Argentina/Buenos_Aires), dentro de 1 min 1 s"},
		{now.Add(-3 * time.Second), "Tuesday 2026-11-24 15:47:57 -03:00 (America/Argentina/Buenos_Aires), 3 s ago",
			"martes 2026-11-24 15:47:57 -03:00 (America/Argentina/Buenos_Aires), hace 3 s"},
	} {
		for l, want := range map[lang.Language]string{lang.English: c.want, lang.Spanish: c.es} {
			if got := (env{lang: l}).moment(c.at, now); got != want {
				t.Errorf("%v is %q, want %q", c.at, got, want)
			}
		}
	}
}
