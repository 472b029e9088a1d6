package qr_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"

	goqr "github.com/piglig/go-qr"

	"quiniela/internal/qr"
)

// drawn returns the picture that a code's path draws, with so many pixels a module. It fails where a line leaves the picture.
func drawn(t *testing.T, c qr.Code, pixels int) image.Image {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, c.Side*pixels, c.Side*pixels))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for line := range strings.SplitSeq(c.Path[1:], "M") {
		var x, y, run int
		if _, err := fmt.Sscanf(line, "%d %d.5h%d", &x, &y, &run); err != nil || x < 4 || y < 4 || x+run > c.Side-4 || y >= c.Side-4 {
			t.Fatalf("the line %q: %v", line, err)
		}
		for py := y * pixels; py < (y+1)*pixels; py++ {
			for px := x * pixels; px < (x+run)*pixels; px++ {
				picture.SetGray(px, py, color.Gray{})
			}
		}
	}
	return picture
}

// What a code was made of can be read from its picture. Other programs read codes of real receipts in integration/.
func TestACodeCanBeRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		var s strings.Builder
		for range n {
			s.WriteByte('0' + byte(r.IntN(10)))
		}
		return s.String()
	}
	for _, text := range []string{"https://lottery.example/resultados/2026-11-24-nocturna", "7", "https://lottery.example/verify#r=" + digits(2000),
		"https://lottery.example/verify#r=" + digits(7000), "ñandú " + digits(7)} {
		c, err := qr.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		read, err := goqr.Decode(drawn(t, c, 3))
		if err != nil || read != text {
			t.Errorf("%v: %.60q is read from the code of %.60q", err, read, text)
		}
		t.Logf("%d characters: a side of %d modules, a path of %d bytes", len(text), c.Side, len(c.Path))
	}
}

// Digits take a third of a byte and more, so that a receipt fits.
func TestDigitsTakeLittleRoom(t *testing.T) {
	long, err := qr.Encode("https://lottery.example/verify#r=" + strings.Repeat("7", 6900))
	if err != nil || long.Side != 177+8 {
		t.Errorf("%v, %d modules", err, long.Side)
	}
	for _, text := range []string{strings.Repeat("a", 2954), strings.Repeat("7", 7090), strings.Repeat("7", 7000) + "a"} {
		if _, err := qr.Encode(text); !errors.Is(err, qr.ErrTooLong) {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
}
