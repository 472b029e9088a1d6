package tlog

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// maxPolicy bounds a policy's logs, witnesses and groups together.
const maxPolicy = 256

// Policy says whose checkpoints a verifier accepts: those signed by one of its logs and cosigned by a quorum of its
// witnesses. A verifier must get it from somebody that it trusts. It does not change once it is parsed, so that many
// goroutines may use it.
type Policy struct {
	logs      []*verifier
	witnesses []*verifier
	members   map[string]member
	quorum    string // the name of a member, or none
}

// member is a witness, or a group of which at least need of those named have to have signed.
type member struct {
	witness *verifier
	need    int
	names   []string
	taken   bool // by a group
}

// noQuorum is the quorum that needs no cosignature.
const noQuorum = "none"

// ParsePolicy reads a policy in the format of C2SP tlog-policy:
//
//	log <verifier key> [<url>]
//	witness <name> <verifier key> [<url>]
//	group <name> <all | any | how many> <name of a witness or group>...
//	quorum <name of a witness or group, or none>
//
// with blank lines and lines beginning with '#' between. Exactly one quorum line and, beyond that format, at least one
// log are needed. Only Ed25519 keys are known. URLs are ignored.
func ParsePolicy(text []byte) (*Policy, error) {
	p := &Policy{members: make(map[string]member)}
	for i, line := range strings.Split(string(text), "\n") {
		if bad := strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); bad >= 0 {
			return nil, fmt.Errorf("policy: line %d: a control character", i+1)
		}
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := p.line(words); err != nil {
			return nil, fmt.Errorf("policy: line %d: %w", i+1, err)
		}
	}
	if len(p.logs) == 0 || p.quorum == "" {
		return nil, errors.New("policy: want at least one line `log KEY`, and one line `quorum NAME`, or `quorum none` where no witness is asked for")
	}
	return p, nil
}

func (p *Policy) line(words []string) error {
	if len(p.logs)+len(p.members) >= maxPolicy {
		return fmt.Errorf("more than %d logs, witnesses and groups", maxPolicy)
	}
	switch n := len(words); {
	case words[0] == "log" && (n == 2 || n == 3):
		return p.addLog(words[1])
	case words[0] == "witness" && (n == 3 || n == 4):
		return p.addWitness(words[1], words[2])
	case words[0] == "group" && n >= 4:
		return p.addGroup(words[1], words[2], words[3:])
	case words[0] == "quorum" && n == 2:
		return p.setQuorum(words[1])
	}
	return fmt.Errorf("%.60q: want `log KEY`, `witness NAME KEY`, `group NAME COUNT NAME...` or `quorum NAME`", strings.Join(words, " "))
}

func (p *Policy) addLog(key string) error {
	v, err := parseKey(key, typeEd25519)
	if err != nil {
		return err
	}
	if known(p.logs, v) {
		return errors.New("this log's key has a line already")
	}
	p.logs = append(p.logs, v)
	return nil
}

func (p *Policy) addWitness(name, key string) error {
	v, err := parseKey(key, typeCosignature)
	if err != nil {
		return err
	}
	if known(p.witnesses, v) {
		return errors.New("this witness's key has a line already")
	}
	p.witnesses = append(p.witnesses, v)
	return p.add(name, member{witness: v})
}

func known(list []*verifier, v *verifier) bool {
	for _, other := range list {
		if other.public.Equal(v.public) {
			return true
		}
	}
	return false
}

func (p *Policy) add(name string, m member) error {
	if _, taken := p.members[name]; taken || name == noQuorum {
		return fmt.Errorf("the name %.60q is taken", name)
	}
	p.members[name] = m
	return nil
}

func (p *Policy) addGroup(name, count string, names []string) error {
	need := len(names)
	switch count {
	case "all":
	case "any":
		need = 1
	default:
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > len(names) || count != strconv.Itoa(n) {
			return fmt.Errorf("the group %.60q needs %.20q of its %d members: want all, any or 1 to %d", name, count, len(names), len(names))
		}
		need = n
	}
	for _, of := range names {
		m, ok := p.members[of]
		if !ok || m.taken {
			return fmt.Errorf("the group's member %.60q is no witness or group of a line before, or is in a group already", of)
		}
		m.taken = true
		p.members[of] = m
	}
	return p.add(name, member{need: need, names: names})
}

func (p *Policy) setQuorum(name string) error {
	if p.quorum != "" {
		return errors.New("a second quorum line")
	}
	if _, ok := p.members[name]; !ok && name != noQuorum {
		return fmt.Errorf("the quorum %.60q is no witness or group of a line before", name)
	}
	p.quorum = name
	return nil
}

// TrustLog returns the policy that accepts checkpoints signed by one log and needs no witness. keys are the log's verifier
// keys, of which each is enough; it has more than one while its key is being replaced.
func TrustLog(keys ...string) (*Policy, error) {
	var text strings.Builder
	for _, key := range keys {
		if strings.ContainsAny(key, " \t\r\n") {
			return nil, errors.New("more than one word")
		}
		text.WriteString("log " + key + "\n")
	}
	text.WriteString("quorum " + noQuorum + "\n")
	return ParsePolicy([]byte(text.String()))
}

