package ledger

import (
	"encoding/binary"
	"slices"
	"testing"
	"testing/quick"

	"quiniela"
)

// matches looks at four numbers at a time; it must see what one at a time would.
func TestMatches(t *testing.T) {
	check := func(numbers []uint16, wanted uint16, alike uint8) bool {
		number := quiniela.Number(wanted % 10000)
		var packed []byte
		var want []int
		for i, n := range numbers {
			if n %= 10000; (i+int(alike))%3 == 0 {
				n = uint16(number) ^ n&3 // equal, or off by little
			}
			packed = binary.BigEndian.AppendUint16(packed, n)
			if quiniela.Number(n) == number {
				want = append(want, i)
			}
		}
		return slices.Equal(matches(nil, packed, number), want)
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
	all := make([]byte, 2*9) // zeros only, an odd count
	if got := matches(nil, all, 0); len(got) != 9 {
		t.Errorf("%v in nine zeros", got)
	}
}

func BenchmarkMatches(b *testing.B) {
	packed := make([]byte, 0, 400)
	for i := range 200 {
		packed = binary.BigEndian.AppendUint16(packed, uint16(i*37%10000))
	}
	b.SetBytes(int64(len(packed)))
	b.ReportAllocs()
	var dst []int
	for b.Loop() {
		dst = matches(dst[:0], packed, 9999)
	}
}
