package quiniela

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The games that a draw may be of. The names stand in the journal, in the public log and in settings, so they never change.
const (
	GameSpecified = "specified" // the specification's: a bet wins where its number is the first prize; without stakes
	GameQuiniela  = "quiniela"  // as Argentine provinces play it: stakes, one to four digits, twenty prizes
)

// Terms are what a draw of the game quiniela is played under. They are fixed when it opens. A nil *Terms stands for the
// specification's game, which has none, in everything that takes one.
type Terms struct {
	// Multipliers are how many times its stake a bet on 1, 2, 3 and 4 digits is paid where it hits at its only prize.
	Multipliers [MaxDigits]uint32 `json:"multipliers"`
	MinStake    uint64            `json:"min_stake"`           // of a bet, in cents; at least 1
	MaxStake    uint64            `json:"max_stake,omitempty"` // of a bet, in cents; 0: as much as a bet can have
	// Cap is how many times what was staked the prizes may come to, all together; 0: there is no such bound. Where they would come to
	// more, each is paid at the same share.
	Cap uint32 `json:"cap,omitempty"`
}

// Specified are the terms of the specification's game: none.
var Specified = (*Terms)(nil)

// MaxMultiplier bounds the multipliers and the cap of a draw's terms.
const MaxMultiplier = 1_000_000

// DefaultTerms returns the terms of a draw that is opened without any.
func DefaultTerms() Terms {
	return Terms{Multipliers: [MaxDigits]uint32{7, 70, 600, 3500}, MinStake: 100}
}

// Game returns the game's name.
func (t *Terms) Game() string {
	if t == nil {
		return GameSpecified
	}
	return GameQuiniela
}

// Equal reports whether two draws are of one game under the same terms.
func (t *Terms) Equal(other *Terms) bool {
	if t == nil || other == nil {
		return t == other
	}
	return *t == *other
}

// PlaySize is how many bytes a bet has in a batch's packed plays: NumberSize, or PlaySize in the game quiniela.
func (t *Terms) PlaySize() int {
	if t == nil {
		return NumberSize
	}
	return PlaySize
}

// Check returns an error where no draw can have the terms.
func (t *Terms) Check() error {
	if t == nil {
		return nil
	}
	for i, m := range t.Multipliers {
		if m < 1 || m > MaxMultiplier {
			return fmt.Errorf("multipliers: %d for %d digits, want 1 to %d", m, i+1, MaxMultiplier)
		}
	}
	switch {
	case t.MinStake < 1 || t.MinStake > MaxStake:
		return fmt.Errorf("min_stake: %s, want 0.01 to %s", FormatCents(t.MinStake), FormatCents(MaxStake))
	case t.MaxStake != 0 && (t.MaxStake < t.MinStake || t.MaxStake > MaxStake):
		return fmt.Errorf("max_stake: %s, want %s to %s", FormatCents(t.MaxStake), FormatCents(t.MinStake), FormatCents(MaxStake))
	case t.Cap > MaxMultiplier:
		return fmt.Errorf("cap: %d, want at most %d", t.Cap, MaxMultiplier)
	}
	return nil
}

// MostStaked is how much all bets of a draw may stake together, in cents. Up to it neither the prizes together nor the cap are over 63
// bits, whatever is drawn: a bet is paid at most its stake times the greatest multiplier.
func (t *Terms) MostStaked() uint64 {
	if t == nil {
		return math.MaxInt64
	}
	most := max(uint64(t.Cap), 1)
	for _, m := range t.Multipliers {
		most = max(most, uint64(m))
	}
	return math.MaxInt64 / most
}

// CheckPlay returns an error where the game or its terms do not have a play. It names the field of the bet line.
func (t *Terms) CheckPlay(p Play) error {
	if err := p.Check(); err != nil {
		return err
	}
	if t == nil {
		if p != SpecifiedPlay(p.Number) {
			return fmt.Errorf("a bet on %d digits at the prizes %d to %d for %s, which the game %s does not have", p.Digits, p.From, p.To, FormatCents(p.Stake), GameSpecified)
		}
		return nil
	}
	if reason := t.checkStake(p.Stake); reason != "" {
		return &LineError{Field: fieldStake, Reason: reason}
	}
	return nil
}

