//go:build unix

package integration

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quiniela/draw"
	"quiniela/internal/ledger"
)

// besides are servers for anybody, by a clock that stands still: alone holds draws of the specification's game, and beside the same ones and
// draws of the game quiniela.
type besides struct {
	*evening
	alone, beside *gameServer
}

func openBesides(t *testing.T) besides {
	t.Helper()
	program(t)
	e := &evening{lab: &lab{t, t.TempDir()}}
	e.setClock(draw.Quicknet().TimeOf(1000).Add(-ledger.Margin - time.Hour))
	clocked := byAnotherClock("http://127.0.0.1:0")
	return besides{e, e.open("alone", clocked), e.open("beside", clocked)}
}

// says sends requests to a server on a connection of their own, and returns all that comes back.
func (b besides) says(s *gameServer, requests string) string {
	b.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, requests); err != nil {
		b.t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		b.t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(reply)
}

// both expects that both servers answer alike, and as it is written here.
func (b besides) both(request, want string) {
	b.t.Helper()
	for _, s := range []*gameServer{b.alone, b.beside} {
		if got := b.says(s, request); got != want {
			b.t.Errorf("%s answers %q with %q, want %q", s.data, request, got, want)
		}
	}
}

// to asks one server's API, which must be content.
func (b besides) to(s *gameServer, method, path, body string) string {
	b.t.Helper()
	status, text, err := b.try(s, "", method, path, body)
	if err != nil || status >= 300 {
		b.t.Fatalf("%s: %s %s %s: %d %s %v", s.data, method, path, body, status, text, err)
	}
	return text
}

// frames frames request bodies, one after the other.
func frames(bodies ...string) (all string) {
	for _, body := range bodies {
		all += fmt.Sprintf("%d;%s", len(body), body)
	}
	return all
}

// first runs a draw before the one that is compared, of either game, so that both logs have as many entries.
func (b besides) first() {
	b.t.Helper()
	b.to(b.alone, "POST", "/api/v1/draws", `{"id":"first","agencies":1,"source":"notary"}`)
	b.to(b.beside, "POST", "/api/v1/draws", `{"id":"first","agencies":1,"source":"notary","game":"quiniela"}`)
	for s, line := range map[*gameServer]string{b.alone: "Ana,Paz,1,1990-01-01,4563\n", b.beside: "Ana,Paz,1,1990-01-01,4563,100,1-20\n"} {
		if got := b.says(s, frames("agency_ID|1|1\n"+line, "notify_finished|1\n")); got != "success|1\nack_notify\n" {
			b.t.Fatalf("%s: %q", s.data, got)
		}
	}
	b.to(b.alone, "POST", "/api/v1/draws/first/number", `{"number":4563}`)
	b.to(b.beside, "POST", "/api/v1/draws/first/number", `{"prizes":[4563,4290,8068,2532,9658,562,1642,7613,3376,7481,4062,3284,7888,13,4533,5321,2662,6884,5828,7511]}`)
	for _, s := range b.servers {
		await(b.t, "first is drawn", func() bool { return strings.Contains(b.to(s, "GET", "/api/v1/draws/first", ""), `"state":"drawn"`) })
	}
}

