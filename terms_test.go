package quiniela_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"testing"

	"quiniela"
)

// evening are the terms that the tests' draws of the game quiniela have.
func evening() *quiniela.Terms {
	t := quiniela.DefaultTerms()
	t.MaxStake = 5_000_000
	return &t
}

func TestParseLineOfTheGame(t *testing.T) {
	for line, want := range map[string]string{ // what is wrong, or the play
		"4563,100":                "4563 1-1 10000",
		"0562,100,1-10":           "0562 1-10 10000",
		"62,100,1-20":             "62 1-20 10000",
		"07,100.5":                "07 1-1 10050",
		"7,100.50,1":              "7 1-1 10050",
		"007,1":                   "007 1-1 100",
		"63,33.34,20-20":          "63 20-20 3334",
		"63,50000.00":             "63 1-1 5000000",
		"63,8999,9-10":            "63 9-10 899900",
		"63":                      "5 fields, want 6 or 7: first_name,last_name,document,birthdate,number,stake[,from-to] (the draw's game is quiniela)",
		"63,1,1,1":                "8 fields",
		",100":                    "number: \"\" is not 1 to 4 digits",
		"12345,100":               "number: \"12345\" is not",
		"00000,100":               "number: ",
		"6x,100":                  "number: ",
		"-6,100":                  "number: ",
		"63,":                     "stake: \"\" is not an amount in pesos such as 100 or 100.50",
		"63,0.50":                 "stake: 0.50 is under the draw's 1.00",
		"63,0":                    "stake: 0.00 is under",
		"63,50000.01":             "stake: 50000.01 is over the draw's 50000.00",
		"63,.50":                  "stake: \".50\"",
		"63,100.":                 "stake: \"100.\"",
		"63,100.505":              "stake: \"100.505\"",
		"63,1e3":                  "stake: ",
		"63,+100":                 "stake: ",
		"63,-100":                 "stake: ",
		"63,$100":                 "stake: ",
		"63,0100":                 "stake: \"0100\"",
		"63,100.5x":               "stake: ",
		"63,18446744073709551616": "stake: ",
		"63,99999999999999999":    "stake: ",
		"63,100,":                 "from-to: \"\" is not 1, or two of the prizes 1 to 20 such as 1-5",
		"63,100,5":                "from-to: \"5\"",
		"63,100,0-5":              "from-to: ",
		"63,100,5-1":              "from-to: ",
		"63,100,1-21":             "from-to: ",
		"63,100,01-5":             "from-to: ",
		"63,100,1-05":             "from-to: ",
		"63,100,1-":               "from-to: ",
		"63,100,-5":               "from-to: ",
		"63,100,1-5-7":            "from-to: ",
		"63,100,1 - 5":            "from-to: ",
		"63,100,1–5":              "from-to: ",
	} {
		whole := []byte("Ana,Paz,1,1990-01-01," + line)
		b, bad := evening().CheckLine(whole, today)
		slow, worse := evening().ParseLine(whole, today)
		got := ""
		if bad != nil {
			got = bad.Error()
		} else {
			p := b.Play
			got = strings.TrimSpace(p.Appearance()) + " " + strings.Join([]string{big.NewInt(int64(p.From)).String(), big.NewInt(int64(p.To)).String()}, "-") + " " + big.NewInt(int64(p.Stake)).String()
		}
		if (bad == nil) != (worse == nil) || b.Play != slow.Play {
			t.Errorf("%q is %+v, %v in the fast way, and %+v, %v in the slow one", line, b.Play, bad, slow.Play, worse)
		}
		if bad == nil && got != want || bad != nil && !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s\nwant %s", line, got, want)
		}
		if of, err := evening().PlayOf(whole); bad == nil && (err != nil || of != b.Play) {
			t.Errorf("%q as a stored line: %+v, %v", line, of, err)
		}
	}
}

// A line of one game is none of the other.
func TestNoLineIsOfBothGames(t *testing.T) {
	for _, line := range []string{"Ana,Paz,1,1990-01-01,7", "Ana,Paz,1,1990-01-01,7,100", "Ana,Paz,1,1990-01-01,7,100,1-5"} {
		_, one := quiniela.Specified.ParseLine([]byte(line), today)
		_, other := evening().ParseLine([]byte(line), today)
		if (one == nil) == (other == nil) {
			t.Errorf("%q: %v, and in the other game %v", line, one, other)
		}
	}
}

