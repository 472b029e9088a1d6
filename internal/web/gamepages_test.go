package web_test

import (
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// twenty are the numbers of the worked examples as they are typed, in their order.
func twenty() (numbers []string) {
	for _, n := range strings.Split(extract, ",") {
		v, _ := strconv.Atoi(n)
		numbers = append(numbers, fmt.Sprintf("%04d", v))
	}
	return numbers
}

// typing returns the fields of an extract, and others behind them.
func typing(numbers []string, others ...string) (fields []string) {
	for i, n := range numbers {
		fields = append(fields, fmt.Sprintf("prize-%02d", i+1), n)
	}
	return append(fields, others...)
}

// rows is an extract as a file.
func rows(numbers []string) string {
	var text strings.Builder
	for i, n := range numbers {
		_, _ = fmt.Fprintf(&text, "%d,%s\n", i+1, n)
	}
	return text.String()
}

// page returns what a page of the draw says to the operator, in a language, with plain spaces.
func (d *desk) page(path, lang string) string {
	d.t.Helper()
	status, _, text := d.ask(d.inner.URL, "GET", path, "", "Accept-Language", lang)
	if status != 200 {
		d.t.Fatalf("%s: %d %s", path, status, text)
	}
	return plain(text)
}

// plain has a comma between thousands and a plain space behind the currency's sign.
func plain(text string) string {
	return strings.NewReplacer("\u202f", ",", "\u00a0", " ").Replace(text)
}

// What is wrong with the terms of the game is said beside its field, in either language, and what was typed is kept.
func TestTheFormForADrawWithPrizes(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	good := func(change ...string) url.Values {
		v := url.Values{"id": {"night"}, "again": {"night"}, "agencies": {"3"}, "source": {"notary"}, "game": {"quiniela"},
			"times-1": {"7"}, "times-2": {"70"}, "times-3": {"500"}, "times-4": {"3500"}, "min": {"1,50"}, "max": {"5000"}, "cap": {"4"}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v
	}
	for name, row := range map[string]struct {
		form        url.Values
		field, want string
		spanish     string
	}{
		"another game":         {good("game", "loto"), "game", "Choose the game", "Elija el juego"},
		"a fixed number":       {good("source", "fixed", "number", "0042"), "", "cannot be fixed now", "no se puede fijar ahora"},
		"no multiplier":        {good("times-3", ""), "times-3", "from 1 to 1000000", "de 1 a 1000000"},
		"a multiplier of zero": {good("times-1", "0"), "times-1", "from 1 to 1000000", "de 1 a 1000000"},
		"half a multiplier":    {good("times-2", "7.5"), "times-2", "from 1 to 1000000", "de 1 a 1000000"},
		"no least stake":       {good("min", ""), "min", "Type pesos", "Escriba pesos"},
		"a stake of nothing":   {good("min", "0"), "min", "from $ 0.01 to $ 2,814,749,767,106.55", "de $ 0,01 a $ 2,814,749,767,106,55"},
		"three decimals":       {good("min", "1,500"), "min", "at most two decimals", "hasta dos decimales"},
		"a greatest too small": {good("max", "1.49"), "max", "from $ 1.50 to", "de $ 1,50 a"},
		"a greatest too large": {good("max", "2814749767106.56"), "max", "from $ 1.50 to", "de $ 1,50 a"},
		"a cap in words":       {good("cap", "four"), "cap", "from 1 to 1000000", "de 1 a 1000000"},
		"a cap too large":      {good("cap", "1000001"), "cap", "from 1 to 1000000", "de 1 a 1000000"},
	} {
		for lang, want := range map[string]string{"en": row.want, "es": row.spanish} {
			status, _, text := ana.post("/draws?lang="+lang, row.form)
			text = plain(text)
			if status != 422 || !strings.Contains(text, want) ||
				row.field != "" && !regexp.MustCompile(`(?s)id="`+row.field+`"[^>]*aria-describedby="`+row.field+`-wrong[^>]*aria-invalid.*id="`+row.field+`-wrong">[^<]*`).MatchString(text) {
				t.Errorf("%s in %s: %d, want %q at %s\n%s", name, lang, status, want, row.field, text)
			}
			for _, kept := range []string{"times-1", "times-2", "times-3", "times-4", "min", "max", "cap"} {
				if !strings.Contains(text, `name="`+kept+`" value="`+row.form.Get(kept)+`"`) {
					t.Errorf("%s: %s is not kept", name, kept)
				}
			}
		}
	}
	if _, last, err := d.ledger.DrawsFrom(t.Context(), 1, 10); last != 1 || err != nil {
		t.Fatalf("there are %d draws, %v", last, err)
	}
	if status, path, text := ana.post("/draws?lang=en", good()); status != 200 || path != "/draws/night" || !strings.Contains(d.page(path, "en"), "Least stake: $ 1.50. Greatest: $ 5,000.00. Cap: if the prizes come to more than 4 times") {
		t.Errorf("opened: %d at %s\n%s", status, path, text)
	}
	if n, err := d.ledger.FindDraw(t.Context(), "night"); err != nil || n.Game.String() != "quiniela multipliers=7,70,500,3500 min_stake=1.50 max_stake=5000.00 cap=4" {
		t.Errorf("opened as %+v, %v", n, err)
	}
}

// The form begins with the game and the terms of the last draw, or with the usual ones, and sends them back as they are.
func TestTheFormBeginsWithTheLastDrawsTerms(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	field := regexp.MustCompile(`name="(times-\d|min|max|cap)" value="([^"]*)"`)
	shown := func(lang string) string {
		_, text := ana.get("/open?lang=" + lang)
		game := regexp.MustCompile(`<option value="quiniela" selected>`).MatchString(text)
		var all []string
		for _, m := range field.FindAllStringSubmatch(text, -1) {
			all = append(all, m[2])
		}
		return fmt.Sprint(game, " ", strings.Join(all, " "))
	}
	if got := shown("en"); got != "false 7 70 600 3500 1  " {
		t.Errorf("at first: %q", got)
	}
	game := quiniela.Terms{Multipliers: [4]uint32{8, 80, 500, 3000}, MinStake: 1050, MaxStake: 500000, Cap: 5}
	if _, err := d.ledger.OpenDraw(t.Context(), ledger.Actor{}, ledger.Terms{ID: "night", Agencies: 2, Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &game}); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{"en": "true 8 80 500 3000 10.50 5000 5", "es": "true 8 80 500 3000 10,50 5000 5"} {
		if got := shown(lang); got != want {
			t.Errorf("in %s: %q", lang, got)
		}
	}
	form := url.Values{"id": {"next"}, "again": {"next"}, "agencies": {"2"}, "source": {"notary"}, "game": {"quiniela"}}
	_, text := ana.get("/open?lang=es")
	for _, m := range field.FindAllStringSubmatch(text, -1) {
		form.Set(m[1], m[2])
	}
	ana.post("/draws", form)
	if n, err := d.ledger.FindDraw(t.Context(), "next"); err != nil || !n.Game.Equal(&game) {
		t.Errorf("opened as %+v, %v", n, err)
	}
}

// sold opens the draw nocturna of the game quiniela with a bet, and closes it.
func (d *desk) sold(two bool) {
	d.t.Helper()
	game := quiniela.DefaultTerms()
	found, err := d.ledger.OpenDraw(d.t.Context(), ledger.Actor{}, ledger.Terms{ID: "nocturna", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}, Two: two, Game: &game})
	if err != nil {
		d.t.Fatal(err)
	}
	d.bet(found.Seq, 1, "Ana,Paz,30904465,1990-01-01,62,100,1-20\n")
	if _, err := d.ledger.CloseDraw(d.t.Context(), ledger.Actor{}, "nocturna", "the time has come"); err != nil {
		d.t.Fatal(err)
	}
}

// One person types the twenty numbers, and the draw's name for what cannot be undone.
func TestTheFormForAnExtract(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	d.sold(false)
	wants(t, "the list", d.page("/draws", "en"), `>Enter the extract</a>`, "!Enter the number")
	if _, text := ana.get("/draws/nocturna/number"); strings.Count(text, `inputmode="numeric" maxlength="4"`) != 20 || !strings.Contains(text, `name="again"`) || strings.Contains(text, `name="number"`) {
		t.Errorf("the form:\n%s", text)
	}
	bad := twenty()
	bad[5], bad[13] = "562", "00x3"
	for name, row := range map[string]struct {
		numbers []string
		again   string
		want    string
	}{
		"two that are wrong": {bad, "nocturna", "Correct the prizes: 6, 14.<"},
		"nineteen":           {twenty()[:19], "nocturna", "Correct the prizes: 20.<"},
		"none":               {nil, "nocturna", "Correct the prizes: 1, 2, 3, 4,"},
		"another's form":     {twenty(), "vespertina", "not the same name"},
		"without the name":   {twenty(), "", "not the same name"},
	} {
		status, _, text := ana.enter("nocturna", "%PDF", typing(row.numbers, "again", row.again)...)
		if status != 422 || !strings.Contains(text, row.want) || !strings.Contains(text, fmt.Sprintf("%x", sha256.Sum256([]byte("%PDF")))) {
			t.Errorf("%s: %d, want %q\n%s", name, status, row.want, text)
		}
		for i, n := range row.numbers {
			if !strings.Contains(text, fmt.Sprintf(`name="prize-%02d" type="text" value="%s"`, i+1, n)) {
				t.Errorf("%s: the number %s is not kept", name, n)
			}
		}
		if name == "two that are wrong" && strings.Count(text, `aria-invalid="true" aria-describedby="twenty-wrong"`) != 2 {
			t.Errorf("not two fields are marked:\n%s", text)
		}
	}
	if n, _ := d.ledger.FindDraw(t.Context(), "nocturna"); n.Entered != nil {
		t.Fatalf("entered as %+v", n)
	}
	document := strings.Repeat("the official extract ", 100_000)
	if status, path, text := ana.enter("nocturna", document, typing(twenty(), "again", "nocturna")...); status != 200 || path != "/draws/nocturna" || !strings.Contains(text, "Entered by ana") {
		t.Errorf("entered: %d at %s\n%s", status, path, text)
	}
	d.entered(sha256.Sum256([]byte(document)))
	if status, _, text := ana.enter("nocturna", "", typing(twenty(), "again", "nocturna")...); status != 422 || !strings.Contains(text, "has its number already") {
		t.Errorf("entered twice: %d\n%s", status, text)
	}
}

// entered checks that the draw nocturna has the extract of the worked examples, and the hash of its file.
func (d *desk) entered(hash [sha256.Size]byte) {
	d.t.Helper()
	n, err := d.ledger.FindDraw(d.t.Context(), "nocturna")
	var got []string
	for _, p := range n.Prizes() {
		got = append(got, fmt.Sprintf("%04d", p))
	}
	if err != nil || !slices.Equal(got, twenty()) || !slices.Equal(n.Extract, hash[:]) {
		d.t.Errorf("entered as %v with %x, %v", got, n.Extract, err)
	}
}

// A file fills the form, which is looked at and sent again: at the first step nothing is entered.
func TestAFileFillsTheFormForAnExtract(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.visit("ana", key)
	d.sold(false)
	good := rows(twenty())
	for name, row := range map[string]struct{ file, english, spanish string }{
		"zeros lost":  {strings.Replace(good, "0562", "562", 1), `Line 6: prize 6: the number &#34;562&#34;: want its four digits, such as 0562.`, `Línea 6: premio 6: el número &#34;562&#34;: van sus cuatro cifras, como 0562.`},
		"a header":    {"prize ,line \n" + good, `Line 1: the prize &#34;prize &#34;: want 1, the prizes come in their order.`, `Línea 1: el premio &#34;prize &#34;: va 1, los premios van en orden.`},
		"nineteen":    {good[:strings.Index(good, "20,")], "19 numbers: want the 20 of an extract, each on its line.", "19 números: van los 20 de un extracto, cada uno en su línea."},
		"twenty-one":  {good + "21,0000\n", "Line 21: a number more than the 20 of an extract.", "Línea 21: un número más que los 20 de un extracto."},
		"two forms":   {strings.Replace(good, "\n5,", "\n", 1), `Line 5: &#34;9658&#34;: want each line in the form of the first one.`, `Línea 5: &#34;9658&#34;: cada línea va en la forma de la primera.`},
		"a large one": {strings.Repeat("1,0000\n", 1000), "more than 4 kB", "más de 4 kB"},
	} {
		for lang, want := range map[string]string{"en": row.english, "es": row.spanish} {
			status, _, text := ana.sendFile("nocturna", lang, "extract.csv", row.file, "prize-07", "1642", "again", "nocturna")
			if status != 422 || !strings.Contains(text, want) || !strings.Contains(text, `name="prize-07" type="text" value="1642"`) || strings.Contains(text, `name="extract"`) || strings.Contains(text, "aria-invalid") {
				t.Errorf("%s in %s: %d, want %s\n%s", name, lang, status, want, text)
			}
		}
	}
	// Its name says that it is a table; what has another name is one where it reads as one.
	for _, name := range []string{"extract.CSV", "extract.txt", "extract"} {
		hash := fmt.Sprintf("%x", sha256.Sum256([]byte(good)))
		status, _, text := ana.sendFile("nocturna", "en", name, good, typing(twenty(), "again", "nocturna")...)
		wants(t, name, text, "nothing has been entered yet", `name="extract" value="`+hash+`"`, `name="read" value="4563 4290`, `name="again" value=""`, `name="prize-06" type="text" value="0562"`)
		if n, _ := d.ledger.FindDraw(t.Context(), "nocturna"); status != 200 || n.Entered != nil {
			t.Fatalf("%s: %d, entered as %+v", name, status, n)
		}
	}
	hash := sha256.Sum256([]byte(good))
	read := []string{"extract", fmt.Sprintf("%x", hash), "read", strings.Join(twenty(), " "), "again", "nocturna"}
	changed := twenty()
	changed[2] = "8086"
	status, _, text := ana.enter("nocturna", "", typing(changed, read...)...)
	wants(t, "changed", text, "not those of the file, which no longer counts", "Prizes: 3.<", `value="8086"`, `!name="extract"`, `!name="read"`)
	if n, _ := d.ledger.FindDraw(t.Context(), "nocturna"); status != 422 || n.Entered != nil {
		t.Fatalf("changed: %d, entered as %+v", status, n)
	}
	if status, path, text := ana.enter("nocturna", "", typing(twenty(), read...)...); status != 200 || path != "/draws/nocturna" {
		t.Errorf("entered: %d at %s\n%s", status, path, text)
	}
	d.entered(hash)
}

// The second of two people sees nothing of the first one's extract on any page or in any file, also where it came from a file, and not even
// after the two differ and begin again.
func TestNoPageShowsTheSecondPersonTheExtract(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.register("nora", operators.Notary, notaryKey)
	d.register("nico", operators.Notary, secondKey)
	nora, nico := d.visit("nora", notaryKey), d.visit("nico", secondKey)
	d.sold(true)
	if _, text := nora.get("/draws/nocturna/number"); strings.Contains(text, `name="again"`) {
		t.Error("each of two people types something twice")
	}
	pages := []string{
		"/", "/draws", "/draws?state=waiting", "/draws/nocturna", "/draws/nocturna/number", "/draws/nocturna/act", "/draws/nocturna/winners.csv", "/draws/nocturna/documents.csv",
		"/draws/nocturna/prizes.csv", "/draws/nocturna/settlement", "/draws/nocturna/settlement/1", "/draws/nocturna/settlement.csv", "/resultados/nocturna",
		"/trail", "/trail?draw=nocturna", "/trail.csv", "/backups", "/api/v1/draws/nocturna", "/api/v1/draws/nocturna/payouts", "/api/v1/draws/nocturna/prizes.csv",
	}
	any := strings.Join(twenty(), "|")
	hidden := func(when string) {
		t.Helper()
		for _, path := range pages {
			for name, v := range map[string]visitor{"nora": nora, "nico": nico, "a stranger": {d, http.Client{}}} {
				if _, text := v.get(path); shows(text, any) {
					t.Errorf("%s, %s shows %s a number:\n%s", when, path, name, text)
				}
			}
		}
	}
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(rows(twenty()))))
	if _, _, text := nora.sendFile("nocturna", "en", "extract.csv", rows(twenty())); !strings.Contains(text, "nothing has been entered yet") {
		t.Errorf("the file:\n%s", text)
	}
	hidden("with a file that was read")
	read := []string{"extract", hash, "read", strings.Join(twenty(), " ")}
	if status, path, text := nora.enter("nocturna", "", typing(twenty(), read...)...); status != 200 || path != "/draws/nocturna" || !strings.Contains(text, "The first one was nora") {
		t.Fatalf("the first: %d at %s\n%s", status, path, text)
	}
	hidden("with the first one's")
	other := twenty()
	other[19] = "7510"
	if status, _, text := nico.enter("nocturna", "", typing(other, "extract", hash)...); status != 422 || !strings.Contains(text, "so neither counts") || shows(text, any) {
		t.Errorf("they differ: %d\n%s", status, text)
	}
	hidden("after they differ")
	nico.enter("nocturna", "", typing(twenty(), read...)...)
	if status, _, text := nora.enter("nocturna", "", typing(twenty(), read...)...); status != 200 || !strings.Contains(text, "Entered by nico, nora") {
		t.Errorf("both have entered it: %d\n%s", status, text)
	}
}

