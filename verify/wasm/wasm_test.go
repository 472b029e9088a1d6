//go:build !wasip1

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

// The committed program is what this source gives, so nobody has to trust its bytes.
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
	committed := read(t, filepath.Join("..", "..", "internal", "web", "static", "verify.wasm.gz"))
	if built := read(t, filepath.Join(dir, "verify.wasm.gz")); !bytes.Equal(committed, built) {
		t.Error("internal/web/static/verify.wasm.gz is not what this source gives: run `go generate ./verify/wasm` and commit it")
	}
}

// read returns a file, decompressed: the claim is about the program, not about how it is compressed.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
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

// A program without network code cannot send a receipt anywhere.
func TestItHasNoNetwork(t *testing.T) {
	list := exec.Command("go", "list", "-deps", ".")
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
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
