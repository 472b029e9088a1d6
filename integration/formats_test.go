package integration

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
	"quiniela/receipt/link"
	"quiniela/tlog"
	"quiniela/verify"
	"quiniela/verify/verifytest"
)

// formats runs a script of testdata, which checks what docs/FORMATS.md describes in another language, and returns what it says and
// whether it finds all in order. It must not end in any other way.
func formats(t *testing.T, script string, args ...string) (said string, right bool) {
	t.Helper()
	python, err := python()
	if err != nil {
		skipOrFail(t, "QUINIELA_REQUIRE_THIRDPARTY", "this test runs the documents' checker, which needs python3: "+err.Error())
	}
	run := exec.Command(python, append([]string{"-B", "../testdata/" + script}, args...)...)
	out, err := run.CombinedOutput()
	wrong := strings.Contains(string(out), "WRONG: ")
	if wrong == (err == nil) || !wrong && !strings.HasPrefix(string(out), "ok: ") {
		t.Fatalf("%s %q: %v\n%s", script, args, err, out)
	}
	return string(out), !wrong
}

// python returns where Python's own program is: the python3 of the path may be a script that looks for it each time.
var python = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(out)), err
})

func accepted(t *testing.T, script string, args ...string) {
	t.Helper()
	if said, right := formats(t, script, args...); !right {
		t.Errorf("%s %q: %s", script, args, said)
	} else {
		t.Logf("%s", said)
	}
}

func refused(t *testing.T, why, script string, args ...string) {
	t.Helper()
	if said, right := formats(t, script, args...); right || !strings.Contains(said, why) {
		t.Errorf("%s %q, which must refuse it for %q: %s", script, args, why, said)
	}
}

func TestAPythonCheckerHasTheVectors(t *testing.T) {
	accepted(t, "vectors.py")
}

// publicLottery is a published log with a draw decided by a beacon. Of agency 1 in it there are the proofs, the bets, and receipts of one
// bet: one made while the draw was open, and one at its seal.
type publicLottery struct {
	folder, keys, early, atSeal, proofs, bets string
}

func (l publicLottery) outcome() string { return filepath.Join(l.folder, "draws/evening/outcome.json") }

