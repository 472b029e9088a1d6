package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quiniela/internal/web"
)

// An agency that had not finished when the draw was closed is missing, whether it had sent bets or not; and the operator sees names.
func TestAgenciesHaveNamesAndTheirStateStaysTrueAfterClosing(t *testing.T) {
	t.Parallel()
	d := open(t)
	want := func(draw string, want ...web.Agency) {
		t.Helper()
		status, _, text := d.ask(d.inner.URL, "GET", "/api/v1/draws/"+draw+"/agencies", "")
		var got struct{ Agencies []web.Agency }
		if err := json.Unmarshal([]byte(text), &got); err != nil || status != 200 {
			t.Fatalf("%d, %v: %s", status, err, text)
		}
		if diff := cmp.Diff(want, got.Agencies, cmpopts.IgnoreFields(web.Agency{}, "Seen")); diff != "" {
			t.Error(diff)
		}
	}
	post := func(path, body string, status int) {
		t.Helper()
		if got, _, text := d.ask(d.inner.URL, "POST", "/api/v1/draws"+path, body); got != status {
			t.Fatalf("%s: %d %s", path, got, text)
		}
	}
	d.drawn()
	post("", `{"id":"night","agencies":3,"source":"notary"}`, 201)
	if err := d.ledger.Finish(t.Context(), 2, 1, 0, nil); err != nil {
		t.Fatal(err)
	}
	d.bet(2, 2, "Ana,Paz,30904465,1990-01-01,7574\n")
	d.bet(2, 0, "Eva,Sol,2,1990-01-01,12\n")
	nobody := web.Agency{Batches: 1, Bets: 1, State: "sending"}
	want("night", nobody, web.Agency{Agency: 1, Name: "Rosario centro", Finished: true, State: "finished"},
		web.Agency{Agency: 2, Batches: 1, Bets: 1, State: "sending"}, web.Agency{Agency: 3, State: "waiting"})
	post("/night/close", "{}", 200)
	nobody.State = "finished"
	want("night", nobody, web.Agency{Agency: 1, Name: "Rosario centro", Finished: true, State: "finished"},
		web.Agency{Agency: 2, Batches: 1, Bets: 1, State: "missing"}, web.Agency{Agency: 3, State: "missing"})
	for url, named := range map[string]bool{d.inner.URL: true, d.server.URL: false} {
		if _, _, text := d.ask(url, "GET", "/api/v1/draws/1/winners", ""); strings.Contains(text, "Rosario centro") != named {
			t.Errorf("the name is there: %v, want %v: %s", !named, named, text)
		}
	}
}
