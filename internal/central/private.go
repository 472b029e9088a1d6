package central

import (
	"fmt"
	"path/filepath"

	"quiniela/internal/agencies"
	"quiniela/internal/durable"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// keepPrivate makes the data folder, and takes from other users of this machine what is in it but for public/, where somebody has given
// them rights to it: a copy without its modes, for instance.
//
// The folder's own rights are only mended while it is empty. Later they may be meant, since the folder may be another program's as well,
// and public/ may be read through it; so they are a warning, in each start. What is in it stays private in either case.
func (c *Central) keepPrivate() error {
	dir := c.options.Dir
	if err := durable.MkdirPrivate(dir); err != nil {
		return fmt.Errorf("make the data folder %s: %w", dir, err)
	}
	for _, name := range []string{JournalName, ledger.StateName, agencies.FileName, operators.FileName, oldKeyName} {
		path := filepath.Join(dir, name)
		was, err := durable.MakePrivate(path)
		switch {
		case err != nil:
			c.log.Warn("permissions", "result", "fail", "path", path, "error", err, "advice", "as its owner, take it from other users: chmod go= "+path)
		case was != 0:
			c.log.Warn("permissions", "result", "success", "path", path, "mode", fmt.Sprintf("%04o", was),
				"change", "no longer for other users; whoever of them read it until now knows what is in it")
		}
	}
	mode, err := durable.Shared(dir)
	if err == nil && mode != 0 {
		c.log.Warn("permissions", "result", "fail", "path", dir, "mode", fmt.Sprintf("%04o", mode),
			"advice", "other users may list or change the data folder: chmod 700 it, or 711 where a web server reads public/ in it")
	}
	return err
}
