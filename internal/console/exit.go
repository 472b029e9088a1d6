package console

import "errors"

// Exit codes.
const (
	ExitOK      = 0
	ExitFailure = 1
	ExitUsage   = 2
	ExitEarly   = 3
)

// coded is an error that ends a program with a code of its own.
type coded struct {
	error
	code int
}

func (e coded) Unwrap() error { return e.error }

// ExitCode returns the code.
func (e coded) ExitCode() int { return e.code }

// Usage makes err an error in what was typed or configured.
func Usage(err error) error { return coded{err, ExitUsage} }

// Early makes err an error that goes away by itself: nothing is wrong, and not everything can be checked yet.
func Early(err error) error { return coded{err, ExitEarly} }

// ExitCode returns the code that a program ends with after err, which may be nil: that of the first error in its chain with a method
// ExitCode, or ExitFailure.
func ExitCode(err error) int {
	var c interface{ ExitCode() int }
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &c):
		return c.ExitCode()
	}
	return ExitFailure
}
