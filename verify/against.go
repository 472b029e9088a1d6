package verify

import (
	"bytes"
	"fmt"

	"quiniela/draw"
)

// checkBeacon compares the round that the result has with what another source says of it.
func (c *checker) checkBeacon() {
	if c.Beacon == nil {
		return
	}
	if c.draw == nil {
		c.skip(PartBeacon, textUnproven, StepBeacon)
		return
	}
	c.step(PartBeacon, StepBeacon, c.compareBeacon(), textSameBeacon)
}

func (c *checker) compareBeacon() error {
	b, err := draw.ParseBeacon(c.Beacon)
	if err != nil {
		return err
	}
	chain, err := c.draw.chain(c.Chains)
	if err != nil {
		return err
	}
	if _, err := chain.Check(b, c.draw.Open.Beacon.Round); err != nil {
		return err
	}
	if !bytes.Equal(b.Signature[:], c.draw.Result.Evidence) {
		return fmt.Errorf("round %d has another signature in the result", b.Round)
	}
	return nil
}
