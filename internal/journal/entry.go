package journal

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"quiniela"
)

// Kind is the first byte of an entry.
type Kind byte

// The kinds of entry. docs/LEDGER-FORMAT.md has their bytes.
const (
	KindBatch   Kind = 'B'
	KindOpen    Kind = 'O'
	KindFinish  Kind = 'F'
	KindSeal    Kind = 'S'
	KindNumber  Kind = 'N'
	KindResult  Kind = 'R'
	KindForget  Kind = 'X'
	KindNewLog  Kind = 'L'
	KindEntered Kind = 'E'
	KindAct     Kind = 'A'
)

// version is the second byte of an entry. A reader refuses any other.
const version = 1

// Sizes of a batch entry's parts, in bytes.
const (
	HashSize       = 32
	SecretSize     = 32
	fixedBatchSize = 40
	// MaxBatchHeader is the most that precedes a batch's lines in its entry.
	MaxBatchHeader = fixedBatchSize + SecretSize + HashSize
)

// Offsets of a batch entry's fields.
const (
	offFlags    = 2
	offAgency   = 4
	offDraw     = 8
	offBatch    = 16
	offCount    = 24
	offSize     = 28
	offReceived = 32
)

const (
	flagForgotten = 1 << 0 // packed plays are in the place of the lines, and neither secret nor MAC is there
	flagRoot      = 1 << 1 // the root is there, in the place of the MAC
)

// Batch is an agency's batch of bets.
type Batch struct {
	Draw     uint64
	Agency   quiniela.Agency
	Batch    uint64 // the agency's, from 1, without gaps
	Count    uint32 // bets
	Received int64  // when it arrived, in µs since the Unix epoch, by the clock of the server that took it
	// Secret is what the batch's root, its bets' salts or its MAC are made of; nil once the batch is forgotten.
	Secret *[SecretSize]byte
	// Root is that of its bets' public records (receipt.Root), where it is in the public log; else nil. A repeat of the batch must
	// have it.
	Root *[HashSize]byte
	// MAC is MAC(Secret, Lines), where there is no root: a repeat must have it. Else it is zeros, as in a batch that is forgotten.
	MAC   [HashSize]byte
	Lines []byte // the bet lines, each trimmed and ended by '\n'; nil once they are forgotten
	// Plays are what the bets of a forgotten batch are on, packed; nil for any other.
	Plays []byte
}

// MAC is HMAC-SHA256 of a batch's lines under its secret: what tells whether two batches have the same lines, in a draw that is
// not in the public log. A plain hash of the lines would tell it too, but whoever has a list of people could find those who bet, even after they were forgotten.
func MAC(secret *[SecretSize]byte, lines []byte) (mac [HashSize]byte) {
	h := hmac.New(sha256.New, secret[:])
	_, _ = h.Write(lines) // never fails
	h.Sum(mac[:0])
	return mac
}

// Forgotten returns what is left of an entry once who bet in a draw, which is of a game, is forgotten: nil where nothing of the entry
// goes, since it is no batch of the draw, or is forgotten already. Of a batch its lines, its secret and its MAC go; what the bets are on stays.
// Its place in the chain stays the same: the checksum of what was there is kept for it, and says nothing of the lines without the
// secret, which it is of as well.
func Forgotten(entry []byte, draw uint64, game *quiniela.Terms) ([]byte, error) {
	if len(entry) > 0 && Kind(entry[0]) != KindBatch {
		return nil, nil
	}
	b, err := decodeBatch(entry)
	if err != nil {
		return nil, err
	}
	if b.Draw != draw || b.Plays != nil {
		return nil, nil
	}
	if b.Plays, err = game.PackPlays(nil, b.Lines); err != nil {
		return nil, err
	}
	b.Secret, b.Lines = nil, nil
	buffer := append(make([]byte, MaxBatchHeader, MaxBatchHeader+len(b.Plays)+forgottenTrailer), b.Plays...)
	return appendTrailer(buffer[PutBatch(buffer, MaxBatchHeader, b):], sum(entry)), nil
}

