//go:build !js

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is committed is what the source gives: nobody has to believe the bytes.
func TestTheCommittedProgramIsBuiltFromThisSource(t *testing.T) {
	version, err := os.ReadFile("go.version")
	if err != nil {
		t.Fatal(err)
	}
	toolchain := strings.TrimSpace(string(version))
	have := exec.Command("go", "version")
	have.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain)
	if out, err := have.CombinedOutput(); err != nil {
		t.Skipf("the program is built with %s, which is not here and cannot be had: %s", toolchain, out)
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "build.go", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"verify.wasm.gz", "wasm_exec.js"} {
		committed, built := read(t, filepath.Join("..", "..", "internal", "web", "static", name)), read(t, filepath.Join(dir, name))
		if !bytes.Equal(committed, built) {
			t.Errorf("internal/web/static/%s is not what this source gives: run `go generate ./verify/wasm` and commit it", name)
		}
	}
}

// read returns a file, decompressed: how it is compressed is no part of what is claimed.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// It knows no network: what it does not have it cannot use.
func TestItHasNoNetwork(t *testing.T) {
	list := exec.Command("go", "list", "-deps", ".")
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		if name == "net" || strings.HasPrefix(name, "net/") || strings.HasPrefix(name, "crypto/tls") {
			t.Errorf("it is built with %s", name)
		}
	}
	if !strings.Contains(string(out), "quiniela/verify\n") {
		t.Errorf("%s", out)
	}
}
