//go:build !unix

package durable

import "io/fs"

// hasModes is false: a file's mode says nothing of who may read it. A folder's rights are those of the folder it was made in.
const hasModes = false

// SyncDir does nothing: this system cannot sync a folder, and keeps its names in order by itself.
func SyncDir(string) error { return nil }

func ownerOf(fs.FileInfo) (owner, bool) { return owner{}, false }
