package forget_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/backup"
	"quiniela/internal/central"
	"quiniela/internal/forget"
	"quiniela/internal/journal"
	"quiniela/internal/journal/local"
	"quiniela/internal/journal/postgres/pgtest"
	"quiniela/internal/ledger"
	"quiniela/internal/store"
	"quiniela/receipt"
	"quiniela/tlog"
)

// person is somebody on the list of people that a search is made with.
type person struct{ first, last, document, birthdate, number string }

func (p person) line() string {
	return strings.Join([]string{p.first, p.last, p.document, p.birthdate, p.number}, ",")
}

// everybody is the list. The first one has the only winning bet.
func everybody() (list []person) {
	for i := range 40 {
		p := person{fmt.Sprintf("Encarnación-%02d", i), fmt.Sprintf("Etcheverría-%02d", i), fmt.Sprint(301_904_465 + 7919*i), "1990-01-01", "0007"}
		if i == 0 {
			p.number = "7574"
		}
		list = append(list, p)
	}
	return list
}

// A search finds any of many byte strings, each at least needleSize long and with a name, in as many bytes as there are.
type search struct {
	first   [1 << 16]bool // two bytes that a needle begins with
	needles map[uint64][]needle
}

type needle struct {
	what  string
	bytes string
}

const needleSize = 8

func (s *search) add(what string, b []byte) {
	if len(b) < needleSize {
		panic("a needle of " + what + " is found by chance")
	}
	if s.needles == nil {
		s.needles = map[uint64][]needle{}
	}
	s.first[binary.BigEndian.Uint16(b)] = true
	head := binary.BigEndian.Uint64(b)
	s.needles[head] = append(s.needles[head], needle{what, string(b)})
}

// in notes what is found in data.
func (s *search) in(found map[string]bool, data []byte) {
	for i := 0; i+needleSize <= len(data); i++ {
		if !s.first[binary.BigEndian.Uint16(data[i:])] {
			continue
		}
		for _, n := range s.needles[binary.BigEndian.Uint64(data[i:])] {
			if strings.HasPrefix(string(data[i:min(i+len(n.bytes), len(data))]), n.bytes) {
				found[n.what] = true
			}
		}
	}
}

