package verify

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"quiniela/draw"
)

// ParseChain reads what a drand network publishes of itself at /info. Which chain a draw uses is fixed by its opening entry,
// which has the hash over all of this: so the file need not be trusted.
func ParseChain(data []byte) (*draw.Chain, error) {
	var info struct {
		PublicKey string                    `json:"public_key"`
		Period    uint32                    `json:"period"`
		Genesis   int64                     `json:"genesis_time"`
		GroupHash string                    `json:"groupHash"`
		Metadata  struct{ BeaconID string } `json:"metadata"`
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("parse a beacon's /info: %w", err)
	}
	c := draw.ChainInfo{Period: info.Period, Genesis: info.Genesis, ID: info.Metadata.BeaconID}
	key, err := hex.DecodeString(info.PublicKey)
	if err != nil || len(key) != len(c.PublicKey) {
		return nil, fmt.Errorf("parse a beacon's /info: public_key is not %d bytes in hexadecimal", len(c.PublicKey))
	}
	group, err := hex.DecodeString(info.GroupHash)
	if err != nil || len(group) != len(c.GroupHash) {
		return nil, fmt.Errorf("parse a beacon's /info: groupHash is not %d bytes in hexadecimal", len(c.GroupHash))
	}
	copy(c.PublicKey[:], key)
	copy(c.GroupHash[:], group)
	return draw.NewChain(c)
}