// Everybody reads what a drawn draw pays, in both languages: the terms, the extract in two columns, and sums that foot.
func TestThePagesSayWhatADrawPays(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{"multipliers":[7,70,500,3500],"min_stake":50,"max_stake":100000,"cap":4}`)
	wants(t, "closed", d.page("/draws/nocturna", "en"), `<dt>Staked</dt><dd id="staked">$ 284.84</dd>`, `<td class="n staked">$ 183.84</td>`, "!Paid", ">Enter the extract</a>")
	d.paid()
	first := "<ol start=\"1\"><li>4563</li><li>4290</li><li>8068</li>"
	second := "<li>7481</li></ol><ol start=\"11\"><li>4062</li>"
	share := "The prizes come to $ 4,083.80, more than the cap of 4 times what was staked, which is $ 1,139.36. The same part of each prize is paid, 27.89 %."
	parte := "Los premios suman $ 4,083,80, más que el tope de 4 veces lo apostado, que es $ 1,139,36. De cada premio se paga la misma parte, el 27,89 %."
	pays := "pays 7 times the stake with one digit, 70 with two, 500 with three and 3,500 with four."
	wants(t, "the draw", d.page("/draws/nocturna", "en"), first, second, share, pays, "Least stake: $ 0.50. Greatest: $ 1,000.00.",
		`<td class="n">2</td><td class="n wide">$ 3,383.80</td><td class="n">$ 944.05</td>`, `<th scope="row">Total of the draw</th><td class="n">3</td><td class="n wide">$ 4,083.80</td><td class="n">$ 1,139.34</td>`)
	wants(t, "el sorteo", d.page("/draws/nocturna", "es"), first, second, parte, "paga 7 veces lo apostado con una cifra, 70 con dos, 500 con tres y 3,500 con cuatro.", "Apuesta mínima: $ 0,50. Máxima: $ 1,000,00.")
	wants(t, "the act", d.page("/draws/nocturna/act", "en"), first, second, share, pays, "<dt>Staked</dt><dd>$ 284.84</dd>", "<strong>$ 1,139.34</strong>", "Total of the draw")
	wants(t, "el acta", d.page("/draws/nocturna/act", "es"), first, second, parte, "Quiniela con premios en pesos", "<dt>Apostado</dt><dd>$ 284,84</dd>")
	wants(t, "the results", plain(d.results("/resultados/nocturna?lang=en")), first, second, share, "Two digits: 70 times the stake", "Four digits: 3,500 times the stake", "<dt>Paid</dt><dd>$ 1,139.34</dd>", "!Ana")
	wants(t, "los resultados", plain(d.results("/resultados/nocturna")), first, second, parte, "Dos cifras: 70 veces lo apostado", "<dt>Se paga</dt><dd>$ 1,139,34</dd>")
}

// Without a cap that is exceeded nothing is said of a share, and without a winner the pages say that no bet won.
func TestPrizesArePaidInFullWithoutACap(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{}`)
	d.paid()
	wants(t, "paid", d.page("/draws/nocturna", "en"), "No cap: each prize is paid in full.", "No greatest.", "!The same part", "$ 4,083.80")
	d.sell("quiet", "Ana,Paz,30904465,1990-01-01,9999,100\n")
	wants(t, "nobody", d.page("/draws/quiet", "en"), "No bet won.", "!Nobody played", `<dd>$ 0.00</dd>`)
	wants(t, "nadie", d.page("/draws/quiet", "es"), "Ninguna apuesta ganó.")
}

