package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"quiniela/internal/web"
)

type trailCommand struct {
	adminFlags
	Draw string `help:"Only acts about this draw." placeholder:"NAME"`
	Who  string `help:"Only acts of this person." placeholder:"NAME"`
	What string `help:"Only acts of this kind, as in open, close, enter, differ, login_failed." placeholder:"KIND"`
	Last int    `help:"Show the last ones only; 0: all." default:"50" placeholder:"N"`
	formatFlags
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
		return printJSON(e.stdout, map[string]any{"acts": acts})
	case c.CSV:
		return printTrail(e, acts)
	case len(acts) == 0:
		_, err := io.WriteString(e.stdout, e.say("The trail has no such act.")+"\n")
		return err
	}
	t := &listing{long: 4, columns: []column{{head: e.say("WHEN")}, {head: e.say("WHO")}, {head: e.say("FROM")}, {head: e.say("WHAT")}, {head: e.say("ABOUT")}}}
	for _, act := range acts {
		t.add(act.At.Local().Format(time.DateTime), cmp.Or(act.Who, "-"), cmp.Or(act.From, "-"), act.What, about(e, act))
	}
	return t.write(e.stdout, widthOf(e.stdout))
}

// read asks for the acts, the newest first.
func (c *trailCommand) read(e env, a *admin) (acts []web.Act, err error) {
	acts = []web.Act{}
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

// about says in one column what an act is about, and why it was not done.
func about(e env, a web.Act) string {
	var parts []string
	for _, part := range []string{a.Draw, a.About, a.Note} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if a.Failed != "" {
		parts = append(parts, fmt.Sprintf(e.say("not done: %s"), a.Failed))
	}
	return strings.Join(parts, ", ")
}

func printTrail(e env, acts []web.Act) error {
	var rows [][]string
	for _, a := range acts {
		rows = append(rows, []string{strconv.FormatUint(a.Position, 10), a.At.Format(time.RFC3339Nano), a.Who, a.From, a.What, a.Draw, a.About, a.Note, a.Failed})
	}
	return printCSV(e.stdout, "position,at,who,from,what,draw,about,note,failed", rows)
}
