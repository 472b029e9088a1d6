package peer_test

import (
	"net/netip"
	"testing"

	"quiniela/internal/peer"
)

// An IPv6 subscriber has a network of /64 at least: all its addresses are one.
func TestANetworkOf64IsOneAddress(t *testing.T) {
	for _, same := range [][2]string{{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"}, {"10.0.0.1", "::ffff:10.0.0.1"}} {
		if a, b := peer.Group(netip.MustParseAddr(same[0])), peer.Group(netip.MustParseAddr(same[1])); a != b {
			t.Errorf("%s is %s and %s is %s", same[0], a, same[1], b)
		}
	}
	for _, different := range [][2]string{{"2001:db8:1:2::1", "2001:db8:1:3::1"}, {"10.0.0.1", "10.0.0.2"}} {
		if a, b := peer.Group(netip.MustParseAddr(different[0])), peer.Group(netip.MustParseAddr(different[1])); a == b {
			t.Errorf("%s and %s are both %s", different[0], different[1], a)
		}
	}
}
