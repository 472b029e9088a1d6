//go:build unix

package integration

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/internal/journal/postgres/pgtest"
	"quiniela/internal/web"
)

// workedExtract is the extract of the worked examples in docs/QUINIELA.md.
const workedExtract = "4563 4290 8068 2532 9658 0562 1642 7613 3376 7481 4062 3284 7888 0013 4533 5321 2662 6884 5828 7511"

// worked is a bet, and what has to become of it.
type worked struct {
	agency    int
	play      string // as the agency's file has it: number,stake[,from-to]
	at        string // the prizes that it hits, as verify lists them; "": none
	due, paid string // in pesos
	words     string // as verify says what was played
}

// gameDraw is a draw of the game quiniela and all that has to come of it.
type gameDraw struct {
	id      string
	terms   string // JSON, as the API takes it
	extract string
	bets    []worked

	staked, due, pool, paid string // in pesos; pool is "" where the cap is not exceeded
}

// examples are the worked examples.
func examples() gameDraw {
	return gameDraw{
		id: "night", terms: `{}`, extract: workedExtract, staked: "833.34", due: "457483.80", paid: "457483.80",
		bets: []worked{
			{1, "4563,100", "1", "350000.00", "350000.00", "4563, four digits, the first prize, 100.00"},
			{1, "563,100", "1", "60000.00", "60000.00", "563, three digits, the first prize, 100.00"},
			{1, "63,100.00,1-1", "1", "7000.00", "7000.00", "63, two digits, the first prize, 100.00"},
			{1, "62,100,1-20", "6, 11, 17", "1050.00", "1050.00", "62, two digits, prizes 1 to 20, 100.00"},
			{1, "62,100,1-5", "", "0.00", "0.00", "62, two digits, prizes 1 to 5, 100.00"},
			{2, "58,100,1-5", "5", "1400.00", "1400.00", "58, two digits, prizes 1 to 5, 100.00"},
			{2, "13,100.0,1-10", "8", "700.00", "700.00", "13, two digits, prizes 1 to 10, 100.00"},
			{2, "0562,100,1-10", "6", "35000.00", "35000.00", "0562, four digits, prizes 1 to 10, 100.00"},
			{2, "63,33.34,1", "1", "2333.80", "2333.80", "63, two digits, the first prize, 33.34"},
		},
	}
}

// tucuman is the published case of a cap: 130,308.00 are staked, 586,909.00 are due, and 4 × 130,308.00 = 521,232.00 can be paid, which is a
// share of 0.888. The worked examples come to 457,483.80 of what is due, five bets more to the rest, and one that loses to the rest of the
// stakes. Each is paid due × 521,232.00 ÷ 586,909.00, truncated to the cent: together 6 cents less than can be paid.
func tucuman() gameDraw {
	d := examples()
	d.id, d.terms = "capped", `{"cap":4}`
	d.staked, d.due, d.pool, d.paid = "130308.00", "586909.00", "521232.00", "521231.94"
	for i, paid := range []string{"310833.87", "53285.80", "6216.67", "932.50", "0.00", "1243.33", "621.66", "31083.38", "2072.64"} {
		d.bets[i].paid = paid
	}
	d.bets = append(d.bets,
		worked{1, "3,3.72,1-20", "1, 8, 14, 15", "5.20", "4.61", "3, one digit, prizes 1 to 20, 3.72"}, // 5.208
		worked{1, "9999,129423.94", "", "0.00", "0.00", "9999, four digits, the first prize, 129,423.94"},
		worked{2, "4563,36", "1", "126000.00", "111900.19", "4563, four digits, the first prize, 36.00"},
		worked{2, "563,5", "1", "3000.00", "2664.29", "563, three digits, the first prize, 5.00"},
		worked{2, "63,6", "1", "420.00", "373.00", "63, two digits, the first prize, 6.00"},
	)
	return d
}

// gameBatch is how many bets a batch of these draws has.
const gameBatch = 2

// of returns the bets of an agency.
func (d gameDraw) of(agency int) (all []worked) {
	for _, b := range d.bets {
		if b.agency == agency {
			all = append(all, b)
		}
	}
	return all
}

