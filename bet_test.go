package quiniela_test

import (
	"strings"
	"testing"
	"time"

	"quiniela"
)

const today = quiniela.Day(20260131)

func TestParseLine(t *testing.T) {
	ñ64 := strings.Repeat("ñ", 64)
	for _, row := range []struct{ line, field string }{ // field: the one that is wrong, "-" where the count is, "" where none
		{"Santiago Lionel,Lorca,30904465,1999-03-17,7574", ""},
		{"Ana,Paz,1,2026-01-30,0", ""},
		{"Ana,Paz,999999999,0001-01-01,9999", ""},
		{"Ana,Paz,1,2000-02-29,007", ""},
		{ñ64 + "," + ñ64 + ",1,1990-01-01,7", ""},
		{"O'Higgins \"el\",D’Ángelo-Paz,1,1990-01-01,7", ""},
		{"", "-"},
		{"Ana,Paz,1,1990-01-01", "-"},
		{"Ana,Paz,1,1990-01-01,7,", "-"},
		{",Paz,1,1990-01-01,7", "first_name"},
		{"  ,Paz,1,1990-01-01,7", "first_name"},
		{"Ana,,1,1990-01-01,7", "last_name"},
		{"Ana,P|az,1,1990-01-01,7", "last_name"},
		{"Ana,P~az,1,1990-01-01,7", "last_name"},
		{"An\ta,Paz,1,1990-01-01,7", "first_name"},
		{"An\x7fa,Paz,1,1990-01-01,7", "first_name"},
		{"An\xc3,Paz,1,1990-01-01,7", "first_name"},
		{"An\u00ada,Paz,1,1990-01-01,7", "first_name"},
		{"Jos\ufffd,Paz,1,1990-01-01,7", "first_name"},
		{"Ana,\ufffd,1,1990-01-01,7", "last_name"},
		{"\u3164,Paz,1,1990-01-01,7", "first_name"},
		{"Ana,Paz\u3164,1,1990-01-01,7", "last_name"},
		{"\u2800 \u2800,Paz,1,1990-01-01,7", "first_name"},
		{"\u115f\u1160,Paz,1,1990-01-01,7", "first_name"},
		{"Ana,\uffa0,1,1990-01-01,7", "last_name"},
		{"Ana,\u200b\u200d\ufeff,1,1990-01-01,7", "last_name"},
		{"\u0301,Paz,1,1990-01-01,7", "first_name"},
		{" \ufe0f\u034f,Paz,1,1990-01-01,7", "first_name"},
		{"Jose\u0301,葛\U000e0100城,1,1990-01-01,7", ""},
		{"안나,박,1,1990-01-01,7", ""},
		{ñ64 + "ñ,Paz,1,1990-01-01,7", "first_name"},
		{strings.Repeat("𐍈", 63) + ",Paz,1,1990-01-01,7", ""},
		{strings.Repeat("𐍈", 64) + ",Paz,1,1990-01-01,7", "first_name"},
		{"Ana,Paz,,1990-01-01,7", "document"},
		{"Ana,Paz,1234567890,1990-01-01,7", "document"},
		{"Ana,Paz,1a,1990-01-01,7", "document"},
		{"Ana,Paz,1,2026-01-31,7", "birthdate"},
		{"Ana,Paz,1,1990-13-01,7", "birthdate"},
		{"Ana,Paz,1,1990-00-01,7", "birthdate"},
		{"Ana,Paz,1,1990-04-31,7", "birthdate"},
		{"Ana,Paz,1,1990-02-30,7", "birthdate"},
		{"Ana,Paz,1,1900-02-29,7", "birthdate"},
		{"Ana,Paz,1,0000-01-01,7", "birthdate"},
		{"Ana,Paz,1,1990-1-1,7", "birthdate"},
		{"Ana,Paz,1,1990/01/01,7", "birthdate"},
		{"Ana,Paz,1,1990-01-01,-1", "number"},
		{"Ana,Paz,1,1990-01-01,10000", "number"},
		{"Ana,Paz,1,1990-01-01,7.0", "number"},
		{"Ana,Paz,1,1990-01-01,", "number"},
		{"Ana,Paz,1,1990-01-01,0000000007", "number"},
	} {
		_, err := quiniela.Specified.ParseLine([]byte(row.line), today)
		switch {
		case row.field == "" && err != nil:
			t.Errorf("%q: %v", row.line, err)
		case row.field == "-" && (err == nil || err.Field != "" || !strings.Contains(err.Reason, "fields, want 5")):
			t.Errorf("%q: %v, want a wrong number of fields", row.line, err)
		case row.field != "" && row.field != "-" && (err == nil || err.Field != row.field):
			t.Errorf("%q: %v, want %s to be wrong", row.line, err, row.field)
		}
	}
}

// Every day of four centuries and the impossible ones between them, against package time.
func TestDates(t *testing.T) {
	line := []byte("Ana,Paz,1,0000-00-00,7")
	for y := 1600; y < 2000; y++ {
		for m := 0; m <= 13; m++ {
			for d := 0; d <= 32; d++ {
				date := line[10:20]
				for i, n := range []int{y / 1000, y / 100 % 10, y / 10 % 10, y % 10, -1, m / 10, m % 10, -1, d / 10, d % 10} {
					if n >= 0 {
						date[i] = byte('0' + n)
					}
				}
				_, wrong := time.Parse(time.DateOnly, string(date))
				if _, err := quiniela.Specified.ParseLine(line, today); (err == nil) != (wrong == nil) {
					t.Fatalf("%s: %v, and package time says %v", date, err, wrong)
				}
			}
		}
	}
}

func BenchmarkParseLine(b *testing.B) {
	line := []byte("Santiago Nicolás,Fernández,30904465,1999-03-17,7574")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := quiniela.Specified.ParseLine(line, today); err != nil {
			b.Fatal(err)
		}
	}
}
