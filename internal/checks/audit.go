package checks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/console"
	"quiniela/tlog"
)

// Audit is the command that recomputes a log.
type Audit struct {
	Log         string `arg:"" help:"Folder of a published log (a data folder's public/), or its URL (…/log/)." placeholder:"DIR|URL"`
	Policy      string `help:"Whose checkpoints to believe: the log's key, the witnesses' keys, and how many of them (C2SP tlog-policy)." placeholder:"FILE"`
	Checkpoints string `help:"Folder of checkpoints that were seen earlier: the log must have grown from each." placeholder:"DIR"`
	Beacon      string `help:"A round of the beacon from a place that you trust, as drand publishes it." placeholder:"FILE"`
	JSON        string `help:"File to write the report to as well; - is the output, in place of the text." name:"json" placeholder:"FILE"`
}

// Options returns what the flags ask for. They have no progress and no books.
func (c *Audit) Options() (o audit.Options, err error) {
	if o.Source, err = OpenLog(c.Log); err != nil {
		return o, err
	}
	return o, c.readInputs(&o)
}

// Recompute audits the log.
func (c *Audit) Recompute(ctx context.Context, o audit.Options) (*audit.Report, error) {
	r, err := audit.Run(ctx, o)
	if errors.Is(err, audit.ErrNoLog) {
		return nil, console.Usage(fmt.Errorf("%s: %w", c.Log, err))
	}
	if err != nil {
		return nil, fmt.Errorf("audit %s: %w", c.Log, err)
	}
	return r, nil
}

// Tell writes the report where the flags want it. Its error says what follows for the exit code.
func (c *Audit) Tell(out io.Writer, r *audit.Report) error {
	if err := c.write(out, r); err != nil {
		return err
	}
	switch {
	case !r.OK:
		return errors.New("the audit found differences")
	case len(r.Pending) > 0:
		return console.Early(errors.New("the log is not published so far that all of it can be audited: audit it again later"))
	}
	return nil
}

// readInputs reads the files that the auditor trusts: a policy, a round of the beacon, earlier checkpoints.
func (c *Audit) readInputs(o *audit.Options) error {
	if c.Policy != "" {
		text, err := os.ReadFile(c.Policy)
		if err != nil {
			return fmt.Errorf("read the policy: %w", err)
		}
		if o.Policy, err = tlog.ParsePolicy(text); err != nil {
			return console.Usage(fmt.Errorf("%s: %w", c.Policy, err))
		}
	}
	if c.Beacon != "" {
		text, err := os.ReadFile(c.Beacon)
		if err != nil {
			return fmt.Errorf("read the beacon's round: %w", err)
		}
		b, err := draw.ParseBeacon(text)
		if err != nil {
			return console.Usage(fmt.Errorf("%s: %w", c.Beacon, err))
		}
		o.Beacon = &b
	}
	if c.Checkpoints == "" {
		return nil
	}
	files, err := os.ReadDir(c.Checkpoints)
	if err != nil {
		return fmt.Errorf("read the checkpoints: %w", err)
	}
	o.Retained = map[string][]byte{}
	for _, f := range files {
		path := filepath.Join(c.Checkpoints, f.Name())
		if f.IsDir() {
			continue
		}
		if o.Retained[path], err = os.ReadFile(path); err != nil {
			return fmt.Errorf("read the checkpoints: %w", err)
		}
	}
	return nil
}

func (c *Audit) write(out io.Writer, r *audit.Report) error {
	if c.JSON == "" {
		return r.WriteText(out)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if c.JSON == "-" {
		_, err := out.Write(text)
		return err
	}
	if err := os.WriteFile(c.JSON, text, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return r.WriteText(out)
}
