package web_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/operators"
	"quiniela/internal/web"
)

// extract is that of the worked examples, as the API takes it.
const extract = `4563,4290,8068,2532,9658,562,1642,7613,3376,7481,4062,3284,7888,13,4533,5321,2662,6884,5828,7511`

// evening opens the draw nocturna of the game quiniela with terms, as JSON, takes the bets of two agencies, closes the draw and returns its
// ordinal. The bets of agency 1 win 1,050.00 and 2,333.80, those of agency 2 win 700.00.
func (d *desk) evening(terms string) {
	d.t.Helper()
	d.post("/api/v1/draws", `{"id":"nocturna","agencies":2,"source":"notary","game":"quiniela","terms":`+terms+`}`, 201)
	found, err := d.ledger.FindDraw(d.t.Context(), "nocturna")
	if err != nil {
		d.t.Fatal(err)
	}
	d.bet(found.Seq, 1, "Ana,Paz,30904465,1990-01-01,62,100,1-20\nEva,Sol,2,1990-01-01,07,50.50\nEva,Sol,2,1990-01-01,63,33.34\n")
	d.bet(found.Seq, 2, "Leo,Gil,3,1990-01-01,13,100,1-10\nLeo,Gil,3,1990-01-01,7,1\n")
	d.post("/api/v1/draws/nocturna/close", `{"note":"the time has come"}`, 200)
}

func (d *desk) post(path, body string, want int) string {
	d.t.Helper()
	status, _, text := d.ask(d.inner.URL, "POST", path, body)
	if status != want {
		d.t.Fatalf("POST %s %s: %d %s", path, body, status, text)
	}
	return text
}

// paid lets the draw nocturna be drawn with the extract of the worked examples.
func (d *desk) paid() {
	d.t.Helper()
	d.post("/api/v1/draws/nocturna/number", `{"prizes":[`+extract+`]}`, 200)
	found, err := d.ledger.FindDraw(d.t.Context(), "nocturna")
	if err != nil {
		d.t.Fatal(err)
	}
	<-d.ledger.Drawn(found.Seq)
}

func TestADrawWithStakesOverTheAPI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terms, want string
		due, paid   []uint64 // of the two agencies
		pool        uint64
	}{
		{`{}`, "quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-", []uint64{338380, 70000}, []uint64{338380, 70000}, 0},
		{`{"multipliers":[7,70,500,3500],"min_stake":50,"max_stake":10000,"cap":4}`, "quiniela multipliers=7,70,500,3500 min_stake=0.50 max_stake=100.00 cap=4",
			[]uint64{338380, 70000}, []uint64{94405, 19529}, 113936},
	} {
		d := open(t)
		d.evening(c.terms)
		var shown web.Draw
		text := d.get("/api/v1/draws/nocturna", "Draw", &shown)
		if shown.Game != "quiniela" || shown.Terms.String() != c.want || shown.Staked != 28484 || shown.Payout != nil {
			t.Errorf("closed: %s", text)
		}
		d.paid()
		shown = web.Draw{}
		text = d.get("/api/v1/draws/nocturna", "Draw", &shown)
		due, paid := c.due[0]+c.due[1], c.paid[0]+c.paid[1]
		if shown.Payout == nil || *shown.Payout != (web.Payout{Due: due, Pool: c.pool, Paid: paid}) || *shown.Winners != 3 || len(shown.Prizes) != 20 {
			t.Errorf("drawn, want due %d, pool %d, paid %d: %s", due, c.pool, paid, text)
		}
		var payouts struct{ Agencies []web.Payouts }
		d.get("/api/v1/draws/nocturna/payouts", "", &payouts)
		want := []web.Payouts{
			{Agency: 1, Name: "Rosario centro", Batches: 1, Bets: 3, Staked: 18384, Winners: 2, Due: c.due[0], Paid: c.paid[0]},
			{Agency: 2, Batches: 1, Bets: 2, Staked: 10100, Winners: 1, Due: c.due[1], Paid: c.paid[1]},
		}
		if !cmp.Equal(payouts.Agencies, want) {
			t.Error(cmp.Diff(payouts.Agencies, want))
		}
	}
}

