package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"quiniela/internal/central"
	"quiniela/internal/durable"
	"quiniela/internal/publish"
)

type initCommand struct {
	Origin string `help:"Name of the public log, such as lottery.example/log: an address of yours, without https://. It cannot be changed later." env:"SERVER_LOG_ORIGIN" placeholder:"NAME"`
	Data   string `help:"The server's data folder." default:"./data" env:"SERVER_DATA_DIR" placeholder:"DIR"`
	LogKey string `help:"File of the log's key. Empty is log.key in the data folder." name:"log-key" env:"SERVER_LOG_KEY" placeholder:"FILE"`
}

const (
	initMade = "The public log is %s, for ever. Its key is new: %s.\n" +
		"Keep a copy of it where you keep other keys, since no backup has it. Give the line below, its public half, to all who check.\n"
	initThere = "The public log is %s. Its key is there already: %s. Nothing was changed.\n"
)

// Run makes what is missing, and prints the log's verifier key alone on standard output. Run again, it prints the same and changes
// nothing, so a machine may run it before each start.
func (c *initCommand) Run(e env) error {
	path := logKeyPath(c.Data, c.LogKey)
	there, err := exists(path)
	if err != nil {
		return err
	}
	if !there {
		if err := c.prepare(path); err != nil {
			return err
		}
	}
	key, err := publish.LoadKey(path, c.Origin)
	if err != nil {
		return err
	}
	text := initMade
	if there {
		text = initThere
	}
	if _, err := printf(e.stderr, text, key.Signer.Name(), path); err != nil {
		return err
	}
	_, err = printf(e.stdout, "%s\n", key.Verifier)
	return err
}

// prepare makes the folders for a key that is to be made, unless it must not be.
func (c *initCommand) prepare(path string) error {
	if c.Origin == "" {
		return usageError{errors.New("name the public log: quiniela init --origin lottery.example/log, with an address of yours; the name cannot be changed later")}
	}
	if err := publish.CheckOrigin(c.Origin); err != nil {
		return usageError{err}
	}
	begun, err := exists(filepath.Join(c.Data, central.JournalName))
	if err != nil {
		return err
	}
	if begun {
		return fmt.Errorf("%s has a journal, and its log's key %s is not there: put the key back from where you keep it, since a new key would be another log's; "+
			"nothing was changed. Where the journal has no log yet, a start of the server with SERVER_LOG_ORIGIN=%s makes the key", c.Data, path, c.Origin)
	}
	if err := durable.MkdirPrivate(c.Data); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // one of size 0
		return fmt.Errorf("the log's key %s is empty: %w", path, err)
	}
	return nil
}

// logKeyPath is where the key of the public log is: in the data folder, where no file is named.
func logKeyPath(data, key string) string {
	if key == "" {
		return filepath.Join(data, publish.KeyName)
	}
	return key
}

// exists reports whether there is a file or folder. A file of size 0 is none: a start that was cut off can leave it.
func exists(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && (info.IsDir() || info.Size() > 0), err
}
