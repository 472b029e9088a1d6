//go:build ignore

// This program builds the verifier for browsers into internal/web/static, or into the folder that is its argument:
// `go generate ./verify/wasm`. The same source and the same Go give the same bytes on any machine.
package main

import (
	"bytes"
	"compress/gzip"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	version, err := os.ReadFile("go.version")
	check(err)
	out, err := os.MkdirTemp("", "wasm")
	check(err)
	defer func() { check(os.RemoveAll(out)) }()
	env := append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "GOFLAGS=", "GOEXPERIMENT=", "CGO_ENABLED=0",
		"GOTOOLCHAIN="+strings.TrimSpace(string(version)))
	path := filepath.Join(out, "verify.wasm")
	run(env, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, ".")
	program, err := os.ReadFile(path)
	check(err)
	static := filepath.Join("..", "..", "internal", "web", "static")
	if len(os.Args) > 1 {
		static = os.Args[1]
	}
	check(os.WriteFile(filepath.Join(static, "verify.wasm.gz"), compress(program), 0o644))
}

func run(env []string, args ...string) {
	c := exec.Command("go", args...)
	c.Env, c.Stderr = env, os.Stderr
	check(c.Run())
}

func compress(program []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	check(err)
	_, err = z.Write(program)
	check(err)
	check(z.Close())
	return out.Bytes()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
