package agencies

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"quiniela"
	"quiniela/internal/registry"
)

// Guard decides who may speak for an agency. Until a registry exists, anyone may speak for any agency. Afterwards a missing or
// unreadable registry denies everyone: the log says why, since only the operator can repair it, and agencies are told to try
// again later. It is safe for concurrent use.
type Guard struct {
	watched *registry.Watched[Registry, *Registry]
}

// Identity is the agency that a connection has proven to be. The zero value is nobody. Only one goroutine may use it.
type Identity struct {
	agency      quiniela.Agency
	certificate string // its SHA-256, where it came with one that is good for the agency
	token       string // the SHA-256 of its token, likewise
	checked     *Registry
}

// NewGuard reads the registry at path, which need not be there.
func NewGuard(path string, log *slog.Logger) (*Guard, error) {
	watched, err := registry.Watch(file(path),
		func(r *Registry) { log.Info("agencies", "result", "success", "registered", len(r.Agencies)) },
		func(err error) {
			log.Error("agencies", "result", "fail", "error", err, "agencies", "all are told to try again later, until it can be read")
		})
	if err != nil {
		return nil, err
	}
	return &Guard{watched}, nil
}

// Open reports whether there is no registry.
func (g *Guard) Open() bool { return *g.state() == state{} }

// Registry returns the registry as it was at most a second ago, which must not be changed; nil where there is none, or it cannot be read.
func (g *Guard) Registry() *Registry { return g.watched.State().Registry }

// Name returns the name of a registered agency; "" where it has none or the registry cannot be read.
func (g *Guard) Name(n quiniela.Agency) string {
	if r := g.Registry(); r != nil {
		if a := r.Find(n); a != nil {
			return a.Name
		}
	}
	return ""
}

// state is what is known of the registry; without a failure and a registry anyone may speak.
type state registry.State[Registry]

func (g *Guard) state() *state { return (*state)(g.watched.State()) }

func denied(format string, args ...any) error {
	return quiniela.Refuse(quiniela.Denied, format, args...)
}

// errLogin does not tell a stranger whether the number or the token was wrong.
var errLogin = denied("the agency and its token do not fit; ask the operator for a token")

// errUnreadable is the answer while the registry cannot be read. It does not tell the agency to ask for a token, since the
// agency may have the right one.
var errUnreadable = quiniela.Refuse(quiniela.Busy, "the server cannot check for now who you are; try again later")

// Login returns the identity of a connection that names an agency and sends its token. have is the connection's identity until now.
// A right token is never refused for wrong ones that came before it, from the same address or for the same agency: only the connection
// that guesses is slowed down, which its server does. The error is for the peer.
func (g *Guard) Login(have Identity, n quiniela.Agency, token string) (Identity, error) {
	now := g.state()
	if now.Registry == nil || token == "" { // no guess, but a question without one
		err := now.allow(&have, n)
		return have, err
	}
	r := now.Registry
	hash := hashToken(token)
	a := r.Find(n)
	// Compared in constant time, and where there is no such agency as well.
	want := strings.Repeat("-", len(hash))
	if a != nil && a.Revoked == nil && a.Token != "" {
		want = a.Token
	}
	if subtle.ConstantTimeCompare([]byte(hash), []byte(want)) != 1 {
		return have, errLogin
	}
	return Identity{agency: n, token: hash, checked: r}, nil
}

// Allow reports whether a connection may speak for an agency, as a *quiniela.Error for the peer. An identity that was
// good may have been revoked since.
func (g *Guard) Allow(id *Identity, n quiniela.Agency) error { return g.state().allow(id, n) }

func (s *state) allow(id *Identity, n quiniela.Agency) error {
	r := s.Registry
	switch {
	case s.Failure != "":
		return errUnreadable
	case r == nil && (id.agency == 0 || id.agency == n):
		return nil
	case id.may(r, n):
		id.checked = r
		return nil
	case id.agency == 0:
		return denied("say who you are first: <length>;hello|agency|token, on this connection")
	case id.agency != n:
		return denied("this connection is agency %d's, and may do nothing for agency %d", id.agency, n)
	}
	return denied("agency %d was revoked, or has a new token or certificate", n)
}

// may reports whether the identity is the agency's, and still good by r.
func (id *Identity) may(r *Registry, n quiniela.Agency) bool {
	if r == nil || id.agency == 0 || id.agency != n {
		return false
	}
	if id.checked == r {
		return true
	}
	a := r.Find(n)
	return a != nil && a.Revoked == nil && (id.token != "" && id.token == a.Token ||
		id.certificate != "" && a.accepts(id.certificate))
}

// certificatePrefix begins the common name of an agency's certificate; its number follows.
const certificatePrefix = "agency-"

// CertificateName returns the common name of an agency's certificate.
func CertificateName(n quiniela.Agency) string {
	return certificatePrefix + strconv.FormatUint(uint64(n), 10)
}

// Certified returns the identity of a connection whose certificate has been verified to be of the server's authority. While
// the registry cannot be read it is the one that the certificate names: Allow refuses it until then, and checks it after.
func (g *Guard) Certified(c *x509.Certificate) (Identity, error) {
	name, ok := strings.CutPrefix(c.Subject.CommonName, certificatePrefix)
	n, err := quiniela.ParseAgency(name)
	if !ok || err != nil || n == quiniela.Unattributed {
		return Identity{}, denied("the certificate's common name is not %s and a number", certificatePrefix)
	}
	id := Identity{agency: n, certificate: Fingerprint(c)}
	if r := g.state().Registry; r != nil && !id.may(r, n) {
		return Identity{}, denied("this certificate of agency %d is not, or no longer, good here: use the agency's new token or certificate, or ask the operator for one", n)
	}
	return id, nil
}

// Fingerprint returns the SHA-256 of a certificate, in hex.
func Fingerprint(c *x509.Certificate) string {
	h := sha256.Sum256(c.Raw)
	return hex.EncodeToString(h[:])
}

// Agency returns the agency's number; 0 is nobody.
func (id Identity) Agency() quiniela.Agency { return id.agency }

// Same reports whether both are the same agency, shown with the same token or certificate.
func (id Identity) Same(other Identity) bool {
	return id.agency == other.agency && id.certificate == other.certificate && id.token == other.token
}

// String implements fmt.Stringer, without what must not be logged.
func (id Identity) String() string {
	if id.agency == 0 {
		return "nobody"
	}
	return fmt.Sprintf("agency %d", id.agency)
}
