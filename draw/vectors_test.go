package draw_test

import (
	"encoding/json"
	"os"

	"quiniela"
)

// known are the vectors of testdata/vectors.json that are about beacons and draws. They were computed by another program.
var known = readVectors()

// rounds are published rounds of Quicknet: 1, 123, 1000 and a late one.
var rounds = known.Quicknet.Rounds

type vectors struct {
	Quicknet struct {
		ChainHash string `json:"chain_hash"`
		PublicKey string `json:"public_key"`
		GroupHash string `json:"group_hash"`
		Genesis   int64
		Period    uint32
		ID        string
		Rounds    []struct {
			Round                 uint64
			Signature, Randomness string
		}
		FirstRound [][2]int64 `json:"first_round_at_or_after"` // a time in seconds, and a round
	}
	Draws []struct {
		Round       uint64
		ID, Binding string
		Blocks      []string `json:"blocks_of_prize_1"`
		Prizes      []quiniela.Number
	}
}

// readVectors panics where the file cannot be read: it is part of the repository.
func readVectors() (v vectors) {
	text, err := os.ReadFile("../testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		panic(err)
	}
	return v
}