// PutBatch writes b's header into buf, directly in front of its lines, or its plays where it is forgotten, which are already
// there from start on, and returns where the entry begins in buf. start must be at least MaxBatchHeader. A batch that is not
// forgotten must have its secret.
func PutBatch(buf []byte, start int, b *Batch) int {
	size := fixedBatchSize
	payload := len(b.Lines)
	var flags uint16
	if b.Plays != nil {
		flags |= flagForgotten
		payload = len(b.Plays)
	} else {
		size += SecretSize
	}
	if b.Root != nil {
		flags |= flagRoot
	}
	if b.Root != nil || b.Plays == nil {
		size += HashSize
	}
	h := buf[start-size : start]
	h[0], h[1] = byte(KindBatch), version
	binary.BigEndian.PutUint16(h[offFlags:], flags)
	binary.BigEndian.PutUint32(h[offAgency:], uint32(b.Agency))
	binary.BigEndian.PutUint64(h[offDraw:], b.Draw)
	binary.BigEndian.PutUint64(h[offBatch:], b.Batch)
	binary.BigEndian.PutUint32(h[offCount:], b.Count)
	binary.BigEndian.PutUint32(h[offSize:], uint32(payload))
	binary.BigEndian.PutUint64(h[offReceived:], uint64(b.Received))
	rest := h[fixedBatchSize:]
	if b.Plays == nil {
		rest = rest[copy(rest, b.Secret[:]):]
	}
	switch {
	case b.Root != nil:
		copy(rest, b.Root[:])
	case b.Plays == nil:
		copy(rest, b.MAC[:])
	}
	return start - size
}

// Place writes into a batch entry what only the committer knows: its draw and number.
func Place(entry []byte, draw, number uint64) {
	binary.BigEndian.PutUint64(entry[offDraw:], draw)
	binary.BigEndian.PutUint64(entry[offBatch:], number)
}

// Open opens a draw. From here on its entries may follow.
type Open struct {
	Draw     uint64           `json:"draw"`     // the journal's number for it: 1, 2, 3, …
	ID       string           `json:"id"`       // the operator's name for it
	Agencies uint32           `json:"agencies"` // how many are expected: 1..Agencies
	Source   string           `json:"source"`   // of the winning number; quiniela.SourceFixed and so on
	Number   *quiniela.Number `json:"number,omitempty"`
	Closes   int64            `json:"closes,omitempty"` // µs since the Unix epoch, from when on it takes no bet; 0: when all have finished
	Chain    []byte           `json:"chain,omitempty"`  // hash of the beacon's chain, where that is the source
	Round    uint64           `json:"round,omitempty"`  // and its round
	Public   bool             `json:"public,omitempty"` // its batches are in the public log
	Two      bool             `json:"two,omitempty"`    // two people must enter its number; for the source notary
	Game     *quiniela.Terms  `json:"game,omitempty"`   // the terms of the game quiniela; nil: the game is the specification's
	At       int64            `json:"at"`               // µs since the Unix epoch
}

// Finish says that an agency has sent all its bets.
type Finish struct {
	Draw    uint64          `json:"draw"`
	Agency  quiniela.Agency `json:"agency"`
	Batches uint64          `json:"batches"` // stored when it said so
	At      int64           `json:"at"`
}

// Seal closes a draw: no bet of it follows.
type Seal struct {
	Draw    uint64 `json:"draw"`
	Batches uint64 `json:"batches"`
	Bets    uint64 `json:"bets"`
	By      string `json:"by,omitempty"`      // who closed it: one of the Sealed… words
	Note    string `json:"note,omitempty"`    // an operator's reason
	Missing uint32 `json:"missing,omitempty"` // agencies that had not finished
	At      int64  `json:"at"`
}

// Who closes a draw.
const (
	SealedByAgencies = "agencies" // the last one that was expected finished
	SealedByTime     = "time"     // its closing time came
	SealedByOperator = "operator"
)

// Number is the winning number that a draw waited for.
type Number struct {
	Draw      uint64            `json:"draw"`
	Number    quiniela.Number   `json:"number"`
	Prizes    []quiniela.Number `json:"prizes,omitempty"`    // all twenty, in the game quiniela
	Signature []byte            `json:"signature,omitempty"` // the beacon's, of the draw's round; none where a person entered the number
	Extract   []byte            `json:"extract,omitempty"`   // SHA-256 of the official extract that a person handed in with it
	By        []string          `json:"by,omitempty"`        // who entered it: one person, or the two that the draw needs, the first one first
	At        int64             `json:"at"`
}

