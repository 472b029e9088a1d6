package quiniela_test

import (
	"strings"
	"testing"

	"quiniela"
)

func TestDrawNames(t *testing.T) {
	for id, good := range map[string]bool{
		"1": true, "2026-11-24-evening": true, "a.b_c-Z9": true, "-": false, "-x": false, "x-": true, strings.Repeat("x", quiniela.MaxDrawID): true,
		"": false, ".": false, ".hidden": false, "a b": false, "a/b": false, "a|b": false, "a\n": false, "ñ": false, "a\x00": false,
		"@": false, "[": false, "`": false, "{": false, ":": false, strings.Repeat("x", quiniela.MaxDrawID+1): false,
	} {
		if err := quiniela.CheckDrawID(id); (err == nil) != good || err != nil && quiniela.CodeOf(err) != quiniela.Invalid {
			t.Errorf("%q: %v, and good is %t", id, err, good)
		}
	}
}
