package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Source is where a published log is read from.
type Source interface {
	// Read returns a file's bytes, or an error that wraps fs.ErrNotExist.
	Read(ctx context.Context, name string) ([]byte, error)
	// Names returns all files there are, with slashes; nil where that cannot be known.
	Names() ([]string, error)
}

// Folder reads a published log from a folder.
func Folder(dir string) Source { return folder(dir) }

type folder string

func (f folder) Read(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

func (f folder) Names() (names []string, err error) {
	err = filepath.WalkDir(string(f), func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(string(f), path)
		if err := errors.Join(err, relErr); err != nil {
			return err
		}
		if d.IsDir() && notPublished(name) {
			return filepath.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	return names, err
}

// notPublished reports whether a folder at the top of a published log is none of its files: the server's own for what it is
// writing, and what a file system keeps at its root.
func notPublished(name string) bool { return name == ".unfinished" || name == "lost+found" }

// most bounds a file that is fetched, in bytes: the records of a batch of a million bets have 46 MB.
const most = 64 << 20

// fetchTimeout bounds one fetch.
const fetchTimeout = time.Minute

// Web reads a published log below a URL.
func Web(url string) Source {
	return web{strings.TrimRight(url, "/"), &http.Client{Timeout: fetchTimeout}}
}

type web struct {
	url    string
	client *http.Client
}

func (w web) Names() ([]string, error) { return nil, nil }

func (w web) Read(ctx context.Context, name string) (data []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s/%s: %w", w.url, name, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("%s/%s answered %s", w.url, name, answer.Status)
	}
	if data, err = io.ReadAll(io.LimitReader(answer.Body, most+1)); err == nil && len(data) > most {
		err = fmt.Errorf("%s/%s has over %d bytes", w.url, name, most)
	}
	return data, err
}
