package audit_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"quiniela"
	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/publish/publishtest"
	"quiniela/receipt"
)

// The files of a draw are published after its entries, in this order.
var publishing = []string{"open", "totals", "seal", "sealed.checkpoint", "beacon.json", "winners", "batches", "result", "outcome.json"}

// Right after a draw an audit says that it is too early, and not that something is wrong. Much later it is wrong.
func TestRightAfterADraw(t *testing.T) {
	t.Parallel()
	l := published()
	result, err := receipt.ParseResult(l.files["draws/evening/result"])
	if err != nil {
		t.Fatal(err)
	}
	soon := time.UnixMicro(int64(result.Drawn)).Add(time.Minute)
	audited := func(f files, now time.Time) *audit.Report {
		return l.run(t, f, func(o *audit.Options) { o.Now = now })
	}
	if r := audited(l.files, soon); !r.OK || len(r.Pending) > 0 {
		t.Fatalf("a whole log: %q", r.Verdict())
	}
	f := maps.Clone(l.files)
	for _, file := range slices.Backward(publishing[4:]) { // the opening was an hour before, and the seal
		maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, "draws/evening/"+file) })
		r := audited(f, soon)
		if !r.OK || len(r.Pending) != 1 || !strings.Contains(r.Verdict(), "NOT YET") || !strings.Contains(r.Verdict(), "draw evening is drawn since") {
			t.Errorf("without %s and what follows it: %s %s", file, r.Verdict(), findings(r))
		}
		if r := audited(f, soon.Add(2*time.Hour)); r.OK {
			t.Errorf("without %s and what follows it, hours later: %s", file, r.Verdict())
		}
	}
	// A file that is missing among those that are there is never early.
	f = maps.Clone(l.files)
	delete(f, "draws/evening/batches/0")
	wantFinding(t, audited(f, soon), "bets", "draws/evening/batches", "missing")
	f = maps.Clone(l.files)
	delete(f, "draws/evening/outcome.json")
	f["draws/evening/result"] = f["draws/night/result"]
	wantFinding(t, audited(f, soon), "files", "draws/evening/result is not what the log has")
}

// A log is audited again and again, from its folder and over HTTP, while draws open, sell, close and are drawn.
func TestALogIsAuditedWhileItGrows(t *testing.T) {
	t.Parallel()
	d := publishtest.Start(t, 1)
	s := httptest.NewServer(http.StripPrefix("/log", http.FileServer(http.Dir(d.Path("")))))
	defer s.Close()
	sources := []audit.Source{audit.Folder(d.Path("")), audit.Web(s.URL + "/log/")}
	early, audits := 0, 0
	look := func() {
		for i, source := range sources {
			r, err := audit.Run(t.Context(), audit.Options{Source: source, Policy: d.Policy()})
			if err != nil {
				t.Fatal(err)
			}
			audits++
			if len(r.Pending) > 0 {
				early++
			}
			if !r.OK {
				t.Errorf("source %d: %s", i, findings(r))
			}
		}
	}
	d.File("draws/1/open")
	for n := uint64(2); n <= 4; n++ {
		if n == 3 { // from here on no other draw holds entries back
			d.Finish(1, 1)
			d.File("draws/1/outcome.json")
		}
		id := fmt.Sprintf("draw-%d", n)
		if _, err := d.Ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: id, Agencies: 1, Rule: draw.FixedNumber(quiniela.Number(n))}); err != nil {
			t.Fatal(err)
		}
		look()
		for batch := range uint64(15) {
			d.Send(n, 1, batch+1, int(n), int(batch))
			if batch%5 == 0 {
				look()
			}
		}
		d.Finish(n, 1)
		for look(); !drawPublished(d, id); {
			look()
		}
	}
	for ; ; time.Sleep(10 * time.Millisecond) { // until the last entries are shown
		r, err := audit.Run(t.Context(), audit.Options{Source: sources[0], Policy: d.Policy()})
		if err != nil || !r.OK {
			t.Fatalf("%v, %v", r, err)
		}
		if len(r.Pending) == 0 && len(r.Draws) == 4 {
			break
		}
	}
	if early == 0 {
		t.Errorf("none of %d audits came too early", audits)
	}
}

func findings(r *audit.Report) (all []string) {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			all = append(all, c.Name+": "+f)
		}
	}
	return all
}

// drawPublished reports whether a draw's files are all published.
func drawPublished(d *publishtest.Desk, id string) bool {
	names, err := filepath.Glob(d.Path("draws/" + id + "/outcome.json"))
	return err == nil && len(names) == 1
}

func TestWhereTheLogIs(t *testing.T) {
	t.Parallel()
	l := published()
	site := http.NewServeMux()
	site.Handle("/log/", http.StripPrefix("/log", http.FileServer(http.Dir(filepath.Join(l.dir, "public")))))
	strict := httptest.NewServer(site)
	defer strict.Close()
	loose := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/log/") {
			site.ServeHTTP(w, r)
			return
		}
		_, _ = w.Write([]byte("<!doctype html><title>Lottery</title>"))
	}))
	defer loose.Close()
	for what, c := range map[string]struct {
		source audit.Source
		want   string
	}{
		"a site":                       {audit.Web(strict.URL), "add log/ to"},
		"a site that answers always":   {audit.Web(loose.URL + "/"), "add log/ to"},
		"another part of a site":       {audit.Web(strict.URL + "/verify/"), "ends in /log/"},
		"a data folder":                {audit.Folder(l.dir), "add public/ to"},
		"a folder of something else":   {audit.Folder(t.TempDir()), "want the folder public"},
		"a folder that does not exist": {audit.Folder(filepath.Join(t.TempDir(), "none")), "want the folder public"},
	} {
		if r, err := audit.Run(t.Context(), audit.Options{Source: c.source}); !errors.Is(err, audit.ErrNoLog) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", what, r, err, c.want)
		}
	}
}