// files looks through every file of a folder, and through the rows of the databases among them.
func (s *search) files(t *testing.T, dir string) (found map[string]bool) {
	t.Helper()
	found = map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Type().IsRegular() {
			data, err := os.ReadFile(path)
			s.in(found, data)
			return err
		}
		if e.IsDir() && (e.Name() == "journal" || e.Name() == ledger.StateName) {
			return s.database(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (s *search) database(found map[string]bool, dir string) (err error) {
	db, err := store.Open(dir, store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		s.in(found, it.Key())
		s.in(found, v)
	}
	return it.Error()
}

// forms are what somebody with the list can look for: what a person is, and every hash of it that takes no secret to compute.
func forms(p person) map[string][]byte {
	line := p.line()
	plain := map[string][]byte{"document": []byte(p.document), "first name": []byte(p.first), "last name": []byte(p.last), "line": []byte(line)}
	all := maps.Clone(plain)
	hash := func(what string, of []byte) {
		h := sha256.Sum256(of)
		all["SHA-256 of "+what] = h[:]
	}
	for what, b := range plain {
		hash(what, b)
		hash(what+" and a line end", append(slices.Clone(b), '\n'))
	}
	for agency := range 3 {
		hash(fmt.Sprintf("winner of agency %d", agency), fmt.Appendf(nil, "%d,%s\n", agency, p.document))
		hash(fmt.Sprintf("line of agency %d", agency), fmt.Appendf(nil, "%d,%s\n", agency, line))
	}
	// What has a salt or a secret, without one.
	var secret [journal.SecretSize]byte
	mac := journal.MAC(&secret, []byte(line+"\n"))
	all["MAC without a secret"] = mac[:]
	commit, err := receipt.Person{FirstName: p.first, LastName: p.last, Document: p.document, Birthdate: p.birthdate}.Commit([receipt.SaltSize]byte{})
	if err != nil {
		panic(err)
	}
	all["commitment without a salt"] = commit[:]
	records, root, err := receipt.Records(quiniela.Specified, &secret, []byte(line+"\n"))
	if err != nil {
		panic(err)
	}
	all["record without a secret"] = records
	all["root without a secret"] = root[:]
	for what, b := range maps.Clone(all) {
		if strings.Contains(what, "SHA-256") || strings.Contains(what, "without") {
			all[what+", in hex"] = []byte(hex.EncodeToString(b))
			all[what+", in base64"] = []byte(base64.RawStdEncoding.EncodeToString(b))
		}
	}
	return all
}

// chainSums are what the chain would have of a person's batch of one bet if it took no secret to compute it: all else that the
// batch's entry had is in what is left of it.
func chainSums(left *journal.Batch, p person) map[string][]byte {
	line := []byte(p.line() + "\n")
	var secret [journal.SecretSize]byte
	all := map[string][]byte{}
	for what, mac := range map[string]tlog.Hash{"no MAC": {}, "a MAC": journal.MAC(&secret, line), "a hash": sha256.Sum256(line)} {
		b := *left
		b.Plays, b.Lines, b.Secret, b.MAC = nil, line, &secret, mac
		entry := append(make([]byte, journal.MaxBatchHeader), line...)
		entry = entry[journal.PutBatch(entry, journal.MaxBatchHeader, &b):]
		all["chain sum with "+what] = binary.BigEndian.AppendUint64(nil, xxhash.Sum64(entry))
		head := journal.Head{}.Next(entry)
		all["chain sum with "+what+", as entry 1"] = binary.BigEndian.AppendUint64(nil, head.Chain)
	}
	return all
}

// lottery is the central whose draw is forgotten.
type lottery struct {
	t    *testing.T
	o    central.Options
	list []person
}

func newLottery(t *testing.T, public bool, url string) *lottery {
	l := &lottery{t: t, o: central.DefaultOptions(filepath.Join(t.TempDir(), "data")), list: everybody()}
	l.o.Journal = central.JournalOptions{URL: url, UnsafeSingle: url != ""}
	l.o.Seed = &ledger.Seed{ID: "1", Agencies: 2, Rule: draw.FixedNumber(7574)}
	if public {
		l.o.PublicLog = &central.PublicLog{Origin: "lottery.example/log", Interval: 50 * time.Millisecond}
	}
	return l
}

// serve runs the central while f does.
func (l *lottery) serve(f func(*central.Central)) {
	l.t.Helper()
	c, err := central.Open(context.Background(), l.o)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-served, c.Close()); err != nil {
			l.t.Error(err)
		}
	}()
	f(c)
}

func (l *lottery) send(c *central.Central, agency quiniela.Agency, lines string) {
	l.t.Helper()
	s := &ledger.Submission{Agency: agency, Frame: []byte(lines)}
	err := c.Ledger.Submit(s)
	if err == nil {
		_, err = s.Wait()
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// play has everybody bet, most of them alone in a batch, with filler batches of others, of half a megabyte, after every second
// one; and the draw published.
func (l *lottery) play(filler int) {
	others := strings.Repeat(strings.Repeat("J", 60)+","+strings.Repeat("N", 60)+",1,1990-01-01,8\n", 3600) // few bets: each is hashed and published
	l.serve(func(c *central.Central) {
		for i, p := range l.list[:30] {
			l.send(c, 1, p.line()+"\n")
			if i%2 == 0 {
				for range filler {
					l.send(c, 2, others)
				}
			}
		}
		var rest []string
		for _, p := range l.list[30:] {
			rest = append(rest, p.line())
		}
		l.send(c, 2, strings.Join(rest, "\n"))
		for a := range quiniela.Agency(2) {
			if err := c.Ledger.Finish(l.t.Context(), 0, a+1, 0, nil); err != nil {
				l.t.Fatal(err)
			}
		}
		<-c.Ledger.Drawn(0)
		if winners, _, err := c.Ledger.Winners(l.t.Context(), 0, 1); err != nil || winners.Count != 1 {
			l.t.Fatalf("%d winners, %v", winners.Count, err)
		}
		for deadline := time.Now().Add(5 * time.Minute); l.o.PublicLog != nil; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(filepath.Join(l.o.Dir, "public", "draws", "1", "outcome.json")); err == nil {
				break
			}
			if time.Now().After(deadline) {
				l.t.Fatal("the draw is not published")
			}
		}
	})
}

func (l *lottery) openJournal() forget.Journal {
	l.t.Helper()
	j, err := central.OpenJournal(l.t.Context(), l.o.Dir, l.o.Journal, l.o.Log)
	if err != nil {
		l.t.Fatal(err)
	}
	return j.(forget.Journal)
}

// secrets is a search for the secrets of the batches.
func (l *lottery) secrets() *search {
	l.t.Helper()
	j := l.openJournal()
	defer func() { _ = j.Close() }()
	s := new(search)
	for e, err := range j.Entries(l.t.Context(), 1) {
		if err != nil {
			l.t.Fatal(err)
		}
		if v, err := journal.Decode(e.Data); err == nil {
			if b, ok := v.(*journal.Batch); ok {
				s.add(fmt.Sprintf("secret of batch %d of agency %d", b.Batch, b.Agency), b.Secret[:])
			}
		}
	}
	return s
}

// search is for everybody. What is left of each batch of one bet helps: nil before the draw is forgotten.
func (l *lottery) search(left []*journal.Batch) *search {
	s := new(search)
	for i, p := range l.list {
		for what, b := range forms(p) {
			s.add(fmt.Sprintf("%s of person %d", what, i), b)
		}
		if i < len(left) {
			for what, b := range chainSums(left[i], p) {
				s.add(fmt.Sprintf("%s of person %d", what, i), b)
			}
		}
	}
	return s
}

// run runs forget on the draw.
func (l *lottery) run() (done forget.Done, err error) {
	l.t.Helper()
	j := l.openJournal()
	defer func() { _ = j.Close() }()
	task, err := forget.Prepare(l.t.Context(), forget.Options{Data: l.o.Dir, Journal: j, Public: filepath.Join(l.o.Dir, "public"), Draw: "1"})
	if err != nil {
		return done, err
	}
	return task.Run(l.t.Context())
}

// forget forgets the draw, and returns what is left of agency 1's batches.
func (l *lottery) forget() (left []*journal.Batch) {
	l.t.Helper()
	if done, err := l.run(); err != nil || done.Batches < 31 {
		l.t.Fatalf("%d batches are forgotten, %v", done.Batches, err)
	}
	j := l.openJournal()
	defer func() { _ = j.Close() }()
	for e, err := range j.Entries(l.t.Context(), 1) {
		if err != nil {
			l.t.Fatal(err)
		}
		v, err := journal.Decode(append([]byte(nil), e.Data...))
		if err != nil {
			l.t.Fatal(err)
		}
		if b, ok := v.(*journal.Batch); ok && b.Agency == 1 {
			left = append(left, b)
		}
	}
	return left
}

func wantNobody(t *testing.T, where string, found map[string]bool) {
	t.Helper()
	for what := range found {
		t.Errorf("%s: the %s is found", where, what)
	}
}

// wantEverybody makes sure that the search is one: everybody is found as long as they are not forgotten.
func (l *lottery) wantEverybody(found map[string]bool) {
	l.t.Helper()
	for i := range l.list {
		for _, what := range []string{"document", "first name", "last name", "line"} {
			if key := fmt.Sprintf("%s of person %d", what, i); !found[key] {
				l.t.Errorf("the %s is not found before it is forgotten", key)
			}
		}
	}
}

// Whoever has the list of all people finds none of them in what is left of a draw: neither what they are, nor a hash of it that
// could be computed from the list and from what is left.
func TestNobodyIsFoundInWhatIsLeft(t *testing.T) {
	for name, public := range map[string]bool{"in the public log": true, "not public": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLottery(t, public, "")
			filler := 8 // together twice what the database has in memory, so that it rewrites and replaces files
			if testing.Short() {
				filler = 0
			}
			l.play(filler)
			l.wantEverybody(l.search(nil).files(t, l.o.Dir))
			if !l.search(nil).files(t, filepath.Join(l.o.Dir, ledger.StateName))["document of person 0"] {
				t.Error("the winner is not found in the state")
			}
			s := l.search(l.forget())
			wantNobody(t, "after forget", s.files(t, l.o.Dir))
			l.serve(func(c *central.Central) { l.wantRefusals(c) })
			wantNobody(t, "after a start", s.files(t, l.o.Dir))

			j, err := local.Open(filepath.Join(l.o.Dir, "journal"), local.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = j.Close() }()
			copied := filepath.Join(t.TempDir(), "copy")
			if _, err := backup.Create(t.Context(), j, l.o.Dir, copied, nil); err != nil {
				t.Fatal(err)
			}
			wantNobody(t, "a backup made afterwards", s.files(t, copied))
		})
	}
}

