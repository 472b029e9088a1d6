package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"quiniela/internal/durable"
)

// How long the certificates are good for.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
)

// Create makes a private authority in dir (ca.pem, ca-key.pem), where it is not there yet, a certificate of it for a server
// that is reached under hosts (server.pem, server-key.pem), and one for each client's common name (<name>.pem,
// <name>-key.pem). Files that are there stay as they are. It returns the files that it made. Keys are for their owner
// only (0600).
func Create(dir string, hosts, clients []string) (made []string, err error) {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	m := &maker{dir: dir}
	if err := m.authority(); err != nil {
		return m.made, err
	}
	server := &x509.Certificate{Subject: pkix.Name{CommonName: hosts[0]}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, h)
		}
	}
	if err := m.leaf("server", server); err != nil {
		return m.made, err
	}
	for _, name := range clients {
		client := &x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if err := m.leaf(name, client); err != nil {
			return m.made, err
		}
	}
	return m.made, nil
}

type maker struct {
	dir  string
	made []string
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (m *maker) path(name string) string { return filepath.Join(m.dir, name) }

// authority reads the authority, or makes it.
func (m *maker) authority() error {
	ca, err := readPEM(m.path("ca.pem"))
	if err == nil {
		var key []byte
		if key, err = readPEM(m.path("ca-key.pem")); err == nil {
			return m.use(ca, key)
		}
		return fmt.Errorf("the authority's certificate is here and its key is not: %w; without it no certificate can be made", err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "quiniela private authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, MaxPathLenZero: true,
	}
	return m.leaf("ca", template)
}

func (m *maker) use(ca, key []byte) (err error) {
	if m.ca, err = x509.ParseCertificate(ca); err != nil {
		return fmt.Errorf("%s: %w", m.path("ca.pem"), err)
	}
	if m.key, err = x509.ParseECPrivateKey(key); err != nil {
		return fmt.Errorf("%s: %w", m.path("ca-key.pem"), err)
	}
	return nil
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	return block.Bytes, nil
}

// leaf makes a key and its certificate, unless they are there. The authority's own is signed by itself.
func (m *maker) leaf(name string, template *x509.Certificate) error {
	if _, err := os.Stat(m.path(name + ".pem")); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return err
	}
	now := time.Now()
	template.NotBefore = now.Add(-time.Hour) // clocks differ
	life := leafLife
	parent, signer := m.ca, m.key
	if template.IsCA {
		life, parent, signer = authorityLife, template, key
	} else {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	template.NotAfter = now.Add(life)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return fmt.Errorf("make the certificate %s: %w", name, err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	// The key first: a certificate without its key would count as made.
	if err := m.write(name+"-key.pem", "EC PRIVATE KEY", secret, 0o600); err != nil {
		return err
	}
	if err := m.write(name+".pem", "CERTIFICATE", der, 0o644); err != nil {
		return err
	}
	if template.IsCA {
		return m.use(der, secret)
	}
	return nil
}

func (m *maker) write(name, kind string, der []byte, mode fs.FileMode) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := durable.WriteFile(m.path(name), text, mode); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	m.made = append(m.made, m.path(name))
	return nil
}
