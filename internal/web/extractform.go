package web

import (
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

// This file is the form for the twenty numbers of an extract, in a draw of the game quiniela.

// perColumn is how many numbers of an extract stand in a column.
const perColumn = 10

// column is a part of an extract, as pages show it.
type column struct {
	First   int // the prize of the first one
	Numbers []uint16
}

// columns returns an extract in columns of ten.
func columns(prizes []uint16) (all []column) {
	for first := 0; first < len(prizes); first += perColumn {
		all = append(all, column{first + 1, prizes[first:min(first+perColumn, len(prizes))]})
	}
	return all
}

// mostRead is the most bytes of a file that are read for numbers.
const mostRead = 4096

// sentFile is a file of a form, as far as it is read for numbers.
type sentFile struct {
	name string
	size int
	head []byte // mostRead bytes at most
}

// Write implements io.Writer. It keeps the beginning.
func (s *sentFile) Write(p []byte) (int, error) {
	s.size += len(p)
	s.head = append(s.head, p[:min(len(p), mostRead-len(s.head))]...)
	return len(p), nil
}

// numbers reads the file as an extract. Where it is none, is says whether it should have been one: a table or a text by its name. Any other
// document goes with the numbers and is not read.
func (s *sentFile) numbers() (prizes []quiniela.Number, is bool, err error) {
	ending := strings.ToLower(path.Ext(s.name))
	is = s.size > 0 && (ending == ".csv" || ending == ".txt")
	if s.size == 0 || s.size > mostRead {
		return nil, is, nil
	}
	prizes, err = draw.ParseExtract(s.head)
	return prizes, is || err == nil, err
}

// prizeField is the name of the field of a prize, so that their names are in order.
func prizeField(prize int) string { return fmt.Sprintf("prize-%02d", prize) }

// Twenty returns the fields of an extract, in two columns.
func (f form) Twenty() (fields [quiniela.PrizeCount / perColumn][perColumn]field) {
	for i := range quiniela.PrizeCount {
		name := prizeField(i + 1)
		one := field{Name: name, Label: strconv.Itoa(i + 1), Value: f.Typed[name]}
		if f.bad[name] {
			one.Wrong = name
		}
		fields[i/perColumn][i%perColumn] = one
	}
	return fields
}

// takeExtract enters the extract of a form that was sent. A file with numbers fills the form, which is shown again and enters nothing. Where
// one person is enough, the draw's name confirms what cannot be undone; where two are needed, each enters all twenty, and what the first has
// entered is shown to nobody.
func (s *Site) takeExtract(w http.ResponseWriter, r *http.Request, d ledger.Draw, f form, extract []byte) {
	t := language(r)
	if len(f.Wrong) == 0 && f.file.size > 0 {
		delete(f.Typed, "read") // of another file
		if f.readFile(t) {
			s.showNumber(w, r, http.StatusOK, f)
			return
		}
	}
	if len(f.Wrong) > 0 { // of the file
		s.showNumber(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	numbers := f.prizes(t)
	f.compareFile(t)
	if !d.Two && f.Typed["again"] != d.ID {
		f.reject("again", t.WrongAgain)
	}
	if len(f.Wrong) == 0 {
		_, err := s.enter(r, numbers, extract)
		if err == nil {
			http.Redirect(w, r, "/draws/"+d.ID, http.StatusSeeOther)
			return
		}
		s.refusedNumber(r, &f, err)
	}
	s.showNumber(w, r, http.StatusUnprocessableEntity, f)
}

// readFile fills the form with the numbers of the file that came with it, and notes what is wrong with one that should have them. It reports
// whether the form is filled.
func (f *form) readFile(t texts) bool {
	numbers, is, err := f.file.numbers()
	switch {
	case !is:
		return false
	case err != nil:
		f.reject("extract", t.WrongFile+" "+t.fileFault(err))
		f.Extract = ""
		return false
	case numbers == nil:
		f.reject("extract", t.WrongLarge)
		f.Extract = ""
		return false
	}
	for i, n := range numbers {
		f.Typed[prizeField(i+1)] = fmt.Sprintf("%04d", n)
	}
	f.Typed["read"], f.Typed["again"], f.Read = joined(numbers), "", true
	return true
}

// joined writes the numbers of an extract, for a field that nobody sees.
func joined(numbers []quiniela.Number) string {
	return strings.Trim(fmt.Sprintf("%04d", numbers), "[]")
}

// prizes reads the twenty fields, and notes those that have no number.
func (f *form) prizes(t texts) (numbers []quiniela.Number) {
	var wrong []string
	for i := range quiniela.PrizeCount {
		n, err := draw.ParsePrize(f.Typed[prizeField(i+1)])
		if err != nil {
			wrong = append(wrong, f.mark(i+1))
		}
		numbers = append(numbers, n)
	}
	if wrong != nil {
		f.reject("prizes", t.WrongPrizes+" "+strings.Join(wrong, ", ")+".")
	}
	return numbers
}

// mark notes that a prize's field is to be corrected, and returns what the page calls it.
func (f *form) mark(prize int) string {
	if f.bad == nil {
		f.bad = map[string]bool{}
	}
	f.bad[prizeField(prize)] = true
	return strconv.Itoa(prize)
}

// compareFile notes numbers that are not those of the file that filled the form. The file then does not go with them: its hash would be that of
// another extract.
func (f *form) compareFile(t texts) {
	read := strings.Fields(f.Typed["read"])
	if len(f.bad) > 0 || len(read) != quiniela.PrizeCount {
		return
	}
	var other []string
	for i, number := range read {
		if f.Typed[prizeField(i+1)] != number {
			other = append(other, f.mark(i+1))
		}
	}
	if other != nil {
		f.reject("prizes", t.WrongNotFile+" "+strings.Join(other, ", ")+".")
		f.Extract = ""
		delete(f.Typed, "read")
	}
}

// quoted matches what an error quotes of a file, which is in no language.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// spanishFaults are the words of draw.ParseExtract's errors, in Spanish.
var spanishFaults = strings.NewReplacer(
	"line ", "línea ", "the prize ", "el premio ", "the prizes come in their order", "los premios van en orden", "prize ", "premio ", "the number ", "el número ",
	": want its four digits, such as 0562", ": van sus cuatro cifras, como 0562", ": want each line in the form of the first one", ": cada línea va en la forma de la primera",
	"a number more than the 20 of an extract", "un número más que los 20 de un extracto", " numbers: want the 20 of an extract, each on its line", " números: van los 20 de un extracto, cada uno en su línea",
	": want ", ": va ")

// fileFault says what is wrong with a file of an extract, and in which line.
func (t texts) fileFault(err error) string {
	text := err.Error()
	if t.Lang == "es" {
		var out strings.Builder
		last := 0
		for _, at := range quoted.FindAllStringIndex(text, -1) {
			out.WriteString(spanishFaults.Replace(text[last:at[0]]) + text[at[0]:at[1]])
			last = at[1]
		}
		text = out.String() + spanishFaults.Replace(text[last:])
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
