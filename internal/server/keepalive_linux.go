package server

import (
	"net"
	"syscall"
)

// listenConfig has the listening socket probe silent peers, as the net package does each accepted one: after 15 s, every 15 s, 9 times.
// Linux lets accepted sockets inherit that, which saves four system calls a connection.
func listenConfig() net.ListenConfig {
	return net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		controlErr := raw.Control(func(fd uintptr) { err = keepAlive(int(fd)) })
		if controlErr != nil {
			return controlErr
		}
		return err
	}}
}

func keepAlive(fd int) error {
	for _, o := range []struct{ level, option, value int }{
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
	} {
		if err := syscall.SetsockoptInt(fd, o.level, o.option, o.value); err != nil {
			return err
		}
	}
	return nil
}
