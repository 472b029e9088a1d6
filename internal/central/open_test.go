package central_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/internal/agencies"
	"quiniela/internal/central"
)

// ask sends requests on a connection of its own and returns all that comes back.
func ask(t *testing.T, c *central.Central, requests string) string {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, c.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, sent := io.WriteString(conn, requests)
	ended := conn.CloseWrite()
	late := conn.SetReadDeadline(time.Now().Add(5 * time.Minute))
	reply, err := io.ReadAll(conn)
	if err := errors.Join(sent, ended, late, err); err != nil {
		t.Fatalf("%q: %v", requests, err)
	}
	return string(reply)
}

func framed(bodies ...string) string {
	var all strings.Builder
	for _, body := range bodies {
		fmt.Fprintf(&all, "%d;%s", len(body), body)
	}
	return all.String()
}

// documented returns a request of each form that docs/PROTOCOL.md has: of agency 1, for batch 1, with somebody else's bet.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	const bet = "Ana,Paz,1,1990-01-01,7\n"
	fill := strings.NewReplacer(`\|`, "|", "`", "", "<agency>", "1", "<batch>", "1", "<batches>", "1", "<token>", "", "<draw>", "1",
		" then one CSV line per bet", "\n"+bet, " then lines", "\n"+bet, "bet lines alone, bare", bet,
		"nombre~apellido~documento~nacimiento~numero", "Ana~Paz~1~1990-01-01~7")
	_, table, _ := strings.Cut(string(text), "| request body |")
	table, _, _ = strings.Cut(table, "\n\n")
	var all []string
	for _, row := range regexp.MustCompile(`(?m)^\| ((?:[^|\\]|\\.)*) \|`).FindAllStringSubmatch(table, -1) {
		request := fill.Replace(row[1])
		if strings.ContainsAny(request, "<>") || strings.Contains(request, "then") {
			t.Fatalf("this test cannot fill in %q", row[1])
		}
		all = append(all, request)
	}
	if len(all) < 12 {
		t.Fatalf("found %d requests in the document: %q", len(all), all)
	}
	return all
}

// Without a registry anybody may speak for any agency. Every request, in every form, before the draw and after it, tells nobody's
// name, date of birth or document, but for the documents of winners, which the specification's query is there for, and the one for what they
// are paid.
func TestAnOpenServerNamesNobody(t *testing.T) {
	o := whole(t.TempDir())
	o.Seed.Agencies = 2
	c := start(t, o)
	const lines = "Zoraida,Quinteros,40111222,1987-06-05,7574\nMelquiades,Iturralde,40333444,1979-03-02,1\n"
	if got := ask(t, c, framed("agency_ID|1|1\n"+lines, "1~Anastasio~Belgrano~40555666~1968-04-03~2", "notify_finished|2")); got != "success|2\nok|40555666|2\nack_notify\n" {
		t.Fatalf("the agency itself: %q", got)
	}
	secrets := regexp.MustCompile(`Zoraida|Quinteros|1987-06-05|Melquiades|Iturralde|1979-03-02|40333444|Anastasio|Belgrano|1968-04-03|40555666`)
	pass := func(when string, requests []string) {
		for _, request := range requests {
			for form, sent := range map[string]string{"framed": framed(request), "framed, after a hello": framed("hello|1", request), "bare": request + "\n"} {
				reply := ask(t, c, sent)
				if found := secrets.FindString(reply); found != "" {
					t.Errorf("%s, %q %s tells %s:\n%s", when, request, form, found, reply)
				}
				if strings.Contains(reply, "40111222") && !strings.Contains(request, "_winners|1") && !strings.Contains(request, "_prizes|1") {
					t.Errorf("%s, %q %s tells a winner's document:\n%s", when, request, form, reply)
				}
			}
		}
	}
	all := documented(t)
	var early []string
	for _, request := range all {
		if !strings.HasPrefix(request, "notify_finished") && !strings.HasPrefix(request, "wait_winners") {
			early = append(early, request)
		}
	}
	pass("before the draw", early)
	if got := ask(t, c, framed("notify_finished|1")); got != "ack_notify\n" {
		t.Fatalf("finish: %q", got)
	}
	await(t, c, "1", "drawn")
	pass("after the draw", all)
	if got := ask(t, c, framed("query_winners|1")); got != "ok|1\n40111222\n" {
		t.Errorf("the winners: %q", got)
	}
}

// An open server says what its operator does. From then on each agency gets its own proofs, those of bets that it sent before
// as well, and nobody else's; without the registry nobody gets any, in this run or the next.
func TestProofsAreForRegisteredAgencies(t *testing.T) {
	o := whole(t.TempDir())
	o.Seed.Agencies = 2
	registry := filepath.Join(o.Dir, agencies.FileName)
	tokens := map[quiniela.Agency]string{}
	wants := func(c *central.Central, when, want string, bodies ...string) {
		t.Helper()
		var reply string
		for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) { // a registry is read again within a second
			reply = ask(t, c, framed(bodies...))
			if strings.HasPrefix(reply[strings.Index(reply, "\n")+1:], want) {
				return
			}
		}
		t.Errorf("%s: %q, want %q", when, reply, want)
	}
	t.Run("one run", func(t *testing.T) {
		c := start(t, o)
		if got := ask(t, c, framed("agency_ID|1|1\nZoraida,Quinteros,40111222,1987-06-05,7574\n")); got != "success|1\n" {
			t.Fatal(got)
		}
		wants(c, "without a registry", "fail|0|absent|this server is open to all, and proofs are for the agency alone: the operator registers the agencies "+
			"with `quiniela agency add N`", "hello|1", "proofs|1")
		err := agencies.Change(registry, func(r *agencies.Registry) (err error) {
			for n := quiniela.Agency(1); n <= 2; n++ {
				if tokens[n], err = r.Add(n, "", "", time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wants(c, "a stranger", "fail|0|denied|", "hello|1", "proofs|1")
		wants(c, "another agency", "fail|0|denied|", "hello|2|"+tokens[2], "proofs|1")
		wants(c, "the agency", "ok|2\n", "hello|1|"+tokens[1], "proofs|1")
		if err := os.Remove(registry); err != nil {
			t.Fatal(err)
		}
		wants(c, "without the registry", "fail|0|busy|", "hello|1|"+tokens[1], "proofs|1")
	})
	t.Run("the next", func(t *testing.T) {
		wants(start(t, o), "without the registry", "fail|0|absent|this server is open to all", "hello|1|"+tokens[1], "proofs|1")
	})
}
