//go:build !linux

package web

import (
	"net"

	"quiniela/internal/registry"
)

// localName returns the user at the other end of a socket: on this system the one who runs the server, who alone can open it.
func localName(net.Conn) string { return registry.LocalUser() }
