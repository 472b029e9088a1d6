package verify

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"quiniela/tlog"
)

// What a reader comes to without any fraud is said in Spanish, the rest as what it is.
func TestReasonsInSpanish(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("the seal: %w", &tlog.OtherLogError{Signed: "a", Known: "b"}), `lo firmó el registro "a", y su clave es del registro "b"`},
		{&tlog.OtherLogError{Signed: "a"}, `es del registro "a", y no está firmado con la clave que usted tiene de él`},
		{fmt.Errorf("before: %w", &tlog.QuorumError{Cosigned: 1, Witnesses: 3, Quorum: "both"}), `lo firmaron 1 de los 3 testigos de la política, y con eso no se cumple "both"`},
		{errors.New("a forged thing"), "detalle técnico, en inglés: a forged thing"},
	} {
		got := spanish.step(Finding{Step: StepCheckpoint, State: Failed, Err: c.err}).Text
		if want := spanish.meanings[StepCheckpoint] + " (" + c.want + ")"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

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
