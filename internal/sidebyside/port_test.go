package sidebyside

import (
	"fmt"
	"net"
	"testing"
)

func TestAPortIsReservedUntilItIsReleased(t *testing.T) {
	t.Parallel()
	port, release, err := Port()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reserve(port); err == nil {
		t.Error("another test gets it as well")
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatalf("its server does not: %v", err)
	}
	release()
	if _, err := reserve(port); err == nil {
		t.Error("the port of a server that runs is given away")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := reserve(port)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
