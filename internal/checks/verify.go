package checks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"quiniela/draw"
	"quiniela/internal/console"
	"quiniela/receipt/link"
	"quiniela/verify"
)

// Verify is the command that checks a receipt, or evidence.
type Verify struct {
	Receipt    string `arg:"" optional:"" help:"The bettor's receipt: a file, or the address that its QR code has."`
	Log        string `help:"The published log, a folder or its URL (…/log/): it ties the receipt to the draw's sealed book, and has the outcome." placeholder:"DIR|URL"`
	Policy     string `help:"File with the keys whose signatures count: the log's and the witnesses'." placeholder:"FILE"`
	Key        string `help:"The log's verifier key alone, in place of a policy: name+id+base64." placeholder:"VKEY"`
	Outcome    string `help:"The draw's outcome.json, which says whether the bet won." placeholder:"FILE"`
	Beacon     string `help:"The beacon's round as JSON, from a source that you trust. It must be the round that the result has." placeholder:"FILE"`
	Checkpoint string `help:"A checkpoint that you kept: it must be of the same log." placeholder:"FILE"`
	Chain      string `help:"The /info of the draw's beacon, if it is another network than Quicknet." placeholder:"FILE"`
	Evidence   string `help:"Two signed statements that exclude each other, as an earlier check has written them: check these alone." placeholder:"FILE"`
	EvidenceTo string `help:"Where to write such evidence, if this check finds some." name:"evidence-out" default:"evidence.json" placeholder:"FILE"`
	JSON       bool   `help:"Print the report as JSON." name:"json"`
}

// Check checks what the flags name, and writes the report. Its error says what follows for the exit code.
func (c *Verify) Check(e Env) error {
	in, err := c.inputs(e.Ctx)
	if err != nil {
		return err
	}
	report, err := verify.Check(in)
	if err != nil {
		return console.Usage(err)
	}
	if c.JSON {
		out := json.NewEncoder(e.Out)
		out.SetIndent("", "  ")
		err = out.Encode(report)
	} else {
		_, err = io.WriteString(e.Out, report.Text())
	}
	if err != nil {
		return err
	}
	switch report.Result {
	case verify.Proven, verify.ByOperator:
		return nil
	case verify.NotYet:
		missing := errors.New("not all of it could be checked yet; the report above says what is missing")
		if c.Log == "" {
			missing = fmt.Errorf("%w, and the published log (--log) has it once the draw is drawn", missing)
		}
		return console.Early(missing)
	case verify.Contradicted:
		return c.keep(e, report)
	}
	return errors.New("the documents are not proven; the report above says why")
}

// keep writes the evidence that was found to a file, which must not be there.
func (c *Verify) keep(e Env, report *verify.Report) error {
	if c.Evidence != "" {
		return nil // it was asked whether this is evidence, and it is
	}
	found := errors.New("the log has signed two things that exclude each other")
	f, err := os.OpenFile(c.EvidenceTo, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w; the evidence was not written, since %s is there: name another file with --evidence-out", found, c.EvidenceTo)
	}
	if err == nil {
		_, err = f.Write(report.Evidence)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("%w; write the evidence: %w", found, err)
	}
	_, _ = console.Printf(e.Out, "The evidence is in %s. It shows nothing of who bet: publish it. Anybody can check it: %s verify --evidence %s --key KEY\n", c.EvidenceTo, e.Program, c.EvidenceTo)
	return found
}

func (c *Verify) inputs(ctx context.Context) (in verify.Options, err error) {
	if c.Key != "" {
		in.Key = []byte(c.Key)
	}
	file := c.Receipt
	if strings.Contains(c.Receipt, link.Mark) {
		if in.Receipt, err = link.Receipt(c.Receipt); err != nil {
			return in, console.Usage(err)
		}
		file = ""
	}
	for _, f := range []struct {
		path string
		to   *[]byte
	}{
		{file, &in.Receipt}, {c.Policy, &in.Policy}, {c.Outcome, &in.Outcome}, {c.Beacon, &in.Beacon}, {c.Checkpoint, &in.Checkpoint}, {c.Evidence, &in.Evidence},
	} {
		if f.path != "" {
			if *f.to, err = readDocument(f.path); err != nil {
				return in, err
			}
		}
	}
	if c.Log != "" {
		source, err := OpenLog(c.Log)
		if err != nil {
			return in, err
		}
		in.Log = func(name string) ([]byte, error) { return source.Read(ctx, name) }
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
		return in, console.Usage(fmt.Errorf("%s: %w", c.Chain, err))
	}
	in.Chains = []*draw.Chain{chain}
	return in, nil
}
