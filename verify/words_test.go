package verify

import (
	"strings"
	"testing"
)

// Both languages have a format for each text, and take the same arguments.
func TestEveryTextIsInBothLanguages(t *testing.T) {
	verbs := func(format string) (list []string) {
		for _, part := range strings.Split(format, "%")[1:] {
			list = append(list, strings.TrimLeft(part, "0123456789")[:1])
		}
		return list
	}
	for i := textReceipt; i < texts; i++ {
		en, es := english.texts[i], spanish.texts[i]
		if en == "" || es == "" || strings.Join(verbs(en), "") != strings.Join(verbs(es), "") {
			t.Errorf("text %d: %q and %q", i, en, es)
		}
	}
}
