package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// In an image without a file of authorities, servers on the internet can be verified all the same.
func TestAuthoritiesAreEmbedded(t *testing.T) {
	if os.Getenv("TEST_WITHOUT_AUTHORITIES") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), "TEST_WITHOUT_AUTHORITIES=1", "SSL_CERT_FILE="+os.DevNull, "SSL_CERT_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	if pool.Equal(x509.NewCertPool()) {
		t.Fatal("there is no authority")
	}
}
