package quiniela

import (
	"fmt"
	"time"
)

// Day is a calendar day as the decimal number YYYYMMDD, so that days compare as they follow each other.
type Day uint32

// DayOf returns t's calendar day in t's location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(y*10000 + int(m)*100 + d)
}

// daysIn holds the most days of each month, from 1.
var daysIn = [13]uint8{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// lastDay is after every day that can be written.
const lastDay Day = 9999_12_31 + 1

// Split returns the day's year, month and day of the month.
func (d Day) Split() (year, month, day uint32) {
	return uint32(d) / 10000, uint32(d) / 100 % 100, uint32(d) % 100
}

// String returns the day as YYYY-MM-DD.
func (d Day) String() string {
	y, m, day := d.Split()
	return fmt.Sprintf("%04d-%02d-%02d", y, m, day)
}

// ParseDay reads a date YYYY-MM-DD of the Gregorian calendar, from the year 1.
func ParseDay(s []byte) (Day, bool) {
	if len(s) != len("YYYY-MM-DD") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, yearOK := decimal(s[:4])
	m, monthOK := decimal(s[5:7])
	d, dayOK := decimal(s[8:])
	if !yearOK || !monthOK || !dayOK {
		return 0, false
	}
	if y < 1 || m < 1 || m > 12 || d < 1 || d > uint32(daysIn[m]) {
		return 0, false
	}
	if m == 2 && d == 29 && !leap(y) {
		return 0, false
	}
	return Day(y*10000 + m*100 + d), true
}

func leap(y uint32) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }
