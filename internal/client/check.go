package client

import (
	"context"
	"errors"
)

// Check reads the file of bets as Run does before it sends anything, and returns how many bets it has and which lines Run would skip.
// It asks no server. Of Options it needs File, SkipBadLines and AllowEmpty.
func Check(ctx context.Context, o Options) (bets int, skipped []BadLine, err error) {
	progress := newAgency(ctx, o, nil)
	f, err := openChecked(ctx, o.File, o.SkipBadLines, o.AllowEmpty, func(bets int) { progress.progress("check", bets) })
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.bets, f.bad, nil
}
