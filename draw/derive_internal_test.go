package draw

import (
	"encoding/hex"
	"testing"
)

func TestBlock(t *testing.T) {
	terms := Terms{ChainHash: Quicknet().Hash(), Round: 1000, DrawID: "test"}
	random := [32]byte(mustHex("fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"))
	got := block(random, terms.info(1), 0)
	if want := "872552e661b10cca2d80d59a143bf763ef327db65642501ff1b7f8c74b8a4feb"; hex.EncodeToString(got[:]) != want {
		t.Errorf("%x, want %s", got, want)
	}
}
