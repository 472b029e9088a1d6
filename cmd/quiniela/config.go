package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
	"gopkg.in/ini.v1"
)

// A setting is a flag of a command. Its environment variable is its key in config.ini as well, and its `key` tag is
// its path in config.yaml. A flag beats the environment, that the file, and the file the default.

// configFile is the file that a command's settings are read from.
type configFile struct {
	path   string
	values map[string]string // by key
	keyOf  func(*kong.Flag) string
	err    error // of reading it
}

// formats holds how each command's file is read, by the words that lead to the command.
var formats = map[string]struct {
	keyOf func(*kong.Flag) string
	read  func(path string) (map[string]string, error)
	part  bool // the file is another command's, and has more keys than this one knows
}{
	"server":          {keyOf: iniKey, read: readINI},
	"health":          {keyOf: iniKey, read: readINI, part: true},
	"client send":     {keyOf: yamlKey, read: readYAML},
	"client status":   {keyOf: yamlKey, read: readYAML, part: true},
	"client find":     {keyOf: yamlKey, read: readYAML, part: true},
	"client receipts": {keyOf: yamlKey, read: readYAML, part: true},
}

func yamlKey(f *kong.Flag) string { return f.Tag.Get("key") }

func iniKey(f *kong.Flag) string {
	if len(f.Envs) == 0 {
		return ""
	}
	return f.Envs[0]
}

// Validate implements kong.Resolver.
func (c *configFile) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. It yields to the environment, which kong would let it override.
func (c *configFile) Resolve(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if parent.Command == nil {
		return nil, nil
	}
	if c.err = errors.Join(c.err, c.load(ctx, parent)); c.err != nil {
		return nil, nil // dispatch tells it, without the name of whatever flag is being resolved
	}
	if slices.ContainsFunc(flag.Envs, func(name string) bool { _, set := os.LookupEnv(name); return set }) {
		return nil, nil
	}
	if c.keyOf == nil || c.keyOf(flag) == "" {
		return nil, nil
	}
	if v, ok := c.values[c.keyOf(flag)]; ok {
		return v, nil
	}
	return nil, nil
}

// load reads the file, once. One that was not asked for by name may be absent.
func (c *configFile) load(ctx *kong.Context, parent *kong.Path) error {
	format, ok := formats[strings.TrimPrefix(parent.Command.Path(), ctx.Model.Name+" ")]
	if !ok || c.values != nil {
		return nil
	}
	i := slices.IndexFunc(parent.Flags, func(f *kong.Flag) bool { return f.Name == "config" })
	c.path, c.keyOf, c.values = ctx.FlagValue(parent.Flags[i]).(string), format.keyOf, map[string]string{}
	named := slices.ContainsFunc(ctx.Args, func(a string) bool { return a == "--config" || strings.HasPrefix(a, "--config=") })
	values, err := format.read(c.path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	c.values = values
	if format.part {
		return nil
	}
	return c.known(parent.Flags)
}

// known refuses keys that are no setting: a misspelt one would otherwise be silently without effect.
func (c *configFile) known(flags []*kong.Flag) error {
	var keys []string
	for _, f := range flags {
		if k := c.keyOf(f); k != "" {
			keys = append(keys, k)
		}
	}
	for k := range c.values {
		if !slices.Contains(keys, k) {
			slices.Sort(keys)
			return fmt.Errorf("%s: unknown key %q; the keys are %s", c.path, k, strings.Join(keys, ", "))
		}
	}
	return nil
}

// blame adds to an error about a flag's value that the value came from the file.
func (c *configFile) blame(err error, flags []*kong.Flag) error {
	if c.keyOf == nil {
		return err // no file was read
	}
	for _, f := range flags {
		if v, ok := c.values[c.keyOf(f)]; ok && strings.Contains(err.Error(), "--"+f.Name) {
			return fmt.Errorf("%s: %s = %q: %w", c.path, c.keyOf(f), v, err)
		}
	}
	return err
}

// readINI reads the keys of the file's default section; the specification's file names it [DEFAULT].
func readINI(path string) (map[string]string, error) {
	file, err := ini.Load(path)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, s := range file.Sections() {
		if s.Name() != ini.DefaultSection && len(s.Keys()) > 0 {
			return nil, fmt.Errorf("%s: unknown section [%s]: put all keys under [%s]", path, s.Name(), ini.DefaultSection)
		}
		for _, k := range s.Keys() {
			values[strings.ToUpper(k.Name())] = k.Value()
		}
	}
	return values, nil
}

// readYAML reads the file's scalars, by their path joined with dots.
func readYAML(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values := map[string]string{}
	if len(root.Content) == 0 {
		return values, nil
	}
	return values, flatten(path, "", root.Content[0], values)
}

func flatten(path, prefix string, n *yaml.Node, values map[string]string) error {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if err := flatten(path, prefix+"."+n.Content[i].Value, n.Content[i+1], values); err != nil {
				return err
			}
		}
		return nil
	case yaml.ScalarNode:
		if prefix != "" {
			values[prefix[1:]] = n.Value
			return nil
		}
	}
	return fmt.Errorf("%s:%d: want `key: value` lines, such as `server:` and below it `  address: \"server:12345\"`", path, n.Line)
}
