package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/verify"
)

type verifyCommand struct {
	Receipt    string `arg:"" help:"The bettor's receipt."`
	Policy     string `help:"File with the keys whose signatures count: the log's and the witnesses'." placeholder:"FILE"`
	Key        string `help:"The log's verifier key alone, in place of a policy: name+id+base64." placeholder:"VKEY"`
	Outcome    string `help:"The draw's outcome.json, which says whether the bet won." placeholder:"FILE"`
	Beacon     string `help:"The beacon's round as JSON, from a source that you trust. It must be the round that the result has." placeholder:"FILE"`
	Checkpoint string `help:"A checkpoint that you kept, or the draw's sealed.checkpoint: it must be of the same log." placeholder:"FILE"`
	Chain      string `help:"The /info of the draw's beacon, if it is another network than Quicknet." placeholder:"FILE"`
	JSON       bool   `help:"Print the report as JSON." name:"json"`
}

func (c *verifyCommand) Run(e env) error {
	in, err := c.inputs()
	if err != nil {
		return err
	}
	report, err := verify.Check(in)
	if err != nil {
		return usageError{err}
	}
	if c.JSON {
		out := json.NewEncoder(e.stdout)
		out.SetIndent("", "  ")
		err = out.Encode(report)
	} else {
		_, err = io.WriteString(e.stdout, report.Text())
	}
	if err == nil && !report.Proven {
		err = errors.New("the documents are not proven; the report above says why")
	}
	return err
}

func (c *verifyCommand) inputs() (in verify.Options, err error) {
	if c.Key != "" {
		in.Key = []byte(c.Key)
	}
	for _, f := range []struct {
		path string
		to   *[]byte
	}{
		{c.Receipt, &in.Receipt}, {c.Policy, &in.Policy}, {c.Outcome, &in.Outcome}, {c.Beacon, &in.Beacon}, {c.Checkpoint, &in.Checkpoint},
	} {
		if f.path != "" {
			if *f.to, err = readDocument(f.path); err != nil {
				return in, err
			}
		}
	}
	if c.Chain == "" {
		return in, nil
	}
	info, err := readDocument(c.Chain)
	if err != nil {
		return in, err
	}
	chain, err := verify.ParseChain(info)
	if err != nil {
		return in, usageError{fmt.Errorf("%s: %w", c.Chain, err)}
	}
	in.Chains = []*draw.Chain{chain}
	return in, nil
}

// readDocument reads a file, and refuses one that is larger than any document.
func readDocument(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, receipt.MaxDocument+1))
	err = errors.Join(err, f.Close())
	if err == nil && len(data) > receipt.MaxDocument {
		err = fmt.Errorf("%s: over %d bytes: no document is so large", path, receipt.MaxDocument)
	}
	return data, err
}