// Result records a draw's outcome. The winners themselves follow from the number and the bets; Digest is what they
// must come to, so that a rebuilt state that differs is noticed.
type Result struct {
	Draw    uint64          `json:"draw"`
	Number  quiniela.Number `json:"number"`
	Winners uint64          `json:"winners"`
	Due     uint64          `json:"due,omitempty"`  // the prizes of the game quiniela together, in cents, before the cap of the draw's terms
	Paid    uint64          `json:"paid,omitempty"` // and what is paid of them
	// Digest is SHA-256 over the lines `<agency>,<batch>,<line>\n` of the winning bets, see AppendWinner. In the game quiniela it is
	// over a line of each batch that has some, see AppendBatchDigest.
	Digest []byte `json:"digest"`
	At     int64  `json:"at"`
}

// AppendWinner appends a winning bet to what a Result's Digest is of: by agency, and then in stored order. line counts from 1 in its
// batch. Where a bet is says nothing of who made it, so the digest can be checked also when that is forgotten.
func AppendWinner(dst []byte, agency quiniela.Agency, batch uint64, line int) []byte {
	dst = append(strconv.AppendUint(dst, uint64(agency), 10), ',')
	dst = append(strconv.AppendUint(dst, batch, 10), ',')
	return append(strconv.AppendInt(dst, int64(line), 10), '\n')
}

// AppendPrize appends a winning bet of the game quiniela to what its batch is hashed from. line counts from 1 in its batch; hits are how
// often it hits, and due what it is paid without a cap, in cents.
func AppendPrize(dst []byte, line, hits int, due uint64) []byte {
	dst = append(strconv.AppendInt(dst, int64(line), 10), ',')
	dst = append(strconv.AppendInt(dst, int64(hits), 10), ',')
	return append(strconv.AppendUint(dst, due, 10), '\n')
}

// AppendBatchDigest appends a batch with winning bets to what a Result's Digest is of in the game quiniela: `<agency>,<batch>,` and the
// SHA-256 of its winning bets in hexadecimal, by agency and batch. The batches are hashed by themselves so that many cores can do it.
func AppendBatchDigest(dst []byte, agency quiniela.Agency, batch uint64, prizes []byte) []byte {
	dst = append(strconv.AppendUint(dst, uint64(agency), 10), ',')
	dst = append(strconv.AppendUint(dst, batch, 10), ',')
	sum := sha256.Sum256(prizes)
	return append(hex.AppendEncode(dst, sum[:]), '\n')
}

// Forget says that who bet in a drawn draw, and who won, is to be forgotten. The lines of its batches are gone from then
// on, or go when the command that appended it is run again.
type Forget struct {
	Draw uint64 `json:"draw"`
	At   int64  `json:"at"`
}

// NewLog begins a new public log. It stands in a journal that has lost entries which the old log had: the old log cannot go on from it.
// The new one has the draws that had no result yet, from their opening on, and all later ones.
type NewLog struct {
	Key     string   `json:"key"`             // the new log's verifier key, with its name
	OldKey  string   `json:"old_key"`         // the old log's
	OldSize uint64   `json:"old_size"`        // how many entries the old log had in the newest checkpoint that is known of it
	OldRoot []byte   `json:"old_root"`        // and its root
	Opened  uint64   `json:"opened"`          // public draws that the journal has opened until here
	Again   []uint64 `json:"again,omitempty"` // those of them that had no result: the journal's numbers
	At      int64    `json:"at"`
}

// Encode returns the entry of any type above but Batch, which has PutBatch, and of an Entered or Act.
func Encode(v any) []byte {
	var kind Kind
	switch v.(type) {
	case Open:
		kind = KindOpen
	case Finish:
		kind = KindFinish
	case Seal:
		kind = KindSeal
	case Number:
		kind = KindNumber
	case Result:
		kind = KindResult
	case Forget:
		kind = KindForget
	case NewLog:
		kind = KindNewLog
	case Entered:
		kind = KindEntered
	case Act:
		kind = KindAct
	default:
		panic(fmt.Sprintf("journal: no entry holds a %T", v))
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types above always marshal
	}
	return append([]byte{byte(kind), version}, text...)
}

