package receipt_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"quiniela"
	"quiniela/receipt"
	"quiniela/tlog"
)

// vectors are those of testdata/vectors.json that are about bets and batches. They were computed by another program.
type vectors struct {
	Batch struct {
		Secret  string
		SaltKey string `json:"salt_key"`
		Bets    []struct {
			FirstName                        string `json:"first_name"`
			LastName                         string `json:"last_name"`
			Document, Birthdate              string
			Digits, From, To                 uint8
			Number                           quiniela.Number
			Stake                            uint64
			Salt, Person, Commitment, Record string
		}
		Root string
	}
	Forty struct {
		Pages                         map[string]string
		Root, Entry, Leaf             string
		Draw, Agency, Batch, Received uint64
	} `json:"forty_bets"`
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("../testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheVectorsBets(t *testing.T) {
	v := readVectors(t).Batch
	secret := [32]byte(unhex(t, v.Secret))
	if key := receipt.SaltKey(&secret); hex.EncodeToString(key[:]) != v.SaltKey {
		t.Errorf("the key of the salts is %x, want %s", key, v.SaltKey)
	}
	salts, err := receipt.KeepLeaves(quiniela.Specified, &secret, lines(len(v.Bets)))
	if err != nil {
		t.Fatal(err)
	}
	var records []byte
	for i, b := range v.Bets {
		who := receipt.Person{FirstName: b.FirstName, LastName: b.LastName, Document: b.Document, Birthdate: b.Birthdate}
		salt := salts.Salt(i)
		if hex.EncodeToString(salt[:]) != b.Salt {
			t.Errorf("bet %d: salt %x, want %s", i, salt, b.Salt)
		}
		private, err := receipt.EncodePerson(who)
		if err != nil || hex.EncodeToString(private) != b.Person {
			t.Errorf("bet %d: person %x, %v; want %s", i, private, err, b.Person)
		}
		commit, err := who.Commit(salt)
		if err != nil || b.Commitment != "" && hex.EncodeToString(commit[:]) != b.Commitment {
			t.Errorf("bet %d: commitment %x, %v; want %s", i, commit[:], err, b.Commitment)
		}
		r := receipt.Record{Play: quiniela.Play{Digits: b.Digits, From: b.From, To: b.To, Number: b.Number, Stake: b.Stake}, Commit: commit}
		record := r.Encode()
		if hex.EncodeToString(record[:]) != b.Record {
			t.Errorf("bet %d: record %x, want %s", i, record, b.Record)
		}
		if back, err := receipt.ParseRecord(record[:]); err != nil || back != r {
			t.Errorf("bet %d: read back as %+v, %v", i, back, err)
		}
		records = append(records, record[:]...)
	}
	public, err := receipt.ReadRecords(records, nil)
	if err != nil || public.Root != hash(t, v.Root) || public.Bets != 2 || public.Stake != 10000 {
		t.Errorf("the two: %+v, %v; want the root %s", public, err, v.Root)
	}
	alone, err := receipt.KeepLeaves(quiniela.Specified, &secret, []byte(lorcasLine))
	if err != nil || !bytes.Equal(alone.Records(), records[:receipt.RecordSize]) {
		t.Errorf("from its line: %v, %x", err, alone.Records())
	}
}

func TestTheVectorsBatch(t *testing.T) {
	v := readVectors(t).Forty
	var text []byte
	for i := range 40 {
		text = append(text, "Santiago Lionel,Lorca,30904465,1999-03-17,"+strconv.Itoa(i)+"\n"...)
	}
	kept, err := receipt.KeepLeaves(quiniela.Specified, &secret, text)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range v.Pages {
		page, err := strconv.ParseInt(n, 10, 64)
		if got := receipt.PageHash(kept.Page(page)); err != nil || got != hash(t, want) {
			t.Errorf("page %s: %x, want %s", n, got[:], want)
		}
	}
	if kept.Root() != hash(t, v.Root) {
		t.Errorf("root %x, want %s", kept.Root(), v.Root)
	}
	entry := receipt.BatchEntry{Draw: v.Draw, Agency: quiniela.Agency(v.Agency), Batch: v.Batch, Count: 40, CumulativeBets: 40, Received: v.Received, Root: kept.Root()}
	encoded := entry.Encode()
	if hex.EncodeToString(encoded[:]) != v.Entry {
		t.Errorf("entry %x, want %s", encoded, v.Entry)
	}
	if back, err := receipt.ParseBatchEntry(encoded[:]); err != nil || back != entry {
		t.Errorf("read back as %+v, %v", back, err)
	}
	if leaf := tlog.LeafHash(encoded[:]); leaf != hash(t, v.Leaf) {
		t.Errorf("leaf %x, want %s", leaf[:], v.Leaf)
	}
}
