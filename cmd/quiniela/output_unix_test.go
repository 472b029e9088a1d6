//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"quiniela"
	"quiniela/verify/verifytest"
)

// hostile is a name that a file can have. On a terminal it would change the title and the colour, begin a line of its own, and turn the
// rest around.
const hostile = "a\x1b]0;b\x07\nFORGED\r\u202egpj\u009b31m\x7f"

// notUTF8 is one that can only be found in a folder: kong makes arguments UTF-8.
const notUTF8 = hostile + "\xff"

// obeyed returns what in an output a terminal would obey, or a line that came out of a name, or "".
func obeyed(out string) string {
	if !utf8.ValidString(out) {
		return "bytes that are not UTF-8"
	}
	for _, r := range out {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return fmt.Sprintf("%U", r)
		}
	}
	if regexp.MustCompile(`(?m)^[ \t]*FORGED`).MatchString(out) {
		return "a line that begins in a name"
	}
	return ""
}

// untilListening is what a command prints, and ends a server once it listens.
type untilListening struct {
	bytes.Buffer
	stop func()
}

func (b *untilListening) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("action: listen")) {
		b.stop()
	}
	return b.Buffer.Write(p)
}

// runToEnd runs a command, of a server until it listens, and returns all that it printed.
func runToEnd(t *testing.T, args []string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	out, errs := untilListening{stop: stop}, untilListening{stop: stop}
	err := run(ctx, args, &out, &errs)
	text := out.String() + errs.String()
	if err != nil && errs.Len() == 0 {
		t.Errorf("%q failed and said nothing: %v", args, err)
	}
	return text
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// hostileFolder returns the path of a folder, with a data folder and what else commands read. Its name and all names in it that a
// stranger may choose are hostile.
func hostileFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), hostile)
	lottery, err := verifytest.New(verifytest.Terms{})
	must(t, err, os.MkdirAll(filepath.Join(dir, "kept"), 0o700), os.MkdirAll(filepath.Join(dir, "w"), 0o700))
	files := lottery.Files()
	files["agency-1.csv"] = []byte("Ana,\x1b[31mPaz\u202e,1,1990-01-01,7\nAna,Paz,1,1990-01-01,\x1b[31m\n")
	files["forged.json"] = bytes.Replace(lottery.Receipt, []byte(`"Lorca"`), []byte("\"Lorca\\u001b[31m\\nFORGED\u202e\""), 1)
	files[filepath.Join("kept", notUTF8)] = []byte("no checkpoint \x1b[31m")
	files["operator.key"] = []byte("key")
	files["config.ini"] = []byte("\x1b[31m\u202e = 1\nTOTAL_CLIENTES = \x1b[31m")
	files["config.yaml"] = []byte("id: \"\\x1b[31m\\nFORGED\"\n")
	files["draws.yaml"] = fmt.Appendf(nil, "{zone: UTC, agencies: 1, source: notary, lead: 0s, draws: [{name: x, time: 23:59}], skip: [%s, %s]}\n", hostileSkip(0), hostileSkip(1))
	files["wrong.yaml"] = []byte("zone: \"\\x1b[31m\\nFORGED\"\n\"\\x1b[31m\": 1\ngame: \"\\x1b[31m\\nFORGED\"\nmultipliers: \"\\x1b[31m\"\ncap: \"\\x1b[31m\"\n")
	for name, data := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600))
	}
	data := filepath.Join(dir, "data")
	drawNobodys(t, data)
	runToEnd(t, []string{"agency", "add", "1", "--data", data, "--name", "Centro"})
	registry := filepath.Join(data, "agencies.json")
	text, err := os.ReadFile(registry)
	must(t, err, os.WriteFile(registry, bytes.ReplaceAll(text, []byte("Centro"), []byte(`\u001b[31mCentro\nFORGED\u202e`)), 0o600))
	runToEnd(t, []string{"backup", filepath.Join(dir, "backup"), "--data", data})
	runToEnd(t, []string{"backup", filepath.Join(dir, "spoiled"), "--data", data})
	must(t, os.WriteFile(filepath.Join(data, "public", "draws", "1", notUTF8), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "spoiled", notUTF8), nil, 0o600))
	return dir
}

// drawNobodys runs a server in a new data folder until its first draw, which expects nobody, is published whole.
func drawNobodys(t *testing.T, data string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"server", "--data", data, "--port", "0", "--http-addr", "off", "--agencies", "0"}, io.Discard, io.Discard)
	}()
	last := filepath.Join(data, "public", "draws", "1", "outcome.json")
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(last); err == nil {
			break
		}
	}
	stop()
	must(t, <-ended)
	_, err := os.Stat(last)
	must(t, err)
}