// Decode reads an entry: a *Batch, whose Lines alias data, or a value of one of the types that Encode takes. Anything
// that is not exactly what this version writes is an error: a journal is not read on a guess.
func Decode(data []byte) (any, error) {
	if len(data) < 2 {
		return nil, fmt.Errorf("an entry of %d bytes", len(data))
	}
	if data[1] != version {
		return nil, fmt.Errorf("entry version %d; this program reads version %d: was the journal written by a newer one?", data[1], version)
	}
	switch Kind(data[0]) {
	case KindBatch:
		return decodeBatch(data)
	case KindOpen:
		return decodeText[Open](data)
	case KindFinish:
		return decodeText[Finish](data)
	case KindSeal:
		return decodeText[Seal](data)
	case KindNumber:
		return decodeText[Number](data)
	case KindResult:
		return decodeText[Result](data)
	case KindForget:
		return decodeText[Forget](data)
	case KindNewLog:
		return decodeText[NewLog](data)
	case KindEntered:
		return decodeText[Entered](data)
	case KindAct:
		return decodeText[Act](data)
	}
	return nil, fmt.Errorf("unknown entry kind %q", data[0])
}

func decodeBatch(data []byte) (*Batch, error) {
	if len(data) < fixedBatchSize {
		return nil, fmt.Errorf("a batch entry of %d bytes", len(data))
	}
	b := &Batch{
		Draw:     binary.BigEndian.Uint64(data[offDraw:]),
		Agency:   quiniela.Agency(binary.BigEndian.Uint32(data[offAgency:])),
		Batch:    binary.BigEndian.Uint64(data[offBatch:]),
		Count:    binary.BigEndian.Uint32(data[offCount:]),
		Received: int64(binary.BigEndian.Uint64(data[offReceived:])),
		Lines:    data[fixedBatchSize:],
	}
	flags := binary.BigEndian.Uint16(data[offFlags:])
	if flags&^(flagForgotten|flagRoot) != 0 {
		return nil, fmt.Errorf("unknown batch flags %#x", flags)
	}
	if flags&flagForgotten == 0 {
		if b.Secret, b.Lines = cut(b.Lines); b.Secret == nil {
			return nil, fmt.Errorf("a batch entry of %d bytes, too short for its secret", len(data))
		}
	}
	if flags&(flagForgotten|flagRoot) != flagForgotten {
		var hash *[HashSize]byte
		if hash, b.Lines = cut(b.Lines); hash == nil {
			return nil, fmt.Errorf("a batch entry of %d bytes, too short for its root or its MAC", len(data))
		}
		if flags&flagRoot != 0 {
			b.Root = hash
		} else {
			b.MAC = *hash
		}
	}
	if flags&flagForgotten != 0 {
		if _, ok := forgottenSum(data); !ok {
			return nil, errors.New("a forgotten batch that does not have its own checksum")
		}
		b.Lines = b.Lines[:len(b.Lines)-forgottenTrailer]
	}
	if size := binary.BigEndian.Uint32(data[offSize:]); uint64(size) != uint64(len(b.Lines)) {
		return nil, fmt.Errorf("a batch entry says %d bytes of lines and has %d", size, len(b.Lines))
	}
	if flags&flagForgotten != 0 {
		if n, size := uint64(b.Count), uint64(len(b.Lines)); size != n*quiniela.NumberSize && size != n*quiniela.PlaySize {
			return nil, fmt.Errorf("a forgotten batch of %d bets has %d bytes of what they are on", n, size)
		}
		b.Lines, b.Plays = nil, b.Lines
	}
	return b, nil
}

// cut takes 32 bytes off the front of data, where it has them.
func cut(data []byte) (first *[HashSize]byte, rest []byte) {
	if len(data) < HashSize {
		return nil, data
	}
	return (*[HashSize]byte)(data), data[HashSize:]
}

func decodeText[T any](data []byte) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(data[2:]))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("entry kind %q: %w", data[0], err)
	}
	if d.More() {
		return v, fmt.Errorf("entry kind %q: text after the entry", data[0])
	}
	return v, nil
}
