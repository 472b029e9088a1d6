// Package lang says in which language the commands speak to a person, and has the Spanish for their English texts. Error texts, logs
// and what programs read (JSON, CSV) are English in either language.
package lang

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
)

// Language is one that the commands speak.
type Language string

// The languages. Any other is English.
const (
	English Language = "en"
	Spanish Language = "es"
)

// FromEnvironment returns the language that the environment asks for, as POSIX has it: the first that is set of LC_ALL, LC_MESSAGES and
// LANG.
func FromEnvironment(getenv func(name string) string) Language {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"))
	if language, _, _ := strings.Cut(locale, "."); language == "es" || strings.HasPrefix(language, "es_") || strings.HasPrefix(language, "es@") {
		return Spanish
	}
	return English
}

// Text returns an English text in the language: a format with the same verbs, if it is one. What has no Spanish stays English.
func (l Language) Text(english string) string {
	if l != Spanish {
		return english
	}
	if text, ok := help[english]; ok {
		return text
	}
	if text, ok := output[english]; ok {
		return text
	}
	return english
}

// Has reports whether an English text has its Spanish.
func Has(english string) bool {
	_, inHelp := help[english]
	_, inOutput := output[english]
	return inHelp || inOutput
}

// Count writes a whole number with the thousands separated.
func (l Language) Count(n uint64) string {
	if l == Spanish {
		return humanize.FormatInteger("#.###,", int(n))
	}
	return humanize.Comma(int64(n))
}

// Money writes an amount of cents in pesos, with two decimals and the thousands separated.
func (l Language) Money(cents uint64) string {
	return fmt.Sprintf("%s%s%02d", l.Count(cents/100), l.point(), cents%100)
}

// Fraction writes how many parts of 10 to the power of a count of decimals something is, which is below 1: 8880 of 10,000 are 0.8880.
func (l Language) Fraction(parts uint64, decimals int) string {
	return fmt.Sprintf("0%s%0*d", l.point(), decimals, parts)
}

// point separates the decimals of a number.
func (l Language) point() string {
	if l == Spanish {
		return ","
	}
	return "."
}