// file returns an agency's file, and what its file of winners has to be.
func (d gameDraw) file(agency int) (lines, winners string) {
	for i, b := range d.of(agency) {
		line := fmt.Sprintf("Ana,Paz,%d%02d,1990-01-01,%s", agency, i+1, b.play)
		lines += line + "\n"
		if b.at != "" {
			if strings.Count(b.play, ",") == 1 {
				line += "," // the cell of the range, so that all rows have the same
			}
			winners += fmt.Sprintf("%s,%d,%s\n", line, hitsIn(b.at), b.paid)
		}
	}
	return lines, winners
}

func hitsIn(at string) int {
	if at == "" {
		return 0
	}
	return 1 + strings.Count(at, ", ")
}

// batches is how many batches an agency sends.
func (d gameDraw) batches(agency int) int { return (len(d.of(agency)) + gameBatch - 1) / gameBatch }

// cents reads an amount in pesos with two decimals; "" is none.
func cents(t testing.TB, pesos string) uint64 {
	t.Helper()
	if pesos == "" {
		return 0
	}
	whole, part, ok := strings.Cut(pesos, ".")
	n, err := strconv.ParseUint(whole+part, 10, 64)
	if err != nil || !ok || len(part) != 2 {
		t.Fatalf("%q is no amount with two decimals: %v", pesos, err)
	}
	return n
}

