package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/web"
)

type drawCommand struct {
	Open    drawOpenCommand    `cmd:"" help:"Open a draw."`
	Close   drawCloseCommand   `cmd:"" help:"Close a draw now, also with agencies missing: your decision, recorded."`
	Enter   drawEnterCommand   `cmd:"" help:"Enter the official number of a closed draw whose source is a notary, or a beacon's round. It cannot be changed."`
	Show    drawShowCommand    `cmd:"" help:"Show a draw and how far each agency is."`
	List    drawListCommand    `cmd:"" help:"List all draws."`
	Results drawResultsCommand `cmd:"" help:"Show a draw's winners with their documents."`

	Schedule drawScheduleCommand `cmd:"" help:"Check a schedule, and list its draws of the next days: when bets close, and what is open already."`
}

type drawOpenCommand struct {
	adminFlags
	ID       string `arg:"" help:"Name of the draw, such as 2026-11-24-evening."`
	Agencies uint32 `help:"Agencies that are expected: 1 to this." required:""`
	Closes   string `help:"Closing time: 21:00 (today, local time) or 2026-11-24T21:00:00-03:00. Without one the draw closes when all agencies have finished." placeholder:"TIME"`
	Source   string `help:"Source of the winning number: fixed, notary, or beacon (its first round a minute after the closing time)." default:"notary" enum:"fixed,notary,beacon"`
	Number   *int   `help:"The winning number, for the source fixed."`
	People   int    `help:"How many people must enter a notary's number, each for themselves: 1 or 2; 0: 2 where two are registered who may." default:"0" placeholder:"N"`
	askFlags
}

func (c *drawOpenCommand) Run(e env) error {
	t := web.Terms{ID: c.ID, Agencies: c.Agencies, Source: c.Source}
	var err error
	if t.Closes, err = closingTime(c.Closes, time.Now()); err != nil {
		return usageError{err}
	}
	if t.Number, err = number(c.Number, c.Source == "fixed"); err != nil {
		return usageError{err}
	}
	if t.Two, err = c.people(); err != nil {
		return usageError{err}
	}
	if t.Closes != nil {
		if err := c.confirm(e, fmt.Sprintf(e.say("Open draw %s for %d agencies. It closes on %s."), c.ID, c.Agencies, e.moment(*t.Closes, time.Now())), c.ID); err != nil {
			return err
		}
	}
	return c.change(e, "/api/v1/draws", t)
}

// people says whether two people must enter the number; nil: the server decides.
func (c *drawOpenCommand) people() (*bool, error) {
	switch {
	case c.People < 0 || c.People > 2:
		return nil, fmt.Errorf("--people %d: want 1 or 2", c.People)
	case c.People == 0:
		return nil, nil
	case c.Source != "notary":
		return nil, errors.New("--people is for the source notary: nobody enters another number")
	}
	two := c.People == 2
	return &two, nil
}

// closingTime reads a time of today in local time, or one with date and zone; "" is none.
func closingTime(s string, now time.Time) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return &t, nil
	}
	t, err := time.ParseInLocation("15:04", s, now.Location())
	if err != nil {
		return nil, fmt.Errorf("the closing time %q: write 21:00, or 2026-11-24T21:00:00-03:00", s)
	}
	y, m, d := now.Date()
	t = time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, now.Location())
	return &t, nil
}

func number(n *int, wanted bool) (*uint16, error) {
	switch {
	case n == nil && wanted:
		return nil, errors.New("the source fixed needs --number")
	case n == nil:
		return nil, nil
	case !wanted:
		return nil, errors.New("--number is for the source fixed; a notary's number is entered with `quiniela draw enter` once the draw is closed")
	case *n < 0 || *n > int(quiniela.MaxNumber):
		return nil, fmt.Errorf("the number %d: want 0 to %d", *n, quiniela.MaxNumber)
	}
	v := uint16(*n)
	return &v, nil
}