// Origins returns the origins of the policy's logs.
func (p *Policy) Origins() []string {
	var origins []string
	for _, v := range p.logs {
		origins = append(origins, v.name)
	}
	return origins
}

// VerifiedCheckpoint is a checkpoint that a log of the policy has signed.
type VerifiedCheckpoint struct {
	Checkpoint
	Cosigned []Cosigned // by witnesses of the policy, all verified
}

// Cosigned is one witness's statement that the log had grown, and only grown, up to the checkpoint.
type Cosigned struct {
	Witness string    // the name in its key
	At      time.Time // by the witness's clock
	by      *verifier
}

// Before returns the checkpoint without the cosignatures of the given time or later.
func (c *VerifiedCheckpoint) Before(at time.Time) *VerifiedCheckpoint {
	early := &VerifiedCheckpoint{Checkpoint: c.Checkpoint}
	for _, cosigned := range c.Cosigned {
		if cosigned.At.Before(at) {
			early.Cosigned = append(early.Cosigned, cosigned)
		}
	}
	return early
}

// cosignedBy reports whether a witness has cosigned the checkpoint.
func (c *VerifiedCheckpoint) cosignedBy(witness *verifier) bool {
	return slices.ContainsFunc(c.Cosigned, func(cosigned Cosigned) bool { return cosigned.by == witness })
}

// VerifyCheckpoint verifies a signed checkpoint: the log whose name is its origin is one of the policy's and has signed it,
// and no signature by a key of the policy is wrong. Signatures by other keys prove nothing and are ignored. Whether the
// cosignatures suffice is for Quorum to say.
func (p *Policy) VerifyCheckpoint(signed []byte) (*VerifiedCheckpoint, error) {
	if _, _, err := splitNote(signed); err != nil {
		return nil, err
	}
	keys := slices.Concat(p.logs, p.witnesses)
	var known []note.Verifier
	for _, key := range keys {
		known = append(known, key)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return nil, p.unknown(unverified.Note)
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return nil, err
	}
	verified := &VerifiedCheckpoint{Checkpoint: c}
	signedByLog := false
	for _, sig := range n.Sigs {
		i := slices.IndexFunc(keys, func(key *verifier) bool { return key.name == sig.Name && key.id == sig.Hash })
		switch key := keys[i]; {
		case key.kind == typeCosignature:
			verified.Cosigned = append(verified.Cosigned, Cosigned{key.name, timeOf(sig), key})
		case key.name == c.Origin:
			signedByLog = true
		}
	}
	if !signedByLog {
		return nil, p.unknown(n)
	}
	return verified, nil
}

// unknown says whose checkpoint it is that no key of the policy has signed.
func (p *Policy) unknown(n *note.Note) error {
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return err
	}
	mine := strings.Join(p.Origins(), ", ")
	if !slices.Contains(p.Origins(), c.Origin) {
		return &OtherLogError{c.Origin, mine}
	}
	return &OtherLogError{Signed: c.Origin}
}

// OtherLogError says that a checkpoint is signed by no log of a policy.
type OtherLogError struct {
	Signed string // the log that the checkpoint names
	Known  string // the policy's logs; "" where Signed is among them, with another key
}

func (e *OtherLogError) Error() string {
	if e.Known == "" {
		return fmt.Sprintf("it is of the log %.80q, and not signed with the key that you have of it", e.Signed)
	}
	return fmt.Sprintf("it is signed by the log %.80q, and your key is of the log %.200q", e.Signed, e.Known)
}

// QuorumError says that too few of a policy's witnesses have cosigned a checkpoint.
type QuorumError struct {
	Cosigned, Witnesses int
	Quorum              string // the policy's name for what it asks for
}

func (e *QuorumError) Error() string {
	return fmt.Sprintf("%d of the policy's %d witnesses have cosigned the checkpoint, which is not the quorum %q", e.Cosigned, e.Witnesses, e.Quorum)
}

// timeOf returns the time in a cosignature that has been verified.
func timeOf(sig note.Signature) time.Time {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) < 4+8 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()
}

// Quorum returns a *QuorumError where too few witnesses have cosigned a checkpoint that VerifyCheckpoint returned.
func (p *Policy) Quorum(c *VerifiedCheckpoint) error {
	if p.quorum == noQuorum || p.satisfied(p.quorum, c) {
		return nil
	}
	return &QuorumError{len(c.Cosigned), len(p.witnesses), p.quorum}
}

// WithoutWitnesses returns a policy that accepts the same logs and needs no cosignature.
func (p *Policy) WithoutWitnesses() *Policy {
	c := *p
	c.quorum = noQuorum
	return &c
}

// NeedsWitnesses reports whether the policy needs a cosignature.
func (p *Policy) NeedsWitnesses() bool { return p.quorum != noQuorum }

// satisfied reports whether a witness has cosigned, or enough members of a group. The recursion ends since a group's members
// are defined on earlier lines than the group.
func (p *Policy) satisfied(name string, c *VerifiedCheckpoint) bool {
	m := p.members[name]
	if m.witness != nil {
		return c.cosignedBy(m.witness)
	}
	n := 0
	for _, of := range m.names {
		if p.satisfied(of, c) {
			n++
		}
	}
	return n >= m.need
}
