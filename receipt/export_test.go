package receipt

import (
	"encoding/hex"
	"testing"
)

func TestTheVectorsSaltKey(t *testing.T) {
	var secret [SecretSize]byte
	for i := range secret {
		secret[i] = 0x11
	}
	key, err := saltKey(&secret)
	if want := "05dad54152727a6d56189e3d9e92a833e46b1ada4152c786354cafb56ab4df04"; err != nil || hex.EncodeToString(key) != want {
		t.Errorf("%x, %v; want %s", key, err, want)
	}
}
