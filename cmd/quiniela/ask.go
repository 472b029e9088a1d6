package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// askFlags are of commands that cannot be undone.
type askFlags struct {
	Yes bool `help:"Do it without asking, for scripts: it cannot be undone."`
}

// confirm says what a command is about to do, and asks the person at the terminal to type a word of it. Without a terminal it
// fails, unless --yes was given.
func (f askFlags) confirm(e env, what, word string) error {
	if _, err := printf(e.stderr, "%s\n%s\n", what, e.say("It cannot be undone.")); err != nil {
		return fmt.Errorf("say what would be done: %w; nothing was done", err)
	}
	switch {
	case f.Yes:
		return nil
	case !terminal(os.Stdin):
		return usageError{errors.New("nothing was done: there is no terminal to ask on. A script says --yes")}
	}
	return ask(e.ctx, os.Stdin, e.stderr, e.say("Type %s to go on: "), word)
}

// ask asks for a word, waits until a line is typed, and fails unless it is the word. It gives up when ctx ends; the goroutine that reads then
// stays until the process ends, since a read of a terminal cannot be ended.
func ask(ctx context.Context, in io.Reader, out io.Writer, question, word string) error {
	_, _ = printf(out, question, word) // without it the wait says nothing, and no word is right by chance
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n') // what ends early is no answer
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return errors.New("nothing was done: interrupted")
	case line := <-answer:
		if got := strings.TrimSpace(line); got != word {
			return usageError{fmt.Errorf("nothing was done: %q is not %q", got, word)}
		}
	}
	return nil
}

// weekdays are the names of the days, from Sunday on.
var weekdays = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

// moment formats a time for a decision: with its zone, and how far off it is.
func (e env) moment(t, now time.Time) string {
	t = t.In(now.Location())
	text := e.say(weekdays[t.Weekday()]) + t.Format(" 2006-01-02 15:04:05 -07:00")
	if zone := now.Location().String(); zone != "Local" {
		text += " (" + zone + ")"
	}
	if t.Before(now) {
		return text + ", " + fmt.Sprintf(e.say("%s ago"), span(now.Sub(t)))
	}
	return text + ", " + fmt.Sprintf(e.say("in %s"), span(t.Sub(now)))
}

// span formats a duration in its two largest units, or in seconds alone.
func span(d time.Duration) string {
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	}
	return fmt.Sprintf("%d s", seconds)
}