// pesos is an amount with two decimals.
func pesos(cents uint64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// stake returns what a bet is on and its stake and prizes, each as tables write it.
func (b worked) stake(t testing.TB) (number string, stake uint64, prizes string) {
	t.Helper()
	fields := append(strings.Split(b.play, ","), "1-1")
	whole, part, _ := strings.Cut(fields[1], ".")
	if prizes = fields[2]; prizes == "1" {
		prizes = "1-1"
	}
	return fields[0], cents(t, whole+"."+(part + "00")[:2]), prizes
}

// sums adds up the bets of an agency: its line of the payouts.
func (d gameDraw) sums(t testing.TB, agency int) web.Payouts {
	t.Helper()
	p := web.Payouts{Agency: uint32(agency), Name: fmt.Sprintf("Agencia %d", agency), Batches: uint64(d.batches(agency))}
	for _, b := range d.of(agency) {
		_, stake, _ := b.stake(t)
		p.Bets++
		p.Staked += stake
		p.Due += cents(t, b.due)
		p.Paid += cents(t, b.paid)
		p.Winners += uint64(min(hitsIn(b.at), 1))
	}
	return p
}

// prizesCSV is the table of winning bets that the API has to give.
func (d gameDraw) prizesCSV(t testing.TB) string {
	t.Helper()
	text := "draw,agency,name,batch,line,number,prizes,stake,hits,due,prize\n"
	for agency := 1; agency <= 2; agency++ {
		for i, b := range d.of(agency) {
			if number, stake, prizes := b.stake(t); b.at != "" {
				text += fmt.Sprintf("%s,%d,Agencia %[2]d,%d,%d,%s,%s,%s,%d,%s,%s\n",
					d.id, agency, i/gameBatch+1, i%gameBatch+1, number, prizes, pesos(stake), hitsIn(b.at), b.due, b.paid)
			}
		}
	}
	return text
}

// sell opens the draws and takes all bets, with a restart after each step.
func (e *evening) sell(more string) {
	e.t.Helper()
	for _, d := range e.draws {
		e.post("ana", "/api/v1/draws", fmt.Sprintf(`{"id":%q,"agencies":2,"game":"quiniela","terms":%s,%s}`, d.id, d.terms, more), 201)
	}
	e.again("after the opening")
	for _, d := range e.draws {
		e.firstBatch(d, 1)
	}
	e.again("between two batches")
	e.clientsOf(1)
	e.untilAll("has one agency's bets", func(d web.Draw) bool { return d.Finished == 1 })
	e.anew("after the first agency's finish")
	e.clientsOf(2)
	e.untilAll("is closed", func(d web.Draw) bool { return d.State == "sealed" })
	e.again("after all have finished")
}

// paid waits for the clients, and checks what the agencies and the API say.
func (e *evening) paid() {
	e.t.Helper()
	e.untilAll("is drawn", func(d web.Draw) bool { return d.State == "drawn" })
	e.again("after the result")
	e.anew("after the result")
	for range 2 { // a further run of the clients changes nothing
		for _, c := range e.clients {
			c.wait()
		}
		e.clients = nil
		for _, d := range e.draws {
			for agency := 1; agency <= 2; agency++ {
				_, want := d.file(agency)
				if diff := cmp.Diff(want, e.read(fmt.Sprintf("%s-%d.winners", d.id, agency))); diff != "" {
					e.t.Errorf("winners of agency %d in draw %s\n%s", agency, d.id, diff)
				}
				e.clients = append(e.clients, e.client(d, agency))
			}
		}
	}
	for _, d := range e.draws {
		e.wantAPI(d)
	}
	for _, c := range e.clients {
		c.wait()
	}
}

func (e *evening) wantAPI(d gameDraw) {
	e.t.Helper()
	got := e.draw(d.id)
	winners := d.sums(e.t, 1).Winners + d.sums(e.t, 2).Winners
	want := web.Payout{Due: cents(e.t, d.due), Pool: cents(e.t, d.pool), Paid: cents(e.t, d.paid)}
	if got.Game != "quiniela" || got.Payout == nil || *got.Payout != want || got.Staked != cents(e.t, d.staked) || *got.Winners != winners {
		e.t.Errorf("draw %s: %+v, paid %+v; want staked %s, %+v, %d winners", d.id, got, got.Payout, d.staked, want, winners)
	}
	if fmt.Sprintf("%04d", got.Prizes) != "["+d.extract+"]" {
		e.t.Errorf("draw %s: the extract is %04d", d.id, got.Prizes)
	}
	var payouts struct{ Agencies []web.Payouts }
	if err := json.Unmarshal([]byte(e.get("/api/v1/draws/"+d.id+"/payouts")), &payouts); err != nil {
		e.t.Fatal(err)
	}
	if diff := cmp.Diff([]web.Payouts{d.sums(e.t, 1), d.sums(e.t, 2)}, payouts.Agencies); diff != "" {
		e.t.Errorf("draw %s\n%s", d.id, diff)
	}
	if diff := cmp.Diff(d.prizesCSV(e.t), e.get("/api/v1/draws/"+d.id+"/prizes.csv")); diff != "" {
		e.t.Errorf("draw %s\n%s", d.id, diff)
	}
}

// checked lets everybody check: the operator its journal, a stranger the public log, each bettor a receipt.
func (e *evening) checked() {
	e.t.Helper()
	e.counted()
	for _, d := range e.draws {
		for _, s := range e.servers {
			e.wantReceipts(d, s.data+"/public")
		}
	}
}

// counted stops the servers and lets everybody count who counts all bets of a draw.
func (e *evening) counted() {
	e.t.Helper()
	for _, s := range e.servers {
		for _, d := range e.draws {
			e.awaitFile(s.data + "/public/draws/" + d.id + "/outcome.json")
		}
		e.awaitQuiet(s)
		s.stop()
	}
	said := e.quiniela(append([]string{"fsck", "--data", e.servers[0].data}, e.journal...)...)
	if !strings.Contains(said, "nothing is wrong") {
		e.t.Errorf("fsck: %s", said)
	}
	for _, d := range e.draws {
		e.wantBets(d)
	}
	for _, s := range e.servers {
		e.wantAudit(s.data + "/public")
	}
}

// awaitQuiet waits until a server's public log is published to its end, which an audit of it confirms.
func (e *evening) awaitQuiet(s *gameServer) {
	e.t.Helper()
	await(e.t, "the public log is complete", func() bool {
		_, err := e.run(nil, program(e.t), "audit", s.data+"/public")
		return err == nil
	})
}

// wantBets checks the export, and that it has the bets of the files.
func (e *evening) wantBets(d gameDraw) {
	e.t.Helper()
	got := strings.Split(strings.TrimSpace(e.quiniela(append([]string{"export", "--data", e.servers[0].data, "--draw", d.id}, e.journal...)...)), "\n")
	var want []string
	for agency := 1; agency <= 2; agency++ {
		lines, _ := d.file(agency)
		for line := range strings.Lines(lines) {
			want = append(want, fmt.Sprintf("%d,%s", agency, strings.TrimSpace(line)))
		}
	}
	slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(a[:1], b[:1]) }) // each agency's bets are in the order of its file
	if diff := cmp.Diff(want, got); diff != "" {
		e.t.Errorf("the export of draw %s\n%s", d.id, diff)
	}
}

