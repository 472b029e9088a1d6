//go:build !unix

package durable

import "io/fs"

// SyncDir does nothing: this system cannot sync a folder, and keeps its names in order by itself.
func SyncDir(string) error { return nil }

func ownerOf(fs.FileInfo) (owner, bool) { return owner{}, false }
