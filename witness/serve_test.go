package witness_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestMalformedRequests(t *testing.T) {
	l := newLog(t, 1).grow(20, "a")
	b := build(t, l.key)
	b.mustAsk(l, 4)
	good := body(l, 4, 9, l.path(4, 9))
	_, signed, _ := strings.Cut(good, "\n\n")
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, bad := range map[string]string{
		"nothing":            "",
		"no empty line":      strings.Replace(good, "\n\n", "\n", 2),
		"no old":             "\n\n" + signed,
		"a sign":             strings.Replace(good, "old 4", "old +4", 1),
		"below 0":            strings.Replace(good, "old 4", "old -4", 1),
		"a leading zero":     strings.Replace(good, "old 4", "old 04", 1),
		"two spaces":         strings.Replace(good, "old 4", "old  4", 1),
		"no number":          strings.Replace(good, "old 4", "old x", 1),
		"too large":          strings.Replace(good, "old 4", "old 9223372036854775808", 1),
		"carriage returns":   strings.ReplaceAll(good, "\n", "\r\n"),
		"a short hash":       "old 4\nAAAA\n\n" + signed,
		"stray bits":         "old 4\n" + hash[:42] + "B=\n\n" + signed,
		"64 hashes":          "old 4\n" + strings.Repeat(hash+"\n", 64) + "\n" + signed,
		"no checkpoint":      "old 4\n\n",
		"no note":            "old 4\n\nabc\n",
		"an extension line":  strings.Replace(good, "\n\n—", "\nmore\n\n—", 1),
		"a request too long": good + strings.Repeat("— x AAAAAAAA\n", 4000),
	} {
		b.want(name, bad, http.StatusBadRequest)
	}
	answer, err := http.Get(b.server.URL + "/add-checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", answer.Status)
	}
	b.want("the good one", good, http.StatusOK)
}

func TestServeEndsWithItsContext(t *testing.T) {
	b := build(t, newLog(t, 1).key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.witness.Serve(ctx, listener) }()
	if _, err := http.Get("http://" + listener.Addr().String() + "/"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
