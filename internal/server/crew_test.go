package server

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A crew runs everything at once, uses a goroutine again, and keeps no more than mostResting of them, for restTime. A goroutine that did
// not end would fail synctest.Test.
func TestACrewUsesItsGoroutinesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(nil)
		members := func() int { return int(c.resting.Load()) }
		const n = 3 * mostResting
		var ran atomic.Int32
		open := make(chan struct{})
		for range n {
			c.run(func() { ran.Add(1); <-open })
		}
		synctest.Wait()
		if ran.Load() != n {
			t.Errorf("%d of %d functions run beside each other", ran.Load(), n)
		}
		close(open)
		synctest.Wait()
		if members() != mostResting {
			t.Errorf("%d goroutines rest, want %d", members(), mostResting)
		}
		time.Sleep(restTime / 2)
		for range n {
			c.run(func() { ran.Add(1) })
			synctest.Wait()
			if members() != mostResting {
				t.Fatalf("%d goroutines where %d rested", members(), mostResting)
			}
		}
		if ran.Load() != 2*n {
			t.Errorf("%d of %d functions ran", ran.Load(), 2*n)
		}
		time.Sleep(restTime)
		synctest.Wait()
		if members() != 0 {
			t.Errorf("%d goroutines rest for ever", members())
		}
	})
}

// Who rests when the crew is dismissed ends. What comes later runs all the same: a connection may be admitted just then.
func TestADismissedCrewKeepsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, dismiss := context.WithCancel(t.Context())
		defer dismiss()
		c := newCrew(running.Done())
		ran := 0
		for range 2 {
			c.run(func() { ran++ })
			synctest.Wait()
			dismiss()
			synctest.Wait()
			if n := c.resting.Load(); n != 0 {
				t.Errorf("%d goroutines rest", n)
			}
		}
		if ran != 2 {
			t.Errorf("%d functions ran, want 2", ran)
		}
	})
}