// A server that holds draws of both games answers the specified one byte for byte as a server that has never seen the other, and publishes the
// same of it. But for query_prizes, which is new, a program of before the game gives all these replies.
func TestTheSpecifiedGameIsTheSameBesideTheOther(t *testing.T) {
	t.Parallel()
	b := openBesides(t)
	b.first()
	for _, s := range b.servers {
		b.to(s, "POST", "/api/v1/draws", `{"id":"plain","agencies":3,"source":"fixed","number":7574}`)
	}
	b.to(b.alone, "POST", "/api/v1/draws", `{"id":"other","agencies":3,"source":"notary"}`)
	b.to(b.beside, "POST", "/api/v1/draws", `{"id":"other","agencies":3,"source":"notary","game":"quiniela"}`)
	const ana, win = "Ana,Paz,1,1990-01-01,7\n", "Win,Ner,30904465,1999-03-17,7574\n"
	none := strings.Repeat("0", 64)
	for _, row := range []struct{ request, reply string }{
		{"35;agency_ID|1\nAna,Paz,1,1990-01-01,7\n", "success|1\n"},
		{frames("agency_ID|1\n" + ana + "Ana,Paz,x,1990-01-01,7\n"), "fail|0\n"},
		{"agency_ID|1\n" + ana + win + "\n", "success|2\n"},
		{ana + win, "success|2\n"},
		{"Santiago Lionel~Lorca~30904465~1999-03-17~7574\n", "ok|30904465|7574\n"},
		{"2~Ana~Paz~1~1990-01-01~007\n", "ok|1|7\n"},
		{"2~Ana~Paz~1~1990-01-01~10000\n", "fail|||number: \"10000\" is not a number from 0 to 9999\n"},
		{frames("hello|3|\n"), "ok|1|0|0|" + none + "\n"},
		{frames("hello|3||\n"), "ok|1|0|0|" + none + "|plain\n"},
		{frames("hello|3||plain\n"), "ok|1|0|0|" + none + "|plain\n"},
		{frames("agency_ID|3|1\n" + ana + win), "success|2\n"},
		{frames("agency_ID|3|1\n" + ana + win), "success|2\n"},
		{frames("agency_ID|3|1\n" + ana), "fail|0|conflict|batch 1 of agency 3 is stored with other content (2 bets); ask hello where to go on\n"},
		{frames("agency_ID|3|3\n" + ana), "fail|0|gap|2\n"},
		{frames("agency_ID|3|2\n" + ana + "Ana,Paz,1,1990-02-30,7\n"), "fail|0|invalid|line 2: birthdate: \"1990-02-30\" is not a real date YYYY-MM-DD\n"},
		{frames("agency_ID|3|2\n" + ana + "Ana,Paz,1,1990-01-01,7,100\n"), "fail|0|invalid|line 2: 6 fields, want 5: first_name,last_name,document,birthdate,number\n"},
		{frames("status|3\n"), "ok|plain|open||1|2|0||\n"},
		{"16;query_winners|1\n", "in_progress-sorteo_no_listo\n"},
		{frames("query_prizes|1\n"), "in_progress-sorteo_no_listo\n"},
		{"18;notify_finished|1\n", "ack_notify\n"},
		{"notify_finished|2\n", "ack_notify\n"},
	} {
		b.both(row.request, row.reply)
	}
	b.afterwards(ana, win)
	b.samePublic("plain")
	const shown = `{"id":"plain","state":"drawn","agencies":3,"finished":3,"batches":6,"bets":9,"game":"specified","source":"fixed","public":true,` +
		`"opened":"2023-08-23T14:58:24Z","sealed":"2023-08-23T14:58:24Z","sealed_by":"agencies","number":7574,"winners":4,"drawn":"2023-08-23T14:58:24Z"}` + "\n"
	for path, want := range map[string]string{
		"": shown, "/winners": `{"winners":[{"agency":0,"winners":2},{"agency":1,"winners":1},{"agency":3,"winners":1}]}` + "\n",
		"/winners/1": `{"documents":["30904465"]}` + "\n", "/winners/2": `{"documents":[]}` + "\n",
		"/numbers": `{"numbers":[{"number":7,"digits":4,"bets":5},{"number":7574,"digits":4,"bets":4}]}` + "\n", "/agencies": "",
	} {
		one, two := b.to(b.alone, "GET", "/api/v1/draws/plain"+path, ""), b.to(b.beside, "GET", "/api/v1/draws/plain"+path, "")
		if one != two || want != "" && one != want {
			t.Errorf("%s: %swant %s%s", path, one, want, cmp.Diff(one, two))
		}
	}
	for _, s := range b.servers {
		b.awaitQuietBut(s, "other")
		s.stop()
		said := b.quiniela("export", "--data", s.data, "--draw", "plain")
		want := "1," + ana + "1," + ana + "1," + win + "0," + ana + "0," + win + "0," + strings.Replace(win, "Win,Ner", "Santiago Lionel,Lorca", 1) + "2," + strings.Replace(ana, ",7", ",007", 1) + "3," + ana + "3," + win
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("the export of %s\n%s", s.data, diff)
		}
	}
}