// checkStake says what is wrong with a bet's stake, "" where nothing is.
func (t *Terms) checkStake(cents uint64) string {
	switch {
	case cents < t.MinStake:
		return fmt.Sprintf("%s is under the draw's %s", FormatCents(cents), FormatCents(t.MinStake))
	case t.MaxStake != 0 && cents > t.MaxStake:
		return fmt.Sprintf("%s is over the draw's %s", FormatCents(cents), FormatCents(t.MaxStake))
	case cents > MaxStake:
		return fmt.Sprintf("%s is over %s, the most that a bet can have", FormatCents(cents), FormatCents(MaxStake))
	}
	return ""
}

// String returns the game and its terms in one line, as hello has them: quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-.
func (t *Terms) String() string {
	if t == nil {
		return GameSpecified
	}
	most, limit := "-", "-"
	if t.MaxStake != 0 {
		most = FormatCents(t.MaxStake)
	}
	if t.Cap != 0 {
		limit = strconv.FormatUint(uint64(t.Cap), 10)
	}
	return fmt.Sprintf("%s multipliers=%s min_stake=%s max_stake=%s cap=%s", GameQuiniela, FormatMultipliers(t.Multipliers), FormatCents(t.MinStake), most, limit)
}

// ParseTerms reads what String writes, and nothing else.
func ParseTerms(s string) (*Terms, error) {
	if s == GameSpecified {
		return nil, nil
	}
	wrong := fmt.Errorf("the game and its terms %q: want %s, or such as %q", Clip(s), GameSpecified, (&Terms{Multipliers: DefaultTerms().Multipliers, MinStake: 100}).String())
	words := strings.Fields(s)
	if len(words) != 5 {
		return nil, wrong
	}
	var values [4]string
	for i, name := range []string{"multipliers=", "min_stake=", "max_stake=", "cap="} {
		var ok bool
		if values[i], ok = strings.CutPrefix(words[i+1], name); !ok {
			return nil, wrong
		}
	}
	var t Terms
	var err error
	if t.Multipliers, err = ParseMultipliers(values[0]); err != nil {
		return nil, err
	}
	if t.MinStake, err = ParseCents(values[1]); err != nil {
		return nil, err
	}
	if values[2] != "-" {
		if t.MaxStake, err = ParseCents(values[2]); err != nil {
			return nil, err
		}
	}
	if values[3] != "-" {
		n, err := ParseUint(values[3], 32)
		if err != nil {
			return nil, err
		}
		t.Cap = uint32(n)
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	if t.String() != s {
		return nil, wrong
	}
	return &t, nil
}

// FormatMultipliers returns multipliers as a person types them: 7,70,600,3500.
func FormatMultipliers(m [MaxDigits]uint32) string {
	words := make([]string, len(m))
	for i, n := range m {
		words[i] = strconv.FormatUint(uint64(n), 10)
	}
	return strings.Join(words, ",")
}

// ParseMultipliers reads the multipliers for 1, 2, 3 and 4 digits, with commas between them. It leaves their bounds to Terms.Check.
func ParseMultipliers(s string) (m [MaxDigits]uint32, err error) {
	words := strings.Split(s, ",")
	if len(words) != len(m) {
		return m, fmt.Errorf("the multipliers %q: want %d with commas between them, for 1 to %d digits, such as %s", Clip(s), len(m), len(m), FormatMultipliers(DefaultTerms().Multipliers))
	}
	for i, word := range words {
		n, err := ParseUint(word, 32)
		if err != nil {
			return m, fmt.Errorf("the multiplier for %d digits: %w", i+1, err)
		}
		m[i] = uint32(n)
	}
	return m, nil
}
