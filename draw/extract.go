package draw

import (
	"bytes"
	"fmt"
	"strings"

	"quiniela"
)

// mostExtractFile bounds a file of an extract, in bytes: twenty lines have about 150.
const mostExtractFile = 4096

// ParseExtract reads the file of an extract: a line for each of the twenty prizes, in their order, with the number's four digits such as
// 0562, or with the prize before it, 6,0562. Empty lines are left out, and so is the byte order mark that spreadsheets write. All lines
// have the same form. An error names the line.
func ParseExtract(text []byte) ([]quiniela.Number, error) {
	if len(text) > mostExtractFile {
		return nil, fmt.Errorf("%d bytes are too many for the numbers of an extract: want %d lines such as 1,4563", len(text), quiniela.PrizeCount)
	}
	var extract []quiniela.Number
	ranked := false
	for i, line := range strings.Split(string(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		place, number, has := strings.Cut(line, ",")
		if !has {
			number = line
		}
		prize := len(extract) + 1
		switch {
		case prize == 1:
			ranked = has
		case ranked != has:
			return nil, fmt.Errorf("line %d: %q: want each line in the form of the first one", i+1, quiniela.Clip(line))
		}
		if has && strings.TrimSpace(place) != fmt.Sprint(prize) {
			return nil, fmt.Errorf("line %d: the prize %q: want %d, the prizes come in their order", i+1, quiniela.Clip(place), prize)
		}
		n, err := ParsePrize(strings.TrimSpace(number))
		if err != nil {
			return nil, fmt.Errorf("line %d: prize %d: %w", i+1, prize, err)
		}
		if extract = append(extract, n); len(extract) > quiniela.PrizeCount {
			return nil, fmt.Errorf("line %d: a number more than the %d of an extract", i+1, quiniela.PrizeCount)
		}
	}
	if len(extract) < quiniela.PrizeCount {
		return nil, fmt.Errorf("%d numbers: want the %d of an extract, each on its line", len(extract), quiniela.PrizeCount)
	}
	return extract, nil
}

// ParsePrize reads a number of an extract as it is drawn: with all four digits. A number whose zeros were lost, as spreadsheets lose them, is
// refused: nobody is to guess them.
func ParsePrize(s string) (quiniela.Number, error) {
	n, err := quiniela.ParseUint(s, 16)
	if err != nil || len(s) != quiniela.MaxDigits {
		return 0, fmt.Errorf("the number %q: want its four digits, such as 0562", quiniela.Clip(s))
	}
	return quiniela.Number(n), nil
}
