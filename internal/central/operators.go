package central

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quiniela/internal/operators"
)

// oldKeyName is the file with the one operator's key of before there were names.
const oldKeyName = "operator.key"

// oldOperator is the name that whoever has that key gets.
const oldOperator = "operator"

// openOperators reads the registry of those who run the lottery.
func (c *Central) openOperators() (*operators.Guard, error) {
	path := filepath.Join(c.options.Dir, operators.FileName)
	if err := c.takeOldKey(path); err != nil {
		return nil, err
	}
	g, err := operators.NewGuard(path, c.log)
	if err != nil {
		return nil, err
	}
	if g.Count(operators.Viewer) == 0 {
		c.log.Info("operators", "result", "success", "registered", 0, "login", "nobody can log in to the page yet: quiniela operator add NAME")
	}
	return g, nil
}

// takeOldKey registers the operator of a data folder that has a key in a file, and no registry yet. The file stays, since somebody may
// use it.
func (c *Central) takeOldKey(registry string) error {
	path := filepath.Join(c.options.Dir, oldKeyName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the operator's key of before: %w", err)
	}
	c.log.Warn("operators", "result", "success", "file", path, "advice", "the key of "+oldOperator+" stands in it, readable: hand it over, and delete the file")
	if _, err := os.Stat(registry); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key := strings.TrimSpace(string(text))
	if len(key) < 20 {
		return fmt.Errorf("%s is too short to be a key: delete it, and register the operators with `quiniela operator add`", path)
	}
	return operators.Change(registry, func(r *operators.Registry) error {
		return r.AddWithKey(oldOperator, operators.Operator, key, c.options.Now())
	})
}
