package server

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"

	"quiniela/internal/wire"
)

// serveEcho returns one message, as it came: up to and with its line end, or all there is where the peer ends first.
func (s *Server) serveEcho(c *conn) {
	c.phase(wire.Between)
	r := bufio.NewReaderSize(c, s.config.Limits.BareBody)
	if _, err := r.Peek(1); err != nil {
		return
	}
	c.phase(wire.Inside)
	msg, err := r.ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		s.log.Error("receive_message", "result", "fail", "ip", c.ip, "error", err)
		return
	}
	s.log.Info("receive_message", "result", "success", "ip", c.ip, "msg", string(bytes.TrimRight(msg, "\r\n")))
	_ = c.SetWriteDeadline(time.Now().Add(s.config.Read))
	if _, err := c.Write(msg); err != nil {
		s.log.Error("send_message", "result", "fail", "ip", c.ip, "error", err)
	}
}
