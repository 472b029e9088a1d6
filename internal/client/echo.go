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

// Echo sends amount messages, each on a connection of its own and period apart, and checks that each comes back byte
// for byte.
func Echo(ctx context.Context, c Options, amount int, period time.Duration, log *slog.Logger) error {
	a := &agency{Options: c, log: log, ctx: ctx}
	b := newBackoff()
	for n := 1; n <= amount; n++ {
		msg := fmt.Sprintf("[CLIENT %d] Message N°%d\n", c.Agency, n)
		err := exchange(ctx, &c, b, a, []byte(msg), func(r *bufio.Reader) error {
			got, err := io.ReadAll(io.LimitReader(r, int64(2*len(msg))))
			if err == nil && string(got) != msg {
				err = fmt.Errorf("%q came back as %q", msg, got)
			}
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			log.Error("receive_message", "result", "fail", "client_id", c.Agency, "error", err)
			return fmt.Errorf("message %d: %w", n, err)
		}
		log.Info("receive_message", "result", "success", "client_id", c.Agency, "msg", strings.TrimSuffix(msg, "\n"))
		if n < amount && sleep(ctx, period) != nil {
			return nil
		}
	}
	log.Info("loop_finished", "result", "success", "client_id", c.Agency)
	return nil
}