// wantRefusals has an agency go on with a draw that is forgotten: nothing is left to compare with, and nothing is stored.
func (l *lottery) wantRefusals(c *central.Central) {
	l.t.Helper()
	for _, batch := range []uint64{1, 30} { // an old one and the last
		s := &ledger.Submission{Agency: 1, Batch: batch, Frame: []byte(l.list[batch-1].line() + "\n")}
		err := c.Ledger.Submit(s)
		if err == nil {
			_, err = s.Wait()
		}
		if quiniela.CodeOf(err) != quiniela.Absent {
			l.t.Errorf("batch %d again: %v, want code %s", batch, err, quiniela.Absent)
		}
	}
	if at, err := c.Ledger.Resume(l.t.Context(), 0, 1); quiniela.CodeOf(err) != quiniela.Absent {
		l.t.Errorf("hello is answered with %+v, %v; want code %s", at, err, quiniela.Absent)
	}
	if _, _, err := c.Ledger.Winners(l.t.Context(), 0, 1); quiniela.CodeOf(err) != quiniela.Absent {
		l.t.Errorf("winners: %v, want code %s", err, quiniela.Absent)
	}
	d, err := c.Ledger.FindDraw(l.t.Context(), "1")
	if err != nil || d.Result == nil || d.Result.Winners != 1 || d.Forgotten.IsZero() {
		l.t.Errorf("the draw is %+v, %v", d, err)
	}
}

