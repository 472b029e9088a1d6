package web

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// published serves the public log's files, each by its name, without a listing. Tiles never change, so caches may keep them.
// All other files may change, so caches have to ask every time.
func published(dir fs.FS) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/log/")
		info, err := fs.Stat(dir, name)
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(name, ".") { // such files are still being written
			http.Error(w, "the public log has no such file (yet)", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Type", contentType(name))
		h.Set("Access-Control-Allow-Origin", "*") // anybody's page may check the log
		h.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "tile/") {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeFileFS(w, r, dir, name)
	}
}

func contentType(name string) string {
	switch base := path.Base(name); {
	case strings.HasPrefix(name, "tile/"), strings.HasSuffix(base, ".pub"):
		return "application/octet-stream"
	case strings.HasSuffix(base, ".json"):
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}