// wantAudit checks what an audit of the public log says of the money.
func (e *evening) wantAudit(public string) {
	e.t.Helper()
	args := []string{"audit", public, "--policy", e.policy(public)}
	if e.journal == nil {
		args = append(args, "--journal", filepath.Dir(public))
	}
	said := strings.Join(strings.Fields(e.quiniela(args...)), " ")
	for _, d := range e.draws {
		one, two := d.sums(e.t, 1), d.sums(e.t, 2)
		want := []string{fmt.Sprintf("Draw %s (drawn): %d bets, %s staked, in %d batches, number %s from source", d.id, len(d.bets), d.staked, one.Batches+two.Batches, d.extract[:4]),
			fmt.Sprintf("%d winners%s.", one.Winners+two.Winners, paidOf(d.paid, d.due))}
		for _, a := range []web.Payouts{one, two} {
			want = append(want, fmt.Sprintf("agency %d %d batches %d bets, %s staked, %d winners%s", a.Agency, a.Batches, a.Bets, pesos(a.Staked), a.Winners, paidOf(pesos(a.Paid), pesos(a.Due))))
		}
		for _, text := range append(want, "All that could be checked agrees") {
			if !strings.Contains(said, text) {
				e.t.Errorf("the audit does not say %q:\n%s", text, said)
			}
		}
	}
}

func paidOf(paid, due string) string {
	if paid == due {
		return " paid " + paid
	}
	return " paid " + paid + " of " + due
}

// policy writes a policy that believes the log's key, and returns its file.
func (e *evening) policy(public string) string {
	e.t.Helper()
	e.write("policy", "log "+strings.TrimSpace(e.read(public+"/log.vkey"))+"\nquorum none\n")
	return "policy"
}

// wantReceipts makes the receipt of each bet from the agency's file, and lets its bettor check it.
func (e *evening) wantReceipts(d gameDraw, public string) {
	e.t.Helper()
	key := strings.TrimSpace(e.read(public + "/log.vkey"))
	for agency := 1; agency <= 2; agency++ {
		name := fmt.Sprintf("%s-%d", d.id, agency)
		e.quiniela("client", "receipts", "--file", name+".csv", "--proofs", name+".proofs", "--log-key", key, "--all", "--out", name)
		receipts := strings.Split(strings.TrimSpace(e.read(name+"/receipts.jsonl")), "\n")
		if len(receipts) != len(d.of(agency)) {
			e.t.Fatalf("%d receipts of %d bets", len(receipts), len(d.of(agency)))
		}
		for i, b := range d.of(agency) {
			e.write(e.receipt(d, agency, i), receipts[i])
			said := e.quiniela(append([]string{"verify", e.receipt(d, agency, i), "--key", key}, e.outcome(d, public)...)...)
			want := fmt.Sprintf("on %s in draw %s is bet %d of batch %d of agency %d in the log lottery.example/log, and hits at the prizes: %s. THE BET WON, and is paid %s.",
				b.words, d.id, i%gameBatch+1, i/gameBatch+1, agency, b.at, thousands(b.paid))
			if b.at == "" {
				want = b.words + " in draw " + d.id
			}
			if !strings.Contains(said, want) || strings.Contains(said, "did not win") != (b.at == "") {
				e.t.Errorf("verify says\n%s\nwant %s", said, want)
			}
		}
	}
}

// outcome is where verify finds what became of a draw: in its outcome alone or, since the proofs may have come from another server, whose
// checkpoints are of other sizes, in the whole log.
func (e *evening) outcome(d gameDraw, public string) []string {
	if len(e.servers) > 1 {
		return []string{"--log", public}
	}
	return []string{"--outcome", public + "/draws/" + d.id + "/outcome.json"}
}

