// Package peer says which network addresses count as one: for limits, and in the log.
package peer

import "net/netip"

// Group returns what counts as one peer: an IPv4 address, or the IPv6 network of /64 that an address is in, which is what one subscriber
// has.
func Group(a netip.Addr) string {
	a = a.Unmap()
	if !a.Is6() {
		return a.String()
	}
	return prefix(a, 64)
}

// Network returns the /24 of an IPv4 address, or the /48 of an IPv6 one, for counts in the log. What is no address stays as it is.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap(); a.Is4() {
		return prefix(a, 24)
	}
	return prefix(a, 48)
}

func prefix(a netip.Addr, bits int) string {
	p, _ := a.WithZone("").Prefix(bits) // bits fit the address
	return p.String()
}
