//go:build !linux

package server

import "net"

// listenConfig lets the net package ask each accepted socket to probe silent peers.
func listenConfig() net.ListenConfig { return net.ListenConfig{} }