// afterwards lets the third agency finish, and asks what agencies ask after the draw. The current draw is another by then, as it always is where
// one more is open: an agency that names its draw is answered as ever.
func (b besides) afterwards(ana, win string) {
	b.t.Helper()
	in := func(agency int, bodies ...string) string {
		return frames(append([]string{fmt.Sprintf("hello|%d||plain\n", agency)}, bodies...)...)
	}
	b.both(in(3, "notify_finished|3|1\n"), "ok|2|2|2|"+hashOf(ana+win)+"|plain\nack_notify\n")
	b.both(in(1, "notify_finished|1\n", "wait_winners|1\n", "query_prizes|1\n", "status|1\n"),
		"ok|3|3|2|"+hashOf(ana+win)+"|plain\nack_notify\nok|1\n30904465\nok|1\n2|2|30904465|1|0\nok|plain|drawn||2|3|1|7574|1\n")
	b.both(in(2, "wait_winners|2\n", "query_winners|2\n", "query_prizes|2\n", "status|2\n"),
		"ok|2|1|1|"+hashOf(strings.Replace(ana, ",7", ",007", 1))+"|plain\nok|0\nok|0\nok|0\nok|plain|drawn||1|1|1|7574|0\n")
	b.both(in(3, "query_winners|3\n", "query_prizes|3\n", "agency_ID|3|2\n"+ana),
		"ok|2|2|2|"+hashOf(ana+win)+"|plain\nok|1\n30904465\nok|1\n1|2|30904465|1|0\nfail|0|finished|agency 3 has finished: it can send no more bets in draw plain\n")
}

// samePublic compares what is published of a draw, but for the batches, whose secrets are random.
func (b besides) samePublic(id string) {
	b.t.Helper()
	for name, want := range map[string]string{
		"open":    "quiniela/v2/draw-open\ndraw 2\nid plain\ngame specified\nagencies 3\nopened 1692802704000000\nclose -\nsource fixed\nnumber 7574\nchain -\nround -\n",
		"seal":    "",
		"totals":  "0 2 3 0 unattributed\n1 2 3 0 finished\n2 1 1 0 finished\n3 1 2 0 finished\n",
		"winners": "0 2\n1 1\n3 1\n",
		"result":  "quiniela/v2/result\ndraw 2\nopen 4\nseal 12\nsource fixed\nnumber 7574\nprizes -\nevidence -\nwinners 4\ndrawn 1692802704000000\n",
	} {
		var files [2]string
		for i, s := range b.servers {
			path := s.data + "/public/draws/" + id + "/"
			b.awaitFile(path + "outcome.json")
			files[i] = b.read(path + name)
		}
		if files[0] != files[1] || want != "" && files[0] != want {
			b.t.Errorf("%s of draw %s: %q, want %q\n%s", name, id, files[0], want, cmp.Diff(files[0], files[1]))
		}
	}
	if one, two := len(b.read("alone/public/draws/plain/batches/0")), len(b.read("beside/public/draws/plain/batches/0")); one != two || one != 6*100+9*48 {
		b.t.Errorf("the batches have %d and %d bytes", one, two)
	}
}

// awaitQuietBut waits until all is published but a draw that is open.
func (e *evening) awaitQuietBut(s *gameServer, open string) {
	e.t.Helper()
	await(e.t, "all but what is open is published", func() bool {
		out, err := e.run(nil, program(e.t), "audit", s.data+"/public")
		exit := new(exec.ExitError)
		return err == nil || errors.As(err, &exit) && exit.ExitCode() == 3 && strings.Contains(out, "Draw "+open+" (open)")
	})
}