// sell lets a draw of one agency be drawn with some bets.
func (d *desk) sell(id, bets string) {
	d.t.Helper()
	d.post("/api/v1/draws", `{"id":"`+id+`","agencies":1,"source":"notary","game":"quiniela"}`, 201)
	found, err := d.ledger.FindDraw(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	d.bet(found.Seq, 1, bets)
	d.post("/api/v1/draws/"+id+"/close", `{}`, 200)
	d.post("/api/v1/draws/"+id+"/number", `{"prizes":[`+extract+`]}`, 200)
	<-d.ledger.Drawn(found.Seq)
}

// The chart has the last two digits; bets on one digit are counted beside it. What is played most has its digits as typed.
func TestTheChartIsOfTheLastTwoDigits(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.sell("mixed", strings.Repeat("Ana,Paz,1,1990-01-01,7,10\n", 4)+strings.Repeat("Ana,Paz,1,1990-01-01,07,10\n", 3)+strings.Repeat("Ana,Paz,1,1990-01-01,107,10\n", 2)+"Ana,Paz,1,1990-01-01,4207,10\nAna,Paz,1,1990-01-01,42,10\n")
	text := d.page("/draws/mixed", "en")
	wants(t, "the chart", text, "<title>07: 6</title>", "<title>42: 1</title>", "The highest bar: 6 · Bets on a single digit: 4", "<span>00</span><span>20</span>", "Last two digits", "!0000–0099")
	if most := regexp.MustCompile(`(?s)Played most.*`).FindString(text); !regexp.MustCompile(`(?s)>7</th><td class="n">4<.*>07</th><td class="n">3<.*>107</th><td class="n">2<.*>42</th>.*>4207</th>`).MatchString(most) {
		t.Errorf("played most:\n%s", most)
	}
	wants(t, "the other game", d.page("/draws/1", "en"), "0000–0099", "<span>2000</span>", "!single digit")
}

// The settlement has what each agency brought and is paid; its last row is the draw's, and the rows come to it.
func TestAgenciesAreSettledWith(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.evening(`{}`)
	wants(t, "closed", d.page("/draws/nocturna/settlement", "en"), "has not been held yet", "$ 183.84", "–", "!settlement.csv")
	wants(t, "its sheet", d.page("/draws/nocturna/settlement/1", "en"), "has not been held yet", "$ 183.84", "!Balance</dt>")
	for _, path := range []string{"settlement.csv", "prizes.csv"} {
		if status, _, text := d.ask(d.inner.URL, "GET", "/draws/nocturna/"+path, "", "Accept-Language", "es"); status != 404 || !strings.Contains(text, "no se realizó todavía") {
			t.Errorf("%s of a draw without a result: %d %s", path, status, text)
		}
	}
	d.paid()
	wants(t, "the page", d.page("/draws/nocturna/settlement", "en"), `href="/draws/nocturna/settlement/1">1 Rosario centro</a>`,
		"Agency", `data-column="Bets">3</td>`, `data-column="Staked">$ 183.84</td>`, `data-column="Winners">2</td>`, `data-column="Prizes">$ 3,383.80</td>`, `data-column="Balance">−$ 3,199.96</td>`)
	if got := rowOf(d.page("/draws/nocturna/settlement", "en"), "Total of the draw"); got != "5 | $ 284.84 | 3 | $ 4,083.80 | $ 4,083.80 | −$ 3,798.96" {
		t.Errorf("the total is %s", got)
	}
	wants(t, "la página", d.page("/draws/nocturna/settlement", "es"), "Liquidación", "−$ 3,199,96", "Total del sorteo")
	wants(t, "the sheet", d.page("/draws/nocturna/settlement/1", "en"), "Rosario centro", "<strong>−$ 3,199.96</strong>", "For the agency", "For the lottery", "<ol start=\"11\"><li>4062</li>", "500 with", "!Ana")
	wants(t, "la hoja", d.page("/draws/nocturna/settlement/2", "es"), "Liquidación de la agencia 2", "$ 101,00", "Por la agencia")
	_, h, text := d.ask(d.inner.URL, "GET", "/draws/nocturna/settlement.csv", "")
	want := "draw,agency,name,batches,bets,staked,winners,due,paid,balance\n" +
		"nocturna,1,Rosario centro,1,3,183.84,2,3383.80,3383.80,-3199.96\n" +
		"nocturna,2,,1,2,101.00,1,700.00,700.00,-599.00\n"
	if text != want || !strings.Contains(h.Get("Content-Disposition"), "nocturna-settlement.csv") {
		t.Errorf("the table: %v\n%s", h, cmp.Diff(want, text))
	}
	_, _, api := d.ask(d.inner.URL, "GET", "/api/v1/draws/nocturna/prizes.csv", "")
	if _, _, text := d.ask(d.inner.URL, "GET", "/draws/nocturna/prizes.csv", ""); text != api || strings.Count(text, "\n") != 4 {
		t.Errorf("the prizes:\n%s", text)
	}
}

// rowOf returns the cells of a table's row with a head.
func rowOf(page, head string) string {
	row := regexp.MustCompile(`>` + head + `</th>(.*)</tr>`).FindStringSubmatch(page)
	if row == nil {
		return "not there"
	}
	var cells []string
	for _, m := range regexp.MustCompile(`<td[^>]*>([^<]*)</td>`).FindAllStringSubmatch(row[1], -1) {
		cells = append(cells, m[1])
	}
	return strings.Join(cells, " | ")
}

// A draw of the other game has no settlement, and the page says why. So has an agency that the draw does not expect.
func TestThereIsNoSettlementWithoutStakes(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.drawn()
	d.evening(`{}`)
	for path, want := range map[string][2]string{
		"/draws/1/settlement":          {"no stakes and no prizes in pesos", "no tienen monto"},
		"/draws/1/settlement/1":        {"no stakes and no prizes in pesos", "no tienen monto"},
		"/draws/1/settlement.csv":      {"no stakes and no prizes in pesos", "no tienen monto"},
		"/draws/1/prizes.csv":          {"no stakes and no prizes in pesos", "no tienen monto"},
		"/draws/none/settlement":       {"no draw with that name", "No hay un sorteo"},
		"/draws/nocturna/settlement/3": {"does not expect that agency", "no espera a esa agencia"},
		"/draws/nocturna/settlement/0": {"does not expect that agency", "no espera a esa agencia"},
		"/draws/nocturna/settlement/x": {"does not expect that agency", "no espera a esa agencia"},
	} {
		for i, lang := range []string{"en", "es"} {
			status, h, text := d.ask(d.inner.URL, "GET", path, "", "Accept-Language", lang)
			if status != 404 || !strings.Contains(h.Get("Content-Type"), "text/html") || !strings.Contains(text, want[i]) {
				t.Errorf("%s in %s: %d %v, want %q\n%s", path, lang, status, h, want[i], text)
			}
		}
	}
	if _, _, text := d.ask(d.inner.URL, "GET", "/draws/1", ""); strings.Contains(text, "settlement") || strings.Contains(text, "prizes.csv") {
		t.Error("a draw without stakes offers a settlement")
	}
}

// An agency that brought nothing has a sheet. With more agencies than a page shows, the links lead to each once, and the table has all.
func TestManyAgenciesAreSettledWith(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.post("/api/v1/draws", `{"id":"nocturna","agencies":500,"source":"notary","game":"quiniela"}`, 201)
	found, err := d.ledger.FindDraw(t.Context(), "nocturna")
	if err != nil {
		t.Fatal(err)
	}
	d.bet(found.Seq, quiniela.Unattributed, "Ana,Paz,1,1990-01-01,63,7\n")
	for a := range quiniela.Agency(450) {
		d.bet(found.Seq, a+2, "Ana,Paz,1,1990-01-01,63,1.25\n")
	}
	d.post("/api/v1/draws/nocturna/close", `{}`, 200)
	d.paid()
	wants(t, "without a bet", d.page("/draws/nocturna/settlement/1", "en"), "Rosario centro", "<strong>$ 0.00</strong>")
	seen := map[string]bool{}
	pages := 0
	for at := "/draws/nocturna/settlement"; at != ""; pages++ {
		text := d.page(at, "en")
		for _, m := range regexp.MustCompile(`settlement/(\d+)">`).FindAllStringSubmatch(text, -1) {
			if seen[m[1]] {
				t.Fatalf("agency %s twice", m[1])
			}
			seen[m[1]] = true
		}
		if got := rowOf(text, "Total of the draw"); !strings.HasPrefix(got, "451 | $ 569.50 | ") {
			t.Errorf("%s: the total is %s", at, got)
		}
		at = ""
		if m := regexp.MustCompile(`<a href="(\?from=[^"#]+)#settlement" rel="next"`).FindStringSubmatch(text); m != nil {
			at = "/draws/nocturna/settlement" + m[1]
		}
	}
	if len(seen) != 451 || pages != 3 {
		t.Errorf("%d agencies on %d pages", len(seen), pages)
	}
	wants(t, "too far", d.page("/draws/nocturna/settlement?from=499", "en"), `settlement/0"`)
	wants(t, "back", d.page("/draws/nocturna/settlement?from=300", "en"), `<a href="?from=0#settlement" rel="prev"`)
	// The lists of the draw's page lead back to the bets without an agency too.
	wants(t, "winners", d.page("/draws/nocturna?winners=300", "en"), `<a href="?winners=0#winners" rel="prev"`)
	wants(t, "agencies", d.page("/draws/nocturna?from=200", "en"), `<a href="?from=0#agencies" rel="prev"`)
	_, _, text := d.ask(d.inner.URL, "GET", "/draws/nocturna/settlement.csv", "")
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) != 452 {
		t.Errorf("%d rows, %v", len(all), err)
	}
}

