package server

import (
	"net"
	"syscall"
	"testing"
)

// An accepted connection probes a silent peer as one of net.Listen does.
func TestAcceptedConnectionsProbeSilentPeers(t *testing.T) {
	config := listenConfig()
	ours, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	usual, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got, want := accepted(t, ours), accepted(t, usual)
	for _, o := range []struct{ level, option int }{
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
	} {
		if a, b := socketOption(t, got, o.level, o.option), socketOption(t, want, o.level, o.option); a != b || a == 0 {
			t.Errorf("the option %d of level %d is %d, want %d", o.option, o.level, a, b)
		}
	}
}

// accepted returns a connection that l has accepted.
func accepted(t *testing.T, l net.Listener) *net.TCPConn {
	t.Helper()
	t.Cleanup(func() { _ = l.Close() })
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

func socketOption(t *testing.T, c *net.TCPConn, level, option int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var optionErr error
	if err := raw.Control(func(fd uintptr) { value, optionErr = syscall.GetsockoptInt(int(fd), level, option) }); err != nil {
		t.Fatal(err)
	}
	if optionErr != nil {
		t.Fatal(optionErr)
	}
	return value
}