// The rows of a database are replaced, while a server goes on with it. What the database keeps of them is gone once the table is
// written anew and its write-ahead log has run out.
func TestNobodyIsFoundInADatabase(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t, 0)
	node := cluster.Nodes[0]
	key := filepath.Join(t.TempDir(), "log.key")
	l := newLottery(t, true, cluster.URL())
	l.o.PublicLog.Key = key
	l.play(0)
	secrets := l.secrets()
	table := func() (found map[string]bool) {
		found = map[string]bool{}
		dump, err := hex.DecodeString(node.ExecOn("quiniela", "SELECT string_agg(encode(data, 'hex'), '' ORDER BY position) FROM journal_entry"))
		if err != nil {
			t.Fatal(err)
		}
		l.search(nil).in(found, dump)
		return found
	}
	l.wantEverybody(table())
	if found := secrets.files(t, filepath.Join(l.o.Dir, ledger.StateName)); len(found) < 2 {
		t.Errorf("the state has the secrets %v, want those of both agencies' last batches at least", found)
	}
	other := newLottery(t, true, cluster.URL()) // a second server, with a state of its own
	other.o.PublicLog.Key = key
	other.serve(func(c *central.Central) {
		s := l.search(l.forget())
		wantNobody(t, "the table", table())
		wantNobody(t, "the data folder", s.files(t, l.o.Dir))
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if d, err := c.Ledger.FindDraw(t.Context(), "1"); err == nil && !d.Forgotten.IsZero() {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the other server has not heard of it")
			}
		}
		l.wantRefusals(c)
		if _, err := other.run(); err == nil || !strings.Contains(err.Error(), "stop it first") {
			t.Errorf("the state of a server that runs: %v", err)
		}
	})
	rows := map[string]bool{} // a server that runs deletes its rows; their bytes may be there until its state is deleted
	err := errors.Join(secrets.database(rows, filepath.Join(other.o.Dir, ledger.StateName)), l.search(nil).database(rows, filepath.Join(other.o.Dir, ledger.StateName)))
	if err != nil {
		t.Fatal(err)
	}
	wantNobody(t, "the rows of the other server's state", rows)
	if _, err := other.run(); err != nil {
		t.Fatal(err)
	}
	s := l.search(nil)
	wantNobody(t, "the other data folder", s.files(t, other.o.Dir))

	base := filepath.Join(node.ExecOn("quiniela", "SHOW data_directory"), "base")
	raw := func() map[string]bool {
		node.ExecOn("quiniela", "CHECKPOINT")
		return (&search{first: s.first, needles: s.needles}).files(t, base)
	}
	if len(raw()) == 0 {
		t.Error("the old rows are not found, and docs say that they are there until VACUUM FULL")
	}
	node.ExecOn("quiniela", "VACUUM FULL journal_entry")
	wantNobody(t, "the database's files after VACUUM FULL", raw())
	l.serve(func(c *central.Central) { l.wantRefusals(c) })
}

// The search is worth what it can find: every form of every person, wherever it is.
func TestTheSearchFindsEveryForm(t *testing.T) {
	l := &lottery{t: t, list: everybody()}
	s := l.search([]*journal.Batch{{Draw: 1, Agency: 1, Batch: 1, Count: 1, Plays: []byte{0, 7}}})
	var all []string
	var planted []byte
	for _, needles := range s.needles {
		for _, n := range needles {
			all = append(all, n.what)
			planted = append(append(planted, "…"...), n.bytes...)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), planted, 0o600); err != nil {
		t.Fatal(err)
	}
	found := s.files(t, dir)
	for _, what := range all {
		if !found[what] {
			t.Errorf("the %s is not found", what)
		}
	}
	if len(all) < 2000 {
		t.Errorf("it looks for %d things", len(all))
	}
	t.Logf("%d things are looked for", len(all))
}