// What fits the other game is refused, with the line and the field, and nothing is lost: neither what was stored nor the place to go on.
func TestALineOfTheOtherGameIsRefused(t *testing.T) {
	t.Parallel()
	b := openBesides(t)
	b.to(b.alone, "POST", "/api/v1/draws", `{"id":"plain","agencies":1,"source":"fixed","number":7574}`)
	b.to(b.beside, "POST", "/api/v1/draws", `{"id":"stakes","agencies":1,"source":"notary","game":"quiniela","terms":{"min_stake":200,"max_stake":500000}}`)
	const five, six, seven = "Ana,Paz,1,1990-01-01,7\n", "Ana,Paz,1,1990-01-01,7,100\n", "Ana,Paz,1,1990-01-01,07,4999.99,1-20\n"
	const want6 = "5 fields, want 6 or 7: first_name,last_name,document,birthdate,number,stake[,from-to] (the draw's game is quiniela)"
	for _, row := range []struct {
		s              *gameServer
		request, reply string
	}{
		{b.alone, frames("agency_ID|1|1\n" + five), "success|1\n"},
		{b.alone, frames("agency_ID|1|2\n" + five + six), "fail|0|invalid|line 2: 6 fields, want 5: first_name,last_name,document,birthdate,number\n"},
		{b.alone, frames("agency_ID|1|2\n" + seven), "fail|0|invalid|line 1: 7 fields, want 5: first_name,last_name,document,birthdate,number\n"},
		{b.alone, frames("agency_ID|1\n" + seven), "fail|0\n"},
		{b.alone, "agency_ID|1\n" + six + "\n", "fail|0\n"},
		{b.alone, six + "\n", "fail|0\n"},
		{b.alone, frames("hello|1|\n", "agency_ID|1|2\n"+five), "ok|2|1|1|" + hashOf(five) + "\nsuccess|1\n"},
		{b.beside, frames("agency_ID|1|1\n" + seven), "success|1\n"},
		{b.beside, frames("agency_ID|1|2\n" + six + five), "fail|0|invalid|line 2: " + want6 + "\n"},
		{b.beside, frames("agency_ID|1\n" + five), "fail|0\n"},
		{b.beside, "agency_ID|1\n" + five + "\n", "fail|0\n"},
		{b.beside, five + "\n", "fail|0\n"},
		{b.beside, "1~Ana~Paz~1~1990-01-01~7\n", "fail|||" + want6 + ": send it as a bet line, in a batch\n"},
		{b.beside, "Ana~Paz~1~1990-01-01~7\n", "fail|||" + want6 + ": send it as a bet line, in a batch\n"},
		{b.beside, frames("agency_ID|1|2\n" + seven + "Ana,Paz,1,1990-01-01,7,1.99\n"), "fail|0|invalid|line 2: stake: 1.99 is under the draw's 2.00\n"},
		{b.beside, frames("agency_ID|1|2\n" + seven + seven + "Ana,Paz,1,1990-01-01,7,5000.01\n"), "fail|0|invalid|line 3: stake: 5000.01 is over the draw's 5000.00\n"},
		{b.beside, frames("hello|1||\n", "agency_ID|1|2\n"+six), "ok|2|1|1|" + hashOf(seven) + "|stakes|quiniela multipliers=7,70,600,3500 min_stake=2.00 max_stake=5000.00 cap=-\nsuccess|1\n"},
	} {
		if got := b.says(row.s, row.request); got != row.reply {
			t.Errorf("%s answers %q with %q, want %q", row.s.data, row.request, got, row.reply)
		}
	}
	for s, want := range map[*gameServer]string{b.alone: `"batches":2,"bets":2,`, b.beside: `"batches":2,"bets":2,"staked":509999,`} {
		id := map[*gameServer]string{b.alone: "plain", b.beside: "stakes"}[s]
		if text := b.to(s, "GET", "/api/v1/draws/"+id, ""); !strings.Contains(text, want) {
			t.Errorf("%s, want %s", text, want)
		}
	}
}

// hashOf is the content hash of a batch.
func hashOf(lines string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(lines))) }
