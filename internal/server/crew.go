package server

import (
	"sync/atomic"
	"time"
)

// crew runs functions in goroutines that it keeps for the next ones. A connection with one request is over in less time than a new
// goroutine takes to grow its stack to what a session needs.
//
// A member that has nothing to do waits for the next function. It ends when none has come for restTime, when mostResting others wait
// already, and when the crew is dismissed.
type crew struct {
	work      chan func()
	resting   atomic.Int32
	dismissed <-chan struct{}
}

const (
	mostResting = 64 // each holds its stack, of some kilobytes
	restTime    = time.Second
)

func newCrew(dismissed <-chan struct{}) *crew {
	return &crew{work: make(chan func()), dismissed: dismissed}
}

// run runs f in a goroutine of its own, and does not wait. It may be called concurrently, also once the crew was dismissed.
func (c *crew) run(f func()) {
	select {
	case c.work <- f:
	default: // nobody rests
		go c.member(f)
	}
}

func (c *crew) member(f func()) {
	rest := time.NewTimer(restTime)
	defer rest.Stop()
	for f != nil {
		f()
		rest.Reset(restTime)
		f = c.next(rest.C)
	}
}

// next waits for a function. It returns nil where the member is to end.
func (c *crew) next(rested <-chan time.Time) (f func()) {
	defer c.resting.Add(-1)
	if c.resting.Add(1) > mostResting {
		return nil
	}
	select {
	case f = <-c.work:
	case <-rested:
	case <-c.dismissed:
	}
	return f
}