// change posts a request that changes a draw, and shows the draw.
func (f adminFlags) change(e env, path string, body any) error {
	a, err := f.open()
	if err != nil {
		return err
	}
	d, err := a.draw(e, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	return describe(e, d)
}

type drawCloseCommand struct {
	adminFlags
	ID   string `arg:"" help:"Name of the draw."`
	Note string `help:"Why; it is recorded."`
	askFlags
}

func (c *drawCloseCommand) Run(e env) error {
	d, err := c.show(e, c.ID)
	if err != nil {
		return err
	}
	what := fmt.Sprintf(e.say("Close draw %s, which is %s: %d of %d agencies have finished, with %s bets so far. It takes no bet after that."),
		d.ID, e.say(d.State), d.Finished, d.Agencies, e.count(d.Bets))
	if err := c.confirm(e, what, d.ID); err != nil {
		return err
	}
	return c.change(e, drawPath(c.ID)+"/close", map[string]string{"note": c.Note})
}

func drawPath(id string) string { return "/api/v1/draws/" + url.PathEscape(id) }

type drawEnterCommand struct {
	adminFlags
	ID      string `arg:"" help:"Name of the draw."`
	Number  *int   `arg:"" optional:"" help:"The official number, 0 to 9999."`
	Extract string `help:"The signed official extract; its SHA-256 goes into the public log." placeholder:"FILE"`
	Beacon  string `help:"The beacon's round, as drand publishes it at /public/ROUND: for a server that reaches no relay." placeholder:"FILE"`
	askFlags
}

func (c *drawEnterCommand) Run(e env) error {
	body, word, err := c.body()
	if err != nil {
		return err
	}
	d, err := c.show(e, c.ID)
	if err != nil {
		return err
	}
	what := fmt.Sprintf(e.say("Enter %s in draw %s, which is %s, with %s bets of %d agencies. Its winners follow from it."),
		word, d.ID, e.say(d.State), e.count(d.Bets), d.Agencies)
	if d.Two {
		what = fmt.Sprintf(e.say("Enter %s in draw %s, which is %s, with %s bets of %d agencies. It takes effect when a second person has entered the same."),
			word, d.ID, e.say(d.State), e.count(d.Bets), d.Agencies)
	}
	if err := c.confirm(e, what, word); err != nil {
		return err
	}
	return c.change(e, drawPath(c.ID)+"/number", body)
}

// body returns what is sent, and the number or the round in it, which the operator types again.
func (c *drawEnterCommand) body() (body map[string]any, word string, err error) {
	switch {
	case c.Beacon != "" && (c.Number != nil || c.Extract != ""):
		return nil, "", usageError{errors.New("a beacon's round gives the number by itself: leave the number and the extract out")}
	case c.Beacon != "":
		text, err := os.ReadFile(c.Beacon)
		if err != nil {
			return nil, "", fmt.Errorf("read the beacon's round: %w", err)
		}
		b, err := draw.ParseBeacon(text)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", c.Beacon, err)
		}
		return map[string]any{"beacon": b}, fmt.Sprint(b.Round), nil
	case c.Number == nil:
		return nil, "", usageError{errors.New("which number? Give it, or --beacon FILE")}
	}
	n, err := number(c.Number, true)
	if err != nil {
		return nil, "", usageError{err}
	}
	body, word = map[string]any{"number": n}, fmt.Sprintf("%04d", *n)
	if c.Extract == "" {
		return body, word, nil
	}
	text, err := os.ReadFile(c.Extract)
	if err != nil {
		return nil, "", fmt.Errorf("read the extract: %w", err)
	}
	body["extract"] = fmt.Sprintf("%x", sha256.Sum256(text))
	return body, word, nil
}

// show asks the server for a draw.
func (f adminFlags) show(e env, id string) (d web.Draw, err error) {
	a, err := f.open()
	if err != nil {
		return d, err
	}
	return a.draw(e, http.MethodGet, drawPath(id), nil)
}

// draw asks for an answer that is a draw as its operator sees it.
func (a *admin) draw(e env, method, path string, body any) (d web.Draw, err error) {
	if err = a.call(e.ctx, method, path, body, &d); err == nil {
		err = a.complete(d)
	}
	return d, err
}

// complete refuses a draw without the figures that an operator gets.
func (a *admin) complete(d web.Draw) error {
	if d.Figures == nil {
		return fmt.Errorf("the server at %s does not say how many bets draw %s has: is the key its operator's?", a.where, d.ID)
	}
	return nil
}

// stamp formats a time in local time; nil is "-".
func stamp(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

// closers are those who can close a draw, by their names in the API.
var closers = map[string]string{"agencies": "the last agency's finish", "time": "its closing time", "operator": "an operator"}

// describe prints all that the server says about a draw.
func describe(e env, d web.Draw) error {
	var fields []field
	row := func(name, format string, args ...any) {
		fields = append(fields, field{e.say(name), fmt.Sprintf(e.say(format), args...)})
	}
	row("draw", "%s", d.ID)
	row("state", "%s", e.say(d.State))
	row("agencies", "%d of %d have finished", d.Finished, d.Agencies)
	row("bets", "%s, batches: %s", e.count(d.Bets), e.count(d.Batches))
	row("opened", "%s", stamp(d.Opened))
	if d.Closes != nil {
		row("closes", "%s", stamp(d.Closes))
	}
	if d.Sealed != nil {
		row("closed", "%s, by %s", stamp(d.Sealed), e.say(closers[d.SealedBy]))
	}
	if d.Note != "" {
		row("note", "%s", d.Note)
	}
	switch {
	case d.Winners != nil:
		row("number", "%04d, winners: %s", *d.Number, e.count(*d.Winners))
	case d.Number != nil:
		row("number", "%04d; the winners are being found: quiniela draw results %s", *d.Number, d.ID)
	case d.State == "sealed" && d.Source == "beacon":
		row("number", "of the beacon's round %d, signed at %s", d.Round, stamp(d.RoundAt))
	case d.First != "":
		row("number", "entered by %s; a second person must enter the same: quiniela draw enter %s NUMBER", d.First, d.ID)
	case d.State == "sealed" && d.Two:
		row("number", "not entered yet, and two people must: quiniela draw enter %s NUMBER", d.ID)
	case d.State == "sealed" && d.Source == "notary":
		row("number", "not entered yet: quiniela draw enter %s NUMBER", d.ID)
	case d.Source == "beacon":
		row("number", "of the beacon's round %d, to be signed at %s", d.Round, stamp(d.RoundAt))
	case d.Two:
		row("number", "a notary's, which two people enter once the draw is closed")
	case d.Source == "notary":
		row("number", "a notary's, once the draw is closed")
	default:
		row("number", "fixed when the draw opened")
	}
	if len(d.By) > 0 {
		row("entered by", "%s", strings.Join(d.By, e.say(" and ")))
	}
	if len(d.Prizes) > 0 {
		var prizes []string
		for _, n := range d.Prizes {
			prizes = append(prizes, fmt.Sprintf("%04d", n))
		}
		row("prizes", "%s", strings.Join(prizes, " "))
	}
	return writeFields(e.stdout, fields, widthOf(e.stdout))
}