// get asks for what must be there, checks it against a schema, if one is named, and reads it.
func (d *desk) get(path, schema string, v any) string {
	d.t.Helper()
	status, _, text := d.ask(d.inner.URL, "GET", path, "")
	if status != 200 {
		d.t.Fatalf("GET %s: %d %s", path, status, text)
	}
	if schema != "" {
		d.valid(schema, text)
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		d.t.Fatalf("GET %s: %v in %s", path, err, text)
	}
	return text
}

func TestEachWinningBetIsInTheTable(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{}`)
	if status, _, text := d.ask(d.inner.URL, "GET", "/api/v1/draws/nocturna/prizes.csv", ""); status != 404 || !strings.Contains(text, "has no result yet") {
		t.Errorf("before the draw: %d %s", status, text)
	}
	d.paid()
	status, h, text := d.ask(d.inner.URL, "GET", "/api/v1/draws/nocturna/prizes.csv", "")
	want := "draw,agency,name,batch,line,number,prizes,stake,hits,due,prize\n" +
		"nocturna,1,Rosario centro,1,1,62,1-20,100.00,3,1050.00,1050.00\n" +
		"nocturna,1,Rosario centro,1,3,63,1-1,33.34,1,2333.80,2333.80\n" +
		"nocturna,2,,1,1,13,1-10,100.00,1,700.00,700.00\n"
	if status != 200 || text != want || !strings.Contains(h.Get("Content-Disposition"), "nocturna-prizes.csv") {
		t.Errorf("%d %v\n%s", status, h, cmp.Diff(text, want))
	}
	if strings.Contains(text, "30904465") {
		t.Error("the table names a person")
	}
	for _, path := range []string{"/api/v1/draws/1/prizes.csv", "/api/v1/draws/1/payouts"} {
		if status, _, text := d.ask(d.inner.URL, "GET", path, ""); status != 404 || !strings.Contains(text, "which has no stakes") {
			t.Errorf("%s of a draw without stakes: %d %s", path, status, text)
		}
	}
}

func TestTermsThatNoDrawCanHaveAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	for body, want := range map[string]string{
		`"source":"notary","game":"loto"`:                                               `game: \"loto\": want specified or quiniela`,
		`"source":"notary","terms":{}`:                                                  "the game specified has none",
		`"source":"notary","game":"specified","terms":{"cap":4}`:                        "the game specified has none",
		`"source":"notary","game":"quiniela","terms":{"multipliers":[7,70,600]}`:        "3 multipliers: want 4",
		`"source":"notary","game":"quiniela","terms":{"multipliers":[7,70,600,3500,1]}`: "5 multipliers: want 4",
		`"source":"notary","game":"quiniela","terms":{"multipliers":[7,70,0,3500]}`:     "multipliers: 0 for 3 digits",
		`"source":"notary","game":"quiniela","terms":{"min_stake":0}`:                   "min_stake: 0.00, want 0.01",
		`"source":"notary","game":"quiniela","terms":{"min_stake":0.5}`:                 "cannot unmarshal number 0.5",
		`"source":"notary","game":"quiniela","terms":{"min_stake":200,"max_stake":100}`: "max_stake: 1.00, want 2.00",
		`"source":"notary","game":"quiniela","terms":{"cap":2000000}`:                   "cap: 2000000",
		`"source":"notary","game":"quiniela","terms":{"caps":2}`:                        `unknown field \"caps\"`,
		`"source":"fixed","number":7,"game":"quiniela"`:                                 "take notary or beacon",
	} {
		if status, _, text := d.ask(d.inner.URL, "POST", "/api/v1/draws", `{"id":"night","agencies":1,`+body+`}`); status != 422 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %q", body, status, text, want)
		}
	}
}