// wantOtherwise lets the checker in Python, which knows the formats' document alone, check the log, and what agency 1 has of the second draw: its
// proofs, the receipt of a bet that won and that of one that lost.
func (e *evening) wantOtherwise(t *testing.T) {
	e.t.Helper()
	d, public := e.draws[1], filepath.Join(e.dir, e.servers[0].data, "public")
	accepted(t, "check.py", "folder", public, public+"/log.vkey")
	e.must(nil, "rm", "-rf", "forged")
	e.must(nil, "cp", "-rp", public, "forged")
	winners := "forged/draws/" + d.id + "/winners"
	e.write(winners, strings.Replace(e.read(winners), "\n", "1\n", 1)) // ten times as much
	refused(t, "winners", "check.py", "folder", filepath.Join(e.dir, "forged"), public+"/log.vkey")
	name := filepath.Join(e.dir, d.id+"-1")
	accepted(t, "proofs.py", name+".proofs", name+".csv", public+"/log.vkey")
	won := slices.IndexFunc(d.of(1), func(b worked) bool { return hitsIn(b.at) > 1 })
	lost := slices.IndexFunc(d.of(1), func(b worked) bool { return b.at == "" })
	for i, want := range map[int]string{won: fmt.Sprintf("and won, and is paid %d cents\n", cents(t, d.of(1)[won].paid)), lost: "and did not win\n"} {
		said, right := formats(t, "check.py", "receipt", filepath.Join(e.dir, e.receipt(d, 1, i)), public+"/draws/"+d.id+"/outcome.json", public+"/log.vkey", public)
		if !right || !strings.HasSuffix(said, want) {
			t.Errorf("%s of draw %s: %s, want %s", d.of(1)[i].play, d.id, said, want)
		}
	}
}

// receipt names the file of a bet's receipt.
func (e *evening) receipt(d gameDraw, agency, bet int) string {
	return fmt.Sprintf("%s-%d/%d.json", d.id, agency, bet+1)
}

// thousands puts a comma before every third digit.
func thousands(pesos string) string {
	for i := len(pesos) - 6; i > 0; i -= 3 {
		pesos = pesos[:i] + "," + pesos[i:]
	}
	return pesos
}

// realServer starts `quiniela server`.
func realServer(e *evening, s *gameServer) *process {
	args := append([]string{"server", "--ip", "127.0.0.1", "--port", s.port, "--data", s.data, "--http-addr", "off", "--admin-addr", "off", "--no-auto-draw",
		"--log-key", "log.key", "--log-origin", "lottery.example/log"}, e.journal...)
	return e.launch(args...)
}

// entered lets two people enter the extract, with a restart in between and right after.
func (e *evening) entered() {
	e.t.Helper()
	var prizes []int
	for word := range strings.FieldsSeq(workedExtract) {
		n, err := strconv.Atoi(word)
		if err != nil {
			e.t.Fatal(err)
		}
		prizes = append(prizes, n)
	}
	list, err := json.Marshal(prizes)
	if err != nil {
		e.t.Fatal(err)
	}
	body := `{"prizes":` + string(list) + `}`
	for _, d := range e.draws {
		e.post("ana", "/api/v1/draws/"+d.id+"/number", body, 200)
	}
	e.again("after the first of two people")
	for _, d := range e.draws {
		if got := e.draw(d.id); got.First != "ana" || got.State != "sealed" {
			e.t.Fatalf("after the first of two people: %+v", got)
		}
		e.post("ana", "/api/v1/draws/"+d.id+"/number", body, 200) // she says it again
		other := strings.Replace(body, "7511]", "7512]", 1)
		if status, text, err := e.try(e.current(), "eva", "POST", "/api/v1/draws/"+d.id+"/number", other); err != nil || status < 400 || !strings.Contains(text, "neither counts") {
			e.t.Fatalf("another twentieth number: %d %s %v", status, text, err)
		}
		e.post("ana", "/api/v1/draws/"+d.id+"/number", body, 200)
		e.post("eva", "/api/v1/draws/"+d.id+"/number", body, 200)
	}
	e.kill() // the entry is on the disk, the result perhaps not
}