// hostileSkip returns a day of a schedule without draws, some days from now.
func hostileSkip(days int) string {
	return fmt.Sprintf(`{date: %s, reason: "\x1b[31m\nFORGED\u202e"}`, time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly))
}

// hostileServer answers every request with texts that a terminal would obey; where it is asked for a draw, with a draw.
func hostileServer(t *testing.T) string {
	answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		draw := map[string]any{"id": hostile, "state": hostile, "note": hostile, "source": "notary", "finished": 0, "batches": 0, "bets": 0}
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/draws":
			draw = map[string]any{"draws": []any{maps.Clone(draw)}}
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/trail":
			draw = map[string]any{"acts": []any{map[string]any{"at": time.Now(), "who": hostile, "what": hostile, "about": hostile, "failed": hostile}}}
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/draws/1/agencies":
			draw = map[string]any{"agencies": []any{}}
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/draws/1":
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/draws/2":
			maps.Copy(draw, map[string]any{"game": "quiniela", "terms": quiniela.DefaultTerms(), "winners": 1, "number": 7, "due": 7, "pool": 8, "paid": 9, "prizes": []int{65535}})
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/draws/2/payouts":
			draw = map[string]any{"agencies": []any{map[string]any{"name": hostile}}}
		case r.Method == http.MethodGet && r.URL.Path == "/api/v1/draws/2/prizes.csv":
			to := csv.NewWriter(w)
			must(t, to.WriteAll([][]string{strings.Split(prizeColumns, ","), {hostile, hostile, "=" + hostile, "", "", "", "", "", "", "", "\nFORGED"}}))
			return
		case r.Method == http.MethodPost && r.URL.Path == "/api/v1/find":
			bet := map[string]any{"draw": hostile, "bet": hostile, "won": true, "hits": 2, "paid": 5, "received": time.Now()}
			draw = map[string]any{"bets": []any{bet}}
		default:
			w.WriteHeader(http.StatusBadRequest)
			draw = map[string]any{"title": hostile, "detail": hostile}
		}
		if err := json.NewEncoder(w).Encode(draw); err != nil {
			t.Error(err)
		}
	})
	s := httptest.NewServer(answers)
	t.Cleanup(s.Close)
	return s.URL
}

