package quiniela_test

import (
	"math"
	"strings"
	"testing"

	"quiniela"
)

func TestPeoplesNumbersAreDecimal(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "42": 42, "0042": 42, "010": 10, "08": 8, "000": 0, "2147483647": math.MaxInt32} {
		if n, err := quiniela.ParseInt(text, 32); err != nil || n != want {
			t.Errorf("%q is %d, %v; want %d", text, n, err, want)
		}
		if n, err := quiniela.ParseUint(text, 32); err != nil || n != uint64(want) {
			t.Errorf("%q without a sign is %d, %v; want %d", text, n, err, want)
		}
	}
	if n, err := quiniela.ParseInt("-010", 32); err != nil || n != -10 {
		t.Errorf("-010 is %d, %v", n, err)
	}
	for _, text := range []string{"", "-", "+5", "--5", " 5", "5 ", "0x1f", "0X1F", "0o17", "0b1", "1_000", "1,000", "1e3", "5.0", "٤٢", "５", "5\n"} {
		if n, err := quiniela.ParseInt(text, 64); err == nil {
			t.Errorf("%q is %d", text, n)
		}
		if n, err := quiniela.ParseUint(text, 64); err == nil {
			t.Errorf("%q without a sign is %d", text, n)
		}
	}
	if n, err := quiniela.ParseUint("-5", 64); err == nil {
		t.Errorf("-5 without a sign is %d", n)
	}
}

func TestNumbersSayWhatFits(t *testing.T) {
	parse := func(unsigned bool, text string, bits int) error {
		if unsigned {
			_, err := quiniela.ParseUint(text, bits)
			return err
		}
		_, err := quiniela.ParseInt(text, bits)
		return err
	}
	for _, c := range []struct {
		unsigned bool
		text     string
		bits     int
		want     string
	}{
		{true, "256", 8, "at most 255"},
		{true, "4294967296", 32, "at most 4294967295"},
		{true, "18446744073709551616", 64, "at most 18446744073709551615"},
		{false, "9223372036854775808", 64, "at most 9223372036854775807"},
		{false, "-9223372036854775809", 64, "at least -9223372036854775808"},
		{false, "128", 8, "at most 127"},
	} {
		if err := parse(c.unsigned, c.text, c.bits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s in %d bits: %v; want %q", c.text, c.bits, err, c.want)
		}
	}
}
