package quiniela_test

import (
	"encoding/json"
	"testing"
	"unicode"

	"quiniela"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Peña, de la «Lotería» 彩票 \\n": "Peña, de la «Lotería» 彩票 \\n",
		"\x1b[2Ja\x07":                 `\u001b[2Ja\u0007`,
		"a\r\n\tok\x00\x7f":            `a\u000d\u000a\u0009ok\u0000\u007f`,
		"\u009b31m\u202egpj\ufeff":     `\u009b31m\u202egpj\ufeff`,
		"\xff\xc3":                     `\xff\xc3`,
		"\U000e0041":                   `\udb40\udc41`,
		"�":                            "�",
	} {
		if got := quiniela.Printable(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// Whatever comes in, what goes out prints; and JSON that goes through it is the same JSON.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b]0;b\x07\u202e\xff\U000e0041�")
	f.Fuzz(func(t *testing.T, text string) {
		got := quiniela.Printable(text)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q is shown as %q", text, got)
			}
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var was, is string
		if err := json.Unmarshal(encoded, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(quiniela.Printable(string(encoded))), &is); err != nil || is != was {
			t.Errorf("%s became %s, which is %q: %v", encoded, quiniela.Printable(string(encoded)), is, err)
		}
	})
}