// publishALottery runs one: three draws, the numbers of which come from the operator, a beacon and a notary, and one that stays open.
func publishALottery(t *testing.T) publicLottery {
	t.Helper()
	at := draw.Quicknet().TimeOf(1000)
	var ahead atomic.Int64
	start := at.Add(-ledger.Margin - time.Hour)
	d := publishtest.StartAt(t, 2, func() time.Time { return start.Add(time.Duration(ahead.Add(1)) * time.Millisecond) })
	open := func(terms ledger.Terms) uint64 {
		opened, err := d.Ledger.OpenDraw(t.Context(), ledger.Actor{}, terms)
		if err != nil {
			t.Fatal(err)
		}
		return opened.Seq
	}
	evening := open(ledger.Terms{ID: "evening", Agencies: 3, Closes: at.Add(-ledger.Margin), Rule: draw.Rule{Source: quiniela.SourceBeacon}})
	night := open(ledger.Terms{ID: "night", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}})
	for n := range uint64(260) {
		d.Send(1, 1, n+1, 7574, int(n))
		if n < 20 {
			d.Send(evening, 1, n+1, numbers[n]...)
			d.Send(evening, 2, n+1, int(n)+100)
			d.Send(night, 1, n+1, int(n), 33)
		}
	}
	l := publicLottery{folder: d.Path(""), keys: d.Path("log.vkey")}
	l.early = receiptFrom(t, proofsOf(t, d, evening))
	d.Finish(1, 1)
	d.Finish(1, 2)
	d.Finish(night, 1)
	d.Finish(evening, 2)
	_, err := d.Ledger.EnterNumber(t.Context(), ledger.Actor{}, "night", 33, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	ahead.Add(time.Hour.Milliseconds())
	d.File("draws/evening/sealed.checkpoint")
	enterRound1000(t, d)
	for _, id := range []string{"1", "evening", "night"} {
		d.File("draws/" + id + "/outcome.json")
	}
	proofs := proofsOf(t, d, evening)
	l.atSeal = receiptFrom(t, proofs)
	checkpoint, batches, _ := bytes.Cut(proofs, []byte("\n"))
	note, err := base64.StdEncoding.DecodeString(string(checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	l.proofs = file(t, append(receipt.ProofsHead{Draw: "evening", Agency: 1, Checkpoint: note}.Append(nil), batches...))
	var bets []byte
	for n := range numbers {
		bets = append(bets, linesOf(n+1)...)
	}
	l.bets = file(t, bets)
	open(ledger.Terms{ID: "morning", Agencies: 2, Rule: draw.FixedNumber(1)})
	d.File("draws/morning/open")
	d.Close()
	return l
}

// numbers are what agency 1 bets on in the beacon's draw: batches of 1 to 40 bets, so that they have one page, some, or a full last one.
var numbers = func() (all [20][]int) {
	for n := range all {
		for i := range 1 + 3*n%40 + 3*(n%2) {
			all[n] = append(all[n], 100*n+i)
		}
	}
	return all
}()

func enterRound1000(t *testing.T, d *publishtest.Desk) {
	t.Helper()
	round := draw.Beacon{Round: 1000}
	if _, err := hex.Decode(round.Signature[:], []byte("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ledger.EnterBeacon(t.Context(), ledger.Actor{}, "evening", round); err != nil {
		t.Fatal(err)
	}
}

// linesOf returns agency 1's bets in one of its batches, as Desk.Send makes them.
func linesOf(batch int) (lines []byte) {
	for i, number := range numbers[batch-1] {
		lines = fmt.Appendf(lines, "Ana,Paz,%d,1990-01-01,%d\n", 1000*batch+i, number)
	}
	return lines
}

// proofsOf returns the lines of agency 1's proofs.
func proofsOf(t *testing.T, d *publishtest.Desk, evening uint64) []byte {
	t.Helper()
	proofs, err := d.Publisher.Proofs(t.Context(), evening, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, next, err := proofs.AppendLines(t.Context(), nil, 0, 1<<20)
	if err != nil || next != proofs.Count() || next != 21 {
		t.Fatalf("%d lines of %d: %v", next, proofs.Count(), err)
	}
	return text
}

// receiptFrom makes the receipt of the last bet of agency 1's last batch from its proofs, and returns its file.
func receiptFrom(t *testing.T, proofs []byte) string {
	t.Helper()
	lines := bytes.Split(proofs, []byte("\n"))
	note, err := base64.StdEncoding.DecodeString(string(lines[0]))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := receipt.ParseBatchProof(lines[20])
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := receipt.KeepLeaves(quiniela.Specified, &proof.Secret, linesOf(20))
	if err != nil {
		t.Fatal(err)
	}
	i := leaves.Count() - 1
	who := receipt.Person{FirstName: "Ana", LastName: "Paz", Document: fmt.Sprint(20000 + i), Birthdate: "1990-01-01"}
	made, err := receipt.New("evening", leaves, i, who, proof.Logged, note)
	if err != nil {
		t.Fatal(err)
	}
	data, err := made.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file(t, data)
}

func file(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// turn turns a bit of a file's middle byte, and returns what puts it back.
func turn(t *testing.T, name string) (back func()) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(data)
	changed[len(data)/2] ^= 1
	write := func(data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(changed)
	return func() { write(data) }
}

func TestAPythonCheckerReadsALottery(t *testing.T) {
	t.Parallel()
	l := publishALottery(t)
	t.Run("AsItIs", l.isAccepted)
	t.Run("WithAChangedReceipt", l.changeReceipt)
	t.Run("WithChangedProofs", l.changeProofs)
	t.Run("WithAChangedByte", l.changeFolder)
}

func (l publicLottery) isAccepted(t *testing.T) {
	accepted(t, "check.py", "folder", l.folder, l.keys)
	accepted(t, "check.py", "receipt", l.atSeal, l.outcome(), l.keys)
	accepted(t, "check.py", "receipt", l.early, l.outcome(), l.keys, l.folder)
	refused(t, "give the folder", "check.py", "receipt", l.early, l.outcome(), l.keys)
	address := inAddress(t, l.atSeal)
	accepted(t, "check.py", "receipt", address, l.outcome(), l.keys)
	refused(t, "the digits of a receipt", "check.py", "receipt", address[:len(address)-5], l.outcome(), l.keys)
	accepted(t, "proofs.py", l.proofs, l.bets, l.keys)
	refused(t, "another draw", "check.py", "receipt", l.atSeal, filepath.Join(l.folder, "draws/night/outcome.json"), l.keys)
}

// inAddress returns the address that a QR code has of a receipt in a file.
func inAddress(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := receipt.ParseReceipt(text)
	if err != nil {
		t.Fatal(err)
	}
	address, err := link.To("https://lottery.example/verify", r)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (l publicLottery) changeFolder(t *testing.T) {
	for _, name := range []string{
		"checkpoint", "draws.txt", "tile/0/000", "tile/entries/000", "draws/1/batches/0", "draws/1/batches/1", "draws/evening/batches/0", "draws/evening/totals",
		"draws/1/winners", "draws/evening/open", "draws/night/seal", "draws/evening/result", "draws/evening/beacon.json", "draws/evening/sealed.checkpoint", "draws/night/outcome.json",
		"draws/morning/open",
	} {
		back := turn(t, filepath.Join(l.folder, name))
		if said, right := formats(t, "check.py", "folder", l.folder, l.keys); right {
			t.Errorf("%s has a changed byte: %s", name, said)
		}
		back()
	}
	accepted(t, "check.py", "folder", l.folder, l.keys)
}

// Every field of a receipt counts.
func (l publicLottery) changeReceipt(t *testing.T) {
	data, err := os.ReadFile(l.atSeal)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct{ old, new string }{
		{`"Ana"`, `"Anb"`}, {`"Paz"`, `"Pay"`}, {`"document": "`, `"document": "0`}, {`1990-01-01`, `1990-01-02`}, {`"draw": "evening"`, `"draw": "night"`},
		{`"index": `, `"index": 1`}, {`"salt": "`, `"salt": "00`}, {`"page": "02`, `"page": "03`}, {`"entry": "514e42`, `"entry": "514e41`},
		{`quiniela/v2/receipt`, `quiniela/v1/receipt`}, {`"format"`, `"Format"`}, {`"Ana"`, `"\u0041na"`}, {`"first_name"`, `"x": 1, "first_name"`},
		{`lottery.example/log\n`, `lottery.example/lob\n`}, {`"first_name": "Ana",`, `"first_name": "Bob", "first_name": "Ana",`},
	} {
		if !bytes.Contains(data, []byte(change.old)) {
			t.Errorf("a receipt has no %s", change.old)
		}
		changed := bytes.Replace(data, []byte(change.old), []byte(change.new), 1)
		refused(t, "", "check.py", "receipt", file(t, changed), l.outcome(), l.keys)
	}
	spaced := bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n\t"))
	accepted(t, "check.py", "receipt", file(t, spaced), l.outcome(), l.keys)
}

// Every batch of an agency is proven, and every bet of it is the one in the agency's file.
func (l publicLottery) changeProofs(t *testing.T) {
	bets, err := os.ReadFile(l.bets)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(bets, []byte(",1009\n"), []byte(",1008\n"), 1)
	if bytes.Equal(changed, bets) {
		t.Fatal("nothing is changed")
	}
	refused(t, "batch 11 is not of these bets", "proofs.py", l.proofs, file(t, changed), l.keys)
	refused(t, "bets without a proof", "proofs.py", l.proofs, file(t, append(bets, "Ana,Paz,1,1990-01-01,7\n"...)), l.keys)
	defer turn(t, l.proofs)()
	refused(t, "", "proofs.py", l.proofs, l.bets, l.keys)
}

func TestAPythonCheckerReadsEvidence(t *testing.T) {
	t.Parallel()
	made := func(terms verifytest.Terms) *verifytest.Lottery {
		l, err := verifytest.New(terms)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l, fork, late := made(verifytest.Terms{}), made(verifytest.Terms{Entry: "x"}), made(verifytest.Terms{Late: true})
	for kind, o := range map[string]verify.Options{
		"two logs":               {Receipt: l.Early, Log: fork.Log, Policy: l.Policy},
		"a batch after the seal": {Receipt: late.Receipt, Outcome: late.Outcome, Policy: l.Policy},
	} {
		report, err := verify.Check(o)
		if err != nil || report.Result != verify.Contradicted {
			t.Fatalf("%s: %+v, %v", kind, report, err)
		}
		accepted(t, "evidence.py", file(t, report.Evidence), keys(t, l.Policy))
		e, err := receipt.ParseEvidence(report.Evidence)
		if err != nil || e.Kind != kind {
			t.Fatalf("%s: %v", kind, err)
		}
		e.Second = e.First
		if e.Batch != nil {
			e.Batch.Index = 0
		}
		same, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "", "evidence.py", file(t, same), keys(t, l.Policy))
	}
}

// keys returns the file of a policy's verifier keys: the log's and those of its witnesses.
func keys(t *testing.T, policy []byte) string {
	t.Helper()
	var all string
	for line := range strings.Lines(string(policy)) {
		if words := strings.Fields(line); words[0] == "log" || words[0] == "witness" {
			all += words[len(words)-1] + "\n"
		}
	}
	return file(t, []byte(all))
}

func TestAPythonCheckerAsksForTheWitnesses(t *testing.T) {
	t.Parallel()
	l, err := verifytest.New(verifytest.Terms{Covering: true})
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, "check.py", "receipt", file(t, l.Receipt), file(t, l.Outcome), keys(t, l.Policy))
	accepted(t, "check.py", "receipt", file(t, l.Lost), file(t, l.Outcome), file(t, l.Key))
	_, stranger, err := tlog.NewWitnessKey("stranger.example", make([]byte, 64), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "stranger.example has not signed", "check.py", "receipt", file(t, l.Receipt), file(t, l.Outcome), file(t, []byte(string(l.Key)+stranger+"\n")))
	for why, terms := range map[string]verifytest.Terms{
		"the time of the round":       {Seen: draw.Quicknet().TimeOf(1000).Unix()},
		"entries of one draw":         {Result: verifytest.ByHand},
		"between the opening":         {Late: true},
		"the log is of another world": {Entry: "x"},
	} {
		other, err := verifytest.New(terms)
		if err != nil {
			t.Fatal(err)
		}
		if terms.Entry != "" {
			refused(t, "two logs", "check.py", "receipt", file(t, other.Receipt), file(t, l.Outcome), keys(t, l.Policy))
			continue
		}
		refused(t, why, "check.py", "receipt", file(t, other.Receipt), file(t, other.Outcome), keys(t, other.Policy))
	}
}
