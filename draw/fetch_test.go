package draw_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela/draw"
)

func published(i int) string {
	r := rounds[i]
	return fmt.Sprintf(`{"round":%d,"randomness":"%s","signature":"%s"}`, r.Round, r.Randomness, r.Signature)
}

func beacon(t testing.TB, i int) draw.Beacon {
	return draw.Beacon{Round: rounds[i].Round, Signature: [48]byte(unhex(t, rounds[i].Signature))}
}

func TestParseBeacon(t *testing.T) {
	sig, random := rounds[2].Signature, rounds[2].Randomness
	for name, text := range map[string]string{
		"as published":       published(2),
		"with blank space":   " {\n \"round\": 1000, \"randomness\":\t\"" + random + "\", \"signature\": \"" + sig + "\"}\n",
		"no randomness":      `{"round":1000,"signature":"` + sig + `"}`,
		"in any other order": `{"signature":"` + sig + `","round":1000}`,
	} {
		got, err := draw.ParseBeacon([]byte(text))
		if err != nil || !cmp.Equal(got, beacon(t, 2)) {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(beacon(t, 2), got))
		}
	}
	back, err := json.Marshal(beacon(t, 2))
	if err != nil || string(back) != published(2) {
		t.Errorf("written as %s, %v", back, err)
	}
}

func TestWhatIsNoBeaconIsRefused(t *testing.T) {
	sig, random := rounds[2].Signature, rounds[2].Randomness
	for name, text := range map[string]string{
		"nothing":              "",
		"an array":             "[" + published(2) + "]",
		"null":                 "null",
		"cut short":            published(2)[:100],
		"text behind":          published(2) + "x",
		"two of them":          published(2) + published(2),
		"no round":             `{"signature":"` + sig + `"}`,
		"no signature":         `{"round":1000}`,
		"round 0":              `{"round":0,"signature":"` + sig + `"}`,
		"round null":           `{"round":null,"signature":"` + sig + `"}`,
		"round below 0":        `{"round":-1,"signature":"` + sig + `"}`,
		"round as a string":    `{"round":"1000","signature":"` + sig + `"}`,
		"round as a fraction":  `{"round":1000.0,"signature":"` + sig + `"}`,
		"round too large":      `{"round":18446744073709551616,"signature":"` + sig + `"}`,
		"a field twice":        `{"round":999,"round":1000,"signature":"` + sig + `"}`,
		"an unknown field":     `{"round":1000,"x":1,"signature":"` + sig + `"}`,
		"another case":         `{"Round":1000,"signature":"` + sig + `"}`,
		"upper-case digits":    `{"round":1000,"signature":"` + strings.ToUpper(sig) + `"}`,
		"signature too short":  `{"round":1000,"signature":"` + sig[:94] + `"}`,
		"signature too long":   `{"round":1000,"signature":"` + sig + `00"}`,
		"signature no hex":     `{"round":1000,"signature":"x` + sig[1:] + `"}`,
		"signature escaped":    `{"round":1000,"signature":"\u0062` + sig[1:] + `"}`,
		"another's randomness": `{"round":1000,"randomness":"` + rounds[1].Randomness + `","signature":"` + sig + `"}`,
		"no randomness in it":  `{"round":1000,"randomness":null,"signature":"` + sig + `"}`,
		"randomness too short": `{"round":1000,"randomness":"` + random[2:] + `","signature":"` + sig + `"}`,
		"too much":             published(2) + strings.Repeat(" ", 5000),
	} {
		if got, err := draw.ParseBeacon([]byte(text)); err == nil || got != (draw.Beacon{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func relay(t *testing.T, handle http.HandlerFunc) string {
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

func TestFetchTakesTheFirstAnswerThatVerifies(t *testing.T) {
	var asked []string
	answer := func(status int, body string) string {
		return relay(t, func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Path)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		})
	}
	down := "http://127.0.0.1:1"
	urls := []string{
		down,
		answer(http.StatusNotFound, "not yet"),
		answer(http.StatusOK, strings.Repeat(" ", 1<<20)),
		answer(http.StatusOK, published(1)),                                                        // another round
		answer(http.StatusOK, fmt.Sprintf(`{"round":1000,"signature":"%s"}`, rounds[1].Signature)), // a lie
		answer(http.StatusOK, published(2)) + "/",
		answer(http.StatusOK, "never asked"),
	}
	got, err := draw.Quicknet().Fetch(t.Context(), http.DefaultClient, urls, 1000)
	if err != nil || !cmp.Equal(got, beacon(t, 2)) {
		t.Fatalf("%v, %v", got, err)
	}
	if len(asked) != 5 || asked[4] != "/public/1000" {
		t.Errorf("asked for %q", asked)
	}
	_, err = draw.Quicknet().Fetch(t.Context(), http.DefaultClient, urls[:5], 1000)
	if !errors.Is(err, draw.ErrBeacon) || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "over 4096 bytes") {
		t.Errorf("the error does not say what each answered: %v", err)
	}
	if _, err := draw.Quicknet().Fetch(t.Context(), http.DefaultClient, nil, 1000); err == nil {
		t.Error("no URL and no error")
	}
}

func TestFetchStopsWhenItsCallerDoes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	url := relay(t, func(http.ResponseWriter, *http.Request) { asked++; cancel() })
	if _, err := draw.Quicknet().Fetch(ctx, http.DefaultClient, []string{url, url, url}, 1000); err == nil || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestABeaconFromAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "beacon.json")
	if err := os.WriteFile(name, []byte(published(2)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := draw.Quicknet().ReadFile(name, 1000); err != nil || got != beacon(t, 2) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := draw.Quicknet().ReadFile(name, 1001); !errors.Is(err, draw.ErrBeacon) {
		t.Errorf("round 1001 from round 1000's file: %v", err)
	}
	if _, err := draw.Quicknet().ReadFile(name+"x", 1000); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParseBeacon(f *testing.F) {
	f.Add([]byte(published(2)))
	f.Add([]byte(`{"round":1,"round":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := draw.ParseBeacon(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := draw.ParseBeacon(text); err != nil || again != b {
			t.Errorf("%s was read, written as %s and read as %v: %v", data, text, again, err)
		}
	})
}
