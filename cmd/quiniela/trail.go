package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"quiniela"
	"quiniela/internal/web"
)

type trailCommand struct {
	adminFlags
	Draw string `help:"Only acts about this draw." placeholder:"NAME"`
	Who  string `help:"Only acts of this person." placeholder:"NAME"`
	What string `help:"Only acts of this kind, as in open, close, enter, differ, login_failed." placeholder:"KIND"`
	Last int    `help:"Show the last ones only; 0: all." default:"50" placeholder:"N"`
	JSON bool   `name:"json" help:"One JSON object a line." xor:"format"`
	CSV  bool   `name:"csv" help:"CSV with a head." xor:"format"`
}

func (c *trailCommand) Run(e env) error {
	a, err := c.open()
	if err != nil {
		return err
	}
	acts, err := c.read(e, a)
	if err != nil {
		return err
	}
	slices.Reverse(acts) // the oldest first, as a log
	switch {
	case c.JSON:
		return writeJSON(e, acts)
	case c.CSV:
		return writeTrail(e, acts)
	case len(acts) == 0:
		_, err := printf(e.stdout, "The trail has no such act.\n")
		return err
	}
	w := table(e, "WHEN\tWHO\tFROM\tWHAT\tABOUT")
	for _, act := range acts {
		_, _ = printf(w, "%s\t%s\t%s\t%s\t%s\n", act.At.Local().Format("2006-01-02 15:04:05"), dash(act.Who), dash(act.From), act.What, about(act))
	}
	return w.Flush()
}

// read asks for the acts, the newest first.
func (c *trailCommand) read(e env, a *admin) (acts []web.Act, err error) {
	q := url.Values{}
	for name, value := range map[string]string{"draw": c.Draw, "who": c.Who, "what": c.What} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for {
		limit := 1000
		if c.Last > 0 {
			limit = min(limit, c.Last-len(acts))
		}
		q.Set("limit", strconv.Itoa(limit))
		var part struct {
			Acts   []web.Act
			Before uint64
		}
		if err := a.call(e.ctx, http.MethodGet, "/api/v1/trail?"+q.Encode(), nil, &part); err != nil {
			return nil, err
		}
		acts = append(acts, part.Acts...)
		if part.Before == 0 || c.Last > 0 && len(acts) >= c.Last {
			return acts, nil
		}
		q.Set("before", strconv.FormatUint(part.Before, 10))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// about says in one column what an act is about, and why it was not done.
func about(a web.Act) string {
	var parts []string
	for _, part := range []string{a.Draw, a.About, a.Note} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if a.Failed != "" {
		parts = append(parts, "not done: "+a.Failed)
	}
	return strings.Join(parts, ", ")
}

func writeJSON(e env, acts []web.Act) error {
	out := json.NewEncoder(e.stdout)
	for _, a := range acts {
		if err := out.Encode(a); err != nil {
			return fmt.Errorf("write the trail: %w", err)
		}
	}
	return nil
}

func writeTrail(e env, acts []web.Act) error {
	w := csv.NewWriter(e.stdout)
	_ = w.Write([]string{"position", "at", "who", "from", "what", "draw", "about", "note", "failed"}) // Flush keeps the error
	for _, a := range acts {
		_ = w.Write([]string{
			strconv.FormatUint(a.Position, 10), a.At.Format(time.RFC3339Nano), cell(a.Who), cell(a.From), cell(a.What), cell(a.Draw), cell(a.About), cell(a.Note), cell(a.Failed),
		})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write the trail: %w", err)
	}
	return nil
}

// cell returns a text as a field of a table: in one line, and such that no spreadsheet takes what a stranger has typed for a formula.
func cell(s string) string {
	s = quiniela.Printable(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