// Every command, where the names of files and what is in them, the registry, a receipt or the answers of a server are hostile: what it
// prints is text in lines of its own, and shows the names.
func TestNoCommandPrintsWhatATerminalObeys(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("LC_ALL", "C")
	dir := hostileFolder(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	data, public, absent := in("data"), in("data/public"), in("absent")
	url := hostileServer(t)
	asked := []string{"--server", url, "--key-file", in("operator.key"), "--yes"}
	tried := map[string][][]string{
		"demo":   {{"--data", dir}, {"--data", absent}},
		"server": {{"--data", data, "--port", "0", "--http-addr", "off", "--agencies", "0"}, {"--data", in("policy")}, {"--config", in("config.ini")}, {"--ip", hostile}},
		"client send": {{"--id", "1", "--file", in("agency-1.csv")}, {"--id", "1", "--file", absent}, {"--config", in("config.yaml")},
			{"--check", "--file", in("agency-1.csv")}, {"--check", "--file", in("agency-1.csv"), "--skip-bad-lines"}, {"--id", "1", "--file", in("agency-1.csv"), "--winners", dir}},
		"client status":   {{"--id", "1", "--file", in("agency-1.csv")}, {"--id", "1", "--file", absent}, {"--id", "1", "--token-file", absent}},
		"client find":     {{"--file", in("agency-1.csv"), "--document", "1"}, {"--file", in("agency-1.csv"), "--proofs", in("policy"), "--document", "1"}, {"--file", absent, "--document", "1"}},
		"client receipts": {{"--file", in("agency-1.csv"), "--proofs", in("policy"), "--out", in("receipts"), "--all"}, {"--file", absent, "--proofs", in("agency-1.csv"), "--line", "1"}},
		"generate":        {{"--agencies", "1", "--bets", "1", "--out", in("made")}},
		"bench":           {{hostile}},
		"agency add":      {{"1", "--data", in("policy")}, {"2", "--data", data, "--certificate", absent}, {hostile}},
		"agency list":     {{"--data", data}, {"--data", data, "--csv"}, {"--data", data, "--json"}, {"--data", absent}, {"--data", in("policy")}},
		"agency rotate":   {{"2", "--data", in("policy")}},
		"agency revoke":   {{"2", "--data", in("policy")}},
		"operator add":    {{"ana", "--data", in("policy")}, {hostile}},
		"operator list":   {{"--data", absent}, {"--data", in("policy")}},
		"operator rotate": {{"ana", "--data", in("policy")}, {hostile, "--data", data}},
		"operator revoke": {{"ana", "--data", in("policy")}, {hostile, "--data", data}},
		"trail":           {asked[:4], append([]string{"--csv"}, asked[:4]...), append([]string{"--json"}, asked[:4]...), {"--data", absent}},
		"find": {append([]string{"--document", "1"}, asked[:4]...), append([]string{"--document", "1", "--csv"}, asked[:4]...),
			append([]string{"--document", "1", "--draw", "absent"}, asked[:4]...), {"--document", "1", "--data", absent}},
		"init":  {{"--origin", hostile}, {"--origin", "lottery.example/log", "--data", in("policy")}, {"--origin", "lottery.example/log", "--data", in("made2")}},
		"certs": {{"--out", in("tls")}, {"--out", in("tls")}, {"--out", in("policy")}},
		"draw open": {append([]string{"x", "--agencies", "1"}, asked...), {"x", "--agencies", "1", "--data", absent}, {"x", "--agencies", "1", "--game", hostile},
			{"x", "--agencies", "1", "--game", "quiniela", "--min-stake", hostile}, {"x", "--agencies", "1", "--game", "quiniela", "--multipliers", hostile}},
		"draw close": {append([]string{"1"}, asked...), {"1", "--data", absent, "--yes"}},
		"draw enter": {append([]string{"1", "7"}, asked...), {"1", "7", "--data", absent, "--yes"}, {"2", hostile, "--data", absent},
			append([]string{"2", "--extract", in("agency-1.csv")}, asked...), append([]string{"2", "--extract", absent}, asked...)},
		"draw show": {append([]string{"1"}, asked[:4]...), append([]string{"1", "--json"}, asked[:4]...), {"1", "--data", absent}},
		"draw list": {asked[:4], append([]string{"--csv"}, asked[:4]...), append([]string{"--json"}, asked[:4]...), {"--data", absent}},
		"draw results": {append([]string{"1"}, asked[:4]...), {"1", "--data", absent}, append([]string{"2"}, asked[:4]...),
			append([]string{"2", "--csv"}, asked[:4]...), append([]string{"2", "--csv", "--agencies"}, asked[:4]...)},
		"draw schedule": {append([]string{in("draws.yaml")}, asked[:4]...), {in("draws.yaml"), "--data", absent}, {in("wrong.yaml")}, {absent}},
		"audit": {{public, "--checkpoints", in("kept")}, {public, "--checkpoints", in("kept"), "--json", "-"}, {dir}, {absent}, {data}, {url + "/" + hostile},
			{public, "--policy", in("config.ini")}, {public, "--journal", absent}},
		"verify":        {{in("forged.json"), "--policy", in("policy")}, {absent, "--key", hostile}},
		"witness serve": {{"--dir", in("w"), "--log", hostile}},
		"witness key":   {{"--dir", in("w"), "--name", hostile}, {"--dir", in("policy")}},
		"backup":        {{in("backup"), "--data", data}, {in("another"), "--data", data}, {in("third"), "--data", absent}},
		"rehearse":      {{in("spoiled")}, {absent}, {in("backup")}},
		"restore":       {{in("spoiled"), "--data", in("r1")}, {in("backup"), "--data", in("r2")}, {in("backup"), "--data", data}, {absent, "--data", in("r3")}},
		"fsck":          {{"--data", in("spoiled")}, {"--data", absent}},
		"forget":        {{"1", "--data", data, "--yes"}, {hostile, "--data", data, "--yes"}},
		"help":          {{hostile}},
		"health":        {{"--server", hostile}},
		"export":        {{"--data", data, "-o", in("bets.csv")}, {"--data", data, "-o", in("bets.csv")}, {"--data", data, "--draw", hostile}, {"--data", absent}},
		"completion":    {{hostile}},
		"man":           {{hostile}},
		"version":       {{"--" + hostile}},
	}
	var c commands
	parser, err := newParser(env{}, &c, new(configFile))
	must(t, err)
	for _, leaf := range parser.Model.Leaves(true) {
		name := strings.TrimPrefix(leaf.Path(), "quiniela ")
		if tried[name] == nil {
			t.Errorf("this test does not try the command %q", name)
		}
	}
	for _, command := range slices.Sorted(maps.Keys(tried)) {
		for _, args := range tried[command] {
			args = append(strings.Fields(command), args...)
			out := runToEnd(t, args)
			if what := obeyed(out); what != "" {
				t.Errorf("%q prints %s:\n%q", args, what, out)
			}
			if !strings.Contains(out, "FORGED") && !strings.Contains(out, `\u001b[31m`) {
				t.Errorf("%q shows nothing of what is hostile, and so tests nothing:\n%s", args, out)
			}
		}
	}
}