func TestTerms(t *testing.T) {
	for text, change := range map[string]func(*quiniela.Terms){
		"quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-":          func(*quiniela.Terms) {},
		"quiniela multipliers=7,70,500,3500 min_stake=0.01 max_stake=50000.00 cap=5":   func(t *quiniela.Terms) { t.Multipliers[2], t.MinStake, t.MaxStake, t.Cap = 500, 1, 5_000_000, 5 },
		"quiniela multipliers=1,1,1,1000000 min_stake=1.00 max_stake=1.00 cap=1000000": func(t *quiniela.Terms) { t.Multipliers, t.MaxStake, t.Cap = [4]uint32{1, 1, 1, 1e6}, 100, 1e6 },
	} {
		want := quiniela.DefaultTerms()
		change(&want)
		if err := want.Check(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		got, err := quiniela.ParseTerms(text)
		if err != nil || !got.Equal(&want) || want.String() != text {
			t.Errorf("%q is %v, %v; want %s", text, got, err, &want)
		}
	}
	if got, err := quiniela.ParseTerms("specified"); got != nil || err != nil || quiniela.Specified.String() != "specified" {
		t.Errorf("the specification's game is %v, %v", got, err)
	}
	right := evening().String()
	for _, wrong := range []string{
		"", "quiniela", "redoblona", right + " ", strings.Replace(right, "=7,", "=07,", 1), strings.Replace(right, "1.00", "1", 1), strings.Replace(right, "1.00", "0.00", 1),
		strings.Replace(right, ",3500", "", 1), strings.Replace(right, "=7,", "=0,", 1), strings.Replace(right, "=7,", "=1000001,", 1), strings.Replace(right, "50000.00", "0.50", 1),
		strings.Replace(right, "50000.00", "0.00", 1), strings.Replace(right, "cap=-", "cap=0", 1), strings.Replace(right, "cap=-", "cap=1000001", 1), strings.Replace(right, "max_stake", "most", 1),
		strings.Replace(right, "50000.00", "2814749767106.56", 1),
	} {
		if got, err := quiniela.ParseTerms(wrong); err == nil {
			t.Errorf("%q is read as %s", wrong, got)
		}
	}
}

// Whatever is staked within MostStaked, no prize and no sum is over 63 bits.
func TestNothingOverflows(t *testing.T) {
	for _, terms := range []quiniela.Terms{*evening(), {Multipliers: [4]uint32{1, 1, 1, quiniela.MaxMultiplier}, MinStake: 1}, {Multipliers: [4]uint32{1, 1, 1, 1}, MinStake: 1, Cap: quiniela.MaxMultiplier}} {
		most := new(big.Int).SetUint64(terms.MostStaked())
		for _, m := range append(terms.Multipliers[:], terms.Cap) {
			if n := new(big.Int).Mul(most, big.NewInt(int64(m))); n.Cmp(big.NewInt(math.MaxInt64)) > 0 {
				t.Errorf("%s: %s times %d is over 63 bits", &terms, most, m)
			}
		}
	}
}

func TestPlaysArePacked(t *testing.T) {
	lines := []byte("Ana,Paz,1,1990-01-01,07,100.50,1-10\nEva,Gil,2,1991-01-01,0562,2\n")
	packed, err := evening().PackPlays(nil, lines)
	want := "\x02\x00\x02\x01\x0a\x00\x07\x00\x00\x00\x00\x00\x00\x00\x27\x42" + "\x02\x00\x04\x01\x01\x02\x32\x00\x00\x00\x00\x00\x00\x00\x00\xc8"
	if err != nil || string(packed) != want {
		t.Fatalf("%x, %v; want %x", packed, err, want)
	}
	if sum, err := evening().Staked(packed); err != nil || sum != 10250 {
		t.Errorf("staked %d, %v", sum, err)
	}
	checked, plays, err := evening().CheckLines([]byte(string(lines)), today, 2, nil, nil)
	if err != nil || string(plays) != want || string(checked) != string(lines) {
		t.Errorf("checked: %x, %v", plays, err)
	}
	p, err := evening().UnpackPlay(packed[:quiniela.PlaySize])
	if err != nil || p != (quiniela.Play{Digits: 2, From: 1, To: 10, Number: 7, Stake: 10050}) || evening().NumberIn(packed) != 7 {
		t.Errorf("unpacked: %+v, %v", p, err)
	}
	for i, wrong := range map[int]byte{0: 1, 1: 1, 2: 5, 3: 0, 4: 21, 5: 0xff, 7: 1, 8: 1, 9: 1} {
		b := [quiniela.PlaySize]byte([]byte(want[:quiniela.PlaySize]))
		b[i] = wrong
		if p, err := quiniela.ParsePlay(&b); err == nil {
			t.Errorf("with byte %d as %d it is %+v", i, wrong, p)
		}
	}
	huge := []byte(strings.Repeat(want[:10]+"\xff\xff\xff\xff\xff\xff", 100))
	if sum, err := evening().Staked(huge); err == nil {
		t.Errorf("100 of the highest stakes come to %d (%d each)", sum, binary.BigEndian.Uint64(huge[8:]))
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "0.01": 1, "1": 100, "1.5": 150, "1.50": 150, "9999999999999999.99": 999999999999999999} {
		if got, err := quiniela.ParseCents(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "00", "01", "1.234", "1,50", "1 000", "-1", "+1", "1e2", "10000000000000000000", "0x1", "١"} {
		if got, err := quiniela.ParseCents(text); err == nil {
			t.Errorf("%q is %d cents", text, got)
		}
	}
	for cents, want := range map[uint64]string{0: "0.00", 5: "0.05", 1234567: "12345.67", math.MaxUint64: "184467440737095516.15"} {
		if got := quiniela.FormatCents(cents); got != want {
			t.Errorf("%d cents are %s, want %s", cents, got, want)
		}
	}
}

// FuzzParseTerms: terms that are read are some that a draw can have, and are written as they were.
func FuzzParseTerms(f *testing.F) {
	f.Add("specified")
	f.Add("quiniela multipliers=7,70,600,3500 min_stake=1.00 max_stake=- cap=-")
	f.Add("quiniela multipliers=7,70,500,3500 min_stake=0.01 max_stake=50000.00 cap=5")
	f.Add("quiniela multipliers=07,70,600,3500 min_stake=1 max_stake=0.00 cap=0")
	f.Fuzz(func(t *testing.T, s string) {
		terms, err := quiniela.ParseTerms(s)
		if err != nil {
			return
		}
		if terms.String() != s || terms.Check() != nil {
			t.Fatalf("%q is read as %q: %v", s, terms, terms.Check())
		}
	})
}