// What fits the other game is refused, and the draw then still takes what is right.
func TestTheExtractFitsTheGame(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{}`)
	d.post("/api/v1/draws", `{"id":"plain","agencies":1,"source":"notary"}`, 201)
	d.post("/api/v1/draws/plain/close", `{}`, 200)
	twenty := strings.Split(extract, ",")
	for _, c := range []struct{ id, body, want string }{
		{"nocturna", `{"number":4563}`, "20"},
		{"nocturna", `{"prizes":[]}`, "0 numbers: want the 20"},
		{"nocturna", `{"prizes":[` + strings.Join(twenty[:19], ",") + `]}`, "19 numbers: want the 20"},
		{"nocturna", `{"prizes":[` + extract + `,1]}`, "21 numbers: want the 20"},
		{"nocturna", `{"prizes":[10000,` + strings.Join(twenty[1:], ",") + `]}`, "the number 10000: want 0 to 9999"},
		{"nocturna", `{"prizes":[` + extract + `],"number":4563}`, "one of a number, prizes and a beacon"},
		{"plain", `{"prizes":[` + extract + `]}`, "specified"},
	} {
		status, _, text := d.ask(d.inner.URL, "POST", "/api/v1/draws/"+c.id+"/number", c.body)
		if status != 422 || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %d %s, want %q", c.id, c.body, status, text, c.want)
		}
	}
	d.paid()
	d.post("/api/v1/draws/plain/number", `{"number":4563}`, 200)
}

// Of an open draw a stranger is told nothing that is sold, neither bets nor stakes; of a drawn one what is paid.
func TestStrangersAreToldOfStakesWhenTheDrawIsClosed(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.register("vera", operators.Viewer, viewerKey)
	d.post("/api/v1/draws", `{"id":"nocturna","agencies":1,"source":"notary","game":"quiniela"}`, 201)
	d.bet(2, 1, "Ana,Paz,30904465,1990-01-01,62,123.45,1-20\n")
	for who, want := range map[string]bool{"": false, viewerKey: true} {
		var header []string
		if who != "" {
			header = bearer(who)
		}
		_, _, text := d.ask(d.server.URL, "GET", "/api/v1/draws/nocturna", "", header...)
		if strings.Contains(text, `"staked":12345`) != want || !strings.Contains(text, `"min_stake":100`) {
			t.Errorf("open, to %q: %s", who, text)
		}
	}
	d.post("/api/v1/draws/nocturna/close", `{}`, 200)
	d.paid()
	_, _, text := d.ask(d.server.URL, "GET", "/api/v1/draws/nocturna", "")
	paid := fmt.Sprintf(`"paid":%d`, 12345*70*3/20)
	if !strings.Contains(text, `"staked":12345`) || !strings.Contains(text, paid) {
		t.Errorf("drawn, to a stranger, want %s: %s", paid, text)
	}
}

// An operator who looks for a person is told what their bets are paid.
func TestAPersonsBetsHaveTheirPrizes(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{"cap":4}`)
	d.paid()
	text := d.post("/api/v1/find", `{"document":"2"}`, 200)
	d.check("#/paths/~1api~1v1~1find/post/responses/200/content/application~1json/schema", text)
	var answer struct{ Bets []web.FoundBet }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range answer.Bets {
		got = append(got, fmt.Sprint(b.Bet, " ", b.Won, " ", b.Hits, " ", b.Paid))
	}
	if want := []string{"Eva,Sol,2,1990-01-01,07,50.50 false 0 0", "Eva,Sol,2,1990-01-01,63,33.34 true 1 65111"}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(got, want))
	}
}

// In the game quiniela 7 and 07 are bets on two numbers.
func TestNumbersAreCountedByTheirDigits(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{}`)
	var answer struct {
		Numbers []struct {
			Number quiniela.Number
			Digits int
			Bets   int
		}
	}
	d.get("/api/v1/draws/nocturna/numbers", "", &answer)
	if got := fmt.Sprint(answer.Numbers); got != "[{7 1 1} {7 2 1} {13 2 1} {62 2 1} {63 2 1}]" {
		t.Errorf("numbers, digits and bets: %s", got)
	}
}
