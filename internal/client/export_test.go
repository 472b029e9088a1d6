package client

import "context"

// CountBets checks a file as Run does.
func CountBets(path string) (int, error) {
	f, err := openChecked(context.Background(), path, false, true, func(int) {})
	if err != nil {
		return 0, err
	}
	return f.bets, f.Close()
}

// Cut cuts a file into batches' bodies, skipping bad lines, and returns how many good lines it has.
func Cut(path string, most int) (bodies [][]byte, bets int, err error) {
	f, err := openChecked(context.Background(), path, true, true, func(int) {})
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	cut := batcher{lines: f.lines(), bets: most, bytes: maxBody}
	for {
		body, n, err := cut.next(nil)
		if err != nil || n == 0 {
			return bodies, f.bets, err
		}
		bodies = append(bodies, body)
	}
}
