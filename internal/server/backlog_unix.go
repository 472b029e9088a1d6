//go:build unix

package server

import (
	"net"
	"syscall"
)

// setBacklog sets how many connections the kernel holds for l. The net package always asks for the system's maximum;
// listening again on a socket that listens changes the bound. The system's own maximum (net.core.somaxconn) still
// holds above it.
func setBacklog(l *net.TCPListener, backlog int) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var listenErr error
	if err := raw.Control(func(fd uintptr) { listenErr = syscall.Listen(int(fd), backlog) }); err != nil {
		return err
	}
	return listenErr
}
