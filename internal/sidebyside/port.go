package sidebyside

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Port returns a TCP port of this machine for a server that is started later, or started again, until release is called. It is below
// those that a kernel gives to connections: a client that tries a port again and again while its server is down would one day get that
// port as its own, and so would any other process. No other test that asks for a port gets it, in this process or in another one.
func Port() (port int, release func(), err error) {
	for range 1000 {
		port = 20_000 + rand.IntN(10_000)
		if release, err = reserve(port); err == nil {
			return port, release, nil
		}
	}
	return 0, nil, fmt.Errorf("no port is free: %w", err)
}

// reserve takes the UDP port of that number, which nobody here uses and which ends with the process, and looks whether the TCP port is free.
func reserve(port int) (release func(), err error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	mark, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	for _, free := range []string{address, ":" + strconv.Itoa(port)} {
		l, err := net.Listen("tcp", free)
		if err != nil {
			_ = mark.Close()
			return nil, err
		}
		_ = l.Close()
	}
	var once sync.Once
	return func() { once.Do(func() { _ = mark.Close() }) }, nil
}
