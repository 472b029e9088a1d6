package client

import (
	"context"
	"log/slog"

	"quiniela"
)

// CountBets checks a file as Run does.
func CountBets(path string) (int, error) {
	f, err := openChecked(context.Background(), path, false, true, func(int) {})
	if err != nil {
		return 0, err
	}
	return f.bets, f.Close()
}

// Cut cuts a file into batches' bodies, skipping bad lines, and returns how many good lines it has, and of which game.
func Cut(path string, most int) (bodies [][]byte, bets int, game *quiniela.Terms, err error) {
	f, err := openChecked(context.Background(), path, true, true, func(int) {})
	if err != nil {
		return nil, 0, nil, err
	}
	defer func() { _ = f.Close() }()
	cut := batcher{lines: f.lines(), bets: most, bytes: maxBody}
	for {
		body, n, err := cut.next(nil)
		if err != nil || n == 0 {
			return bodies, f.bets, f.game, err
		}
		bodies = append(bodies, body)
	}
}

// Connect connects once, as Run does when a name has led to an address.
func Connect(ctx context.Context, c Options, address string) error {
	conn, err := newAgency(ctx, c, slog.New(slog.DiscardHandler)).connect(address)
	if err != nil {
		return err
	}
	return conn.Close()
}
