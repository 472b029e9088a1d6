package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"quiniela/audit"
	"quiniela/draw"
	"quiniela/internal/central"
	"quiniela/internal/journal/local"
	"quiniela/tlog"
)

type auditCommand struct {
	Log         string `arg:"" help:"Folder of a published log (a data folder's public/), or its URL (…/log/)." placeholder:"DIR|URL"`
	Policy      string `help:"Whose checkpoints to believe: the log's key, the witnesses' keys, and how many of them (C2SP tlog-policy)." placeholder:"FILE"`
	Checkpoints string `help:"Folder of checkpoints that were seen earlier: the log must have grown from each." placeholder:"DIR"`
	Beacon      string `help:"A round of the beacon from a place that you trust, as drand publishes it." placeholder:"FILE"`
	Data        string `help:"The operator's data folder: its private journal is compared as well. Stop the server first, or take a backup's." name:"journal" placeholder:"DIR"`
	JSON        string `help:"File to write the report to as well; - is the output, in place of the text." name:"json" placeholder:"FILE"`
}

func (c *auditCommand) Run(e env) (err error) {
	var o audit.Options
	if o.Source, err = openLog(c.Log); err != nil {
		return err
	}
	if err := c.readInputs(&o); err != nil {
		return err
	}
	if c.Data != "" {
		j, failed := central.OpenLocal(c.Data, local.Options{ReadOnly: true})
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, j.Close()) }()
		o.Journal = j
	}
	shown := newProgress(e.stderr)
	b := shown.add("audit", "entries", 0)
	o.Progress = func(done, total int64) {
		b.of(total)
		b.set(done)
	}
	r, err := audit.Run(e.ctx, o)
	shown.end()
	if errors.Is(err, audit.ErrNoLog) {
		return usageError{fmt.Errorf("%s: %w", c.Log, err)}
	}
	if err != nil {
		return fmt.Errorf("audit %s: %w", c.Log, err)
	}
	if err := c.tell(e, r); err != nil {
		return err
	}
	switch {
	case !r.OK:
		return errors.New("the audit found differences")
	case len(r.Pending) > 0:
		return tooEarly{errors.New("the log is not published so far that all of it can be audited: audit it again later")}
	}
	return nil
}

// readInputs reads the files that the auditor trusts: a policy, a round of the beacon, earlier checkpoints.
func (c *auditCommand) readInputs(o *audit.Options) error {
	if c.Policy != "" {
		text, err := os.ReadFile(c.Policy)
		if err != nil {
			return fmt.Errorf("read the policy: %w", err)
		}
		if o.Policy, err = tlog.ParsePolicy(text); err != nil {
			return usageError{fmt.Errorf("%s: %w", c.Policy, err)}
		}
	}
	if c.Beacon != "" {
		text, err := os.ReadFile(c.Beacon)
		if err != nil {
			return fmt.Errorf("read the beacon's round: %w", err)
		}
		b, err := draw.ParseBeacon(text)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", c.Beacon, err)}
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

func (c *auditCommand) tell(e env, r *audit.Report) error {
	if c.JSON == "" {
		return r.WriteText(e.stdout)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if c.JSON == "-" {
		_, err := e.stdout.Write(text)
		return err
	}
	if err := os.WriteFile(c.JSON, text, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return r.WriteText(e.stdout)
}
