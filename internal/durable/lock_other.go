//go:build !unix && !windows

package durable

import "errors"

// Lock fails: this system has no lock that ends with its process.
func Lock(string) (*Locked, error) {
	return nil, errors.ErrUnsupported
}