// kill kills the next server, and starts it again.
func (e *evening) kill() {
	e.t.Helper()
	s := e.servers[e.steps%len(e.servers)]
	e.steps++
	_ = s.Process.Kill()
	_ = s.Wait() // it was killed
	e.start(s)
}

// The worked examples of the game, and the published case of a cap, from the agencies' files to what strangers recompute, with a server that
// is killed after every step.
func TestTheGameByANotary(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *evening{
		"local": func(t *testing.T) *evening {
			return openEvening(t, []gameDraw{examples(), tucuman()}, nil, []string{"data"}, realServer)
		},
		"two servers": func(t *testing.T) *evening {
			journal := []string{"--journal", pgtest.Start(t, 0).URL(), "--unsafe-single"}
			return openEvening(t, []gameDraw{examples(), tucuman()}, journal, []string{"a", "b"}, realServer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t)
			e.sell(`"source":"notary","two_people":true`)
			e.entered()
			e.paid()
			e.checked()
			e.tampered()
			if name == "local" {
				t.Run("in Python", e.wantOtherwise)
			}
		})
	}
}

// tampered changes one figure at a time in copies of what is published. The audit says so, and so does a bettor's check of the figures that it
// reads.
func (e *evening) tampered() {
	e.t.Helper()
	public := e.servers[0].data + "/public"
	number, stake, _ := e.draws[1].bets[3].stake(e.t) // 62,100,1-20
	play := func(to uint8, stake uint64) string {
		var b [quiniela.PlaySize]byte
		quiniela.Play{Digits: uint8(len(number)), From: 1, To: to, Number: 62, Stake: stake}.Put(&b)
		return string(b[:])
	}
	for _, c := range []struct{ what, file, old, new, said string }{
		{"a stake", "batches/0", play(20, stake), play(20, stake+1), "FAILED bets"},
		{"a range", "batches/0", play(20, stake), play(19, stake), "FAILED bets"},
		{"a term", "open", "3500", "3501", "FAILED"},
		{"the cap", "open", "cap=4", "cap=5", "FAILED"},
		{"what is paid", "result", " 52123194", " 52123195", "FAILED"},
		{"what an agency is paid", "winners", " 37127345\n", " 37127346\n", "FAILED winners"},
	} {
		e.must(nil, "rm", "-rf", "forged")
		e.must(nil, "cp", "-rp", public, "forged")
		e.replace("forged/draws/capped/"+c.file, c.old, c.new)
		out, err := e.run(nil, program(e.t), "audit", "forged", "--policy", e.policy(public))
		if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(strings.Join(strings.Fields(out), " "), c.said) || !strings.Contains(out, "draws/capped/"+strings.TrimSuffix(c.file, "/0")) {
			e.t.Errorf("%s is changed, and the audit ends with %v:\n%s", c.what, err, out)
		}
	}
	e.forgedReceipt(public, play(20, stake), play(20, stake+1))
}

// forgedReceipt changes what a bettor's check reads: the stake in the receipt, and the sum, a term and a prize in the draw's outcome.
func (e *evening) forgedReceipt(public, play, more string) {
	e.t.Helper()
	receipt, key := e.receipt(e.draws[1], 1, 3), strings.TrimSpace(e.read(public+"/log.vkey"))
	for _, c := range []struct{ what, old, new string }{
		{"a stake", play, more}, {"what is paid", " 52123194", " 52123195"}, {"a term", "3500", "3501"}, {"the extract", " 0562 ", " 0563 "},
	} {
		e.write("receipt.json", e.read(receipt))
		e.write("outcome.json", e.read(public+"/draws/capped/outcome.json"))
		file := "outcome.json"
		if c.old == play {
			file = "receipt.json"
		}
		e.replace(file, hex.EncodeToString([]byte(c.old)), hex.EncodeToString([]byte(c.new)))
		out, err := e.run(nil, program(e.t), "verify", "receipt.json", "--key", key, "--outcome", "outcome.json")
		if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Contains(out, "WON") || !strings.Contains(out, "NOT PROVEN") {
			e.t.Errorf("%s is changed, and verify ends with %v:\n%s", c.what, err, out)
		}
	}
}
