package proof_test

import (
	"bytes"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"quiniela/proof"
)

// keys are the log's of the vectors.
func keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := proof.Key("quiniela.example/ledger", [32]byte(bytes.Repeat([]byte{0x42}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	if want := "quiniela.example/ledger+3ed1f4a6+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS"; public != want {
		t.Fatalf("verifier key %s, want %s", public, want)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func TestEveryByteOfACheckpointMatters(t *testing.T) {
	signer, verifier := keys(t)
	c := proof.Checkpoint{Origin: "quiniela.example/ledger", Size: 42, Root: proof.Leaf([]byte("x"))}
	signed, err := c.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := proof.OpenCheckpoint(signed, verifier); err != nil || got != c {
		t.Fatalf("opened as %+v, %v", got, err)
	}
	for i := range signed {
		for bit := range 8 {
			bad := bytes.Clone(signed)
			bad[i] ^= 1 << bit
			if got, err := proof.OpenCheckpoint(bad, verifier); err == nil {
				t.Errorf("bit %d of byte %d (%q) does not matter: %+v", bit, i, signed[i], got)
			}
		}
	}
}

func TestACheckpointIsOfTheLogItSays(t *testing.T) {
	signer, verifier := keys(t)
	if _, err := (proof.Checkpoint{Origin: "another/log"}).Sign(signer); err == nil {
		t.Error("a key signs for another log")
	}
	forged, err := note.Sign(&note.Note{Text: proof.Checkpoint{Origin: "another/log"}.Text()}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.OpenCheckpoint(forged, verifier); err == nil {
		t.Error("another log's checkpoint is taken")
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("quiniela.example/ledger\n42\nLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\n")
	f.Add("x\n0\n\n")
	f.Add("x\n01\nLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := proof.ParseCheckpoint(text); err == nil && c.Text() != text {
			t.Errorf("%q is read as %q", text, c.Text())
		}
	})
}
