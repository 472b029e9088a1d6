package web

import (
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"quiniela/internal/registry"
)

// localName returns the user of the operating system at the other end of a socket, as the kernel says, for the audit trail.
func localName(c net.Conn) string {
	unknown := registry.LocalPrefix + "unknown"
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return unknown
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return unknown
	}
	var peer *unix.Ucred
	if failed := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); failed != nil || err != nil {
		return unknown
	}
	uid := strconv.FormatUint(uint64(peer.Uid), 10)
	if u, err := user.LookupId(uid); err == nil {
		return registry.LocalPrefix + u.Username
	}
	return registry.LocalPrefix + uid
}