// The table of winners has what they are paid in this game, and is as it was in the other.
func TestTheTableOfWinnersHasWhatTheyArePaid(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.drawn()
	d.evening(`{"cap":4}`)
	d.paid()
	for path, want := range map[string]string{
		"/draws/1/winners.csv":        "agency,name,winners\n1,Rosario centro,1\n",
		"/draws/nocturna/winners.csv": "agency,name,winners,due,paid\n1,Rosario centro,2,3383.80,944.05\n2,,1,700.00,195.29\n",
	} {
		if _, _, text := d.ask(d.inner.URL, "GET", path, ""); text != want {
			t.Errorf("%s: %s", path, cmp.Diff(want, text))
		}
	}
}

// Of an open draw a stranger sees on no page what is staked. Who has logged in does.
func TestNoPageTellsStrangersWhatIsStaked(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.post("/api/v1/draws", `{"id":"nocturna","agencies":1,"source":"notary","game":"quiniela"}`, 201)
	d.bet(2, 1, "Ana,Paz,30904465,1990-01-01,62,123.45,1-20\n")
	staked := `123[.,]?45`
	pages := []string{"/", "/draws/nocturna", "/draws", "/draws/nocturna/act", "/draws/nocturna/settlement", "/draws/nocturna/settlement/1", "/draws/nocturna/settlement.csv",
		"/draws/nocturna/prizes.csv", "/draws/nocturna/winners.csv", "/resultados/nocturna", "/api/v1/draws/nocturna", "/api/v1/draws/nocturna/payouts", "/api/v1/events?draw=nocturna"}
	for _, path := range pages {
		if text := d.begin(d.server.URL, path); shows(text, staked) {
			t.Errorf("%s tells a stranger what is staked:\n%s", path, text)
		}
	}
	for _, path := range []string{"/draws/nocturna", "/draws/nocturna/act", "/draws/nocturna/settlement", "/draws/nocturna/settlement/1", "/api/v1/events?draw=nocturna"} {
		if text := d.begin(d.inner.URL, path); !shows(text, staked) {
			t.Errorf("%s does not tell the operator what is staked:\n%s", path, text)
		}
	}
}
