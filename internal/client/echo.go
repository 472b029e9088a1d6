package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Echo sends amount messages, each on a connection of its own, with a pause of period between them. Each must come back byte
// for byte. When ctx ends it stops and returns nil. A token is not shown: an echo server would log it.
func Echo(ctx context.Context, c Options, amount int, period time.Duration, log *slog.Logger) error {
	c.Token = ""
	a := newAgency(ctx, c, log)
	for n := 1; n <= amount; n++ {
		err := a.echo(fmt.Sprintf("[CLIENT %d] Message N°%d\n", c.Agency, n))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", n, err)
		}
		if n < amount && sleep(ctx, period) != nil {
			return nil
		}
	}
	log.Info("loop_finished", "result", "success", "client_id", c.Agency)
	return nil
}

// echo sends one message and logs what came of it.
func (a *agency) echo(msg string) error {
	err := a.exchange([]byte(msg), func(r *bufio.Reader) error {
		got, err := io.ReadAll(io.LimitReader(r, int64(2*len(msg)))) // more than was sent is an error as well
		if err == nil && string(got) != msg {
			err = fmt.Errorf("%q came back as %q", msg, got)
		}
		return err
	})
	if a.ctx.Err() != nil {
		return err
	}
	if err != nil {
		a.log.Error("receive_message", "result", "fail", "client_id", a.Agency, "error", err)
		return err
	}
	a.log.Info("receive_message", "result", "success", "client_id", a.Agency, "msg", strings.TrimSuffix(msg, "\n"))
	return nil
}
