//go:build ignore

// This program builds the verifier for browsers into internal/web/static: `go generate ./verify/wasm`. The same source and the same
// Go give the same bytes on any machine.
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
	env := append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWASM=", "GOFLAGS=", "GOEXPERIMENT=", "CGO_ENABLED=0",
		"GOTOOLCHAIN="+strings.TrimSpace(string(version)))
	path := filepath.Join(out, "verify.wasm")
	run(env, "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, ".")
	program, err := os.ReadFile(path)
	check(err)
	root := strings.TrimSpace(run(env, "env", "GOROOT"))
	glue, err := os.ReadFile(filepath.Join(root, "lib", "wasm", "wasm_exec.js"))
	check(err)
	static := filepath.Join("..", "..", "internal", "web", "static")
	if len(os.Args) > 1 {
		static = os.Args[1]
	}
	check(os.WriteFile(filepath.Join(static, "verify.wasm.gz"), compress(program), 0o644))
	check(os.WriteFile(filepath.Join(static, "wasm_exec.js"), glue, 0o644))
}

func run(env []string, args ...string) string {
	c := exec.Command("go", args...)
	c.Env, c.Stderr = env, os.Stderr
	out, err := c.Output()
	check(err)
	return string(out)
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
