package web

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"quiniela"
)

// gameTexts are the texts about the game quiniela: its terms, the twenty numbers of its extract, and its money. Those with % are formats.
type gameTexts struct {
	// Terms in words.
	GameMoney  string
	Pays       string // the four multipliers
	PaysOnce   string // one of them: how many digits, and how many times
	PaysRange  string
	StakesFrom string
	StakesTo   string
	StakesAny  string
	CapOf      string
	CapNone    string
	ShareIs    string

	// The form for a new draw.
	GameHint     string
	TermsTitle   string
	TimesTitle   string
	TimesHint    string
	Digits       [quiniela.MaxDigits]string
	MinStake     string
	MaxStake     string
	StakeHint    string
	MaxHint      string
	Cap          string
	CapHint      string
	WrongGame    string
	WrongFixed   string // the source fixed with this game
	WrongTimes   string
	WrongPesos   string
	WrongBetween string

	// The form for an extract.
	EnterExtract  string
	ExtractIntro  string
	ExtractTwo    string
	TwentyNumbers string
	TwentyHint    string
	EitherFile    string
	EitherHint    string
	FileRead      string
	WrongPrizes   string
	WrongFile     string
	WrongLarge    string
	WrongNotFile  string

	// Money, of a draw and of each agency.
	Staked          string
	Due             string
	Paid            string
	Balance         string
	Total           string
	DueHelp         string
	NoPrizes        string
	LastTwo         string
	LastTwoHelp     string
	OneDigit        string
	Settlement      string
	SettlementHelp  string
	SettlementEarly string
	SettlementEmpty string
	SettlementCSV   string
	PrizesCSV       string
	Sheet           string
	SheetAgency     string
	SheetLottery    string
	NoMoney         string
	NoMoneyHelp     string
	NoResult        string
	NoResultHelp    string
	NoSuchAgency    string
	AtSettlement    string
}

var spanishGame = gameTexts{
	GameMoney:  "Quiniela con premios en pesos",
	Pays:       "Un acierto a un solo premio paga %s veces lo apostado con una cifra, %s con dos, %s con tres y %s con cuatro.",
	PaysOnce:   "%s: %s veces lo apostado",
	PaysRange:  "A varios premios se paga cada acierto, dividido por la cantidad de premios a los que va la apuesta.",
	StakesFrom: "Apuesta mínima: %s.",
	StakesTo:   "Máxima: %s.",
	StakesAny:  "Sin máxima.",
	CapOf:      "Tope de banca: si los premios suman más de %s veces lo apostado en el sorteo, todos se pagan en la misma proporción.",
	CapNone:    "Sin tope de banca: cada premio se paga entero.",
	ShareIs:    "Los premios suman %s, más que el tope de %s veces lo apostado, que es %s. De cada premio se paga la misma parte, el %s\u00a0%%.",

	GameHint:     "Con premios en pesos, cada apuesta tiene un monto y va a las últimas cifras, de una a cuatro, de uno o varios de los veinte premios.",
	TermsTitle:   "Premios en pesos",
	TimesTitle:   "Cuántas veces lo apostado paga un acierto a un solo premio",
	TimesHint:    "Números enteros. A varios premios se divide por la cantidad de ellos.",
	Digits:       [...]string{"Una cifra", "Dos cifras", "Tres cifras", "Cuatro cifras"},
	MinStake:     "Apuesta mínima, en pesos",
	MaxStake:     "Apuesta máxima, en pesos",
	StakeHint:    "Como 100 o 100,50.",
	MaxHint:      "Vacío: sin máxima.",
	Cap:          "Tope de banca, en veces lo apostado",
	CapHint:      "Vacío: sin tope. Si los premios suman más que tantas veces lo apostado en el sorteo, todos se pagan en la misma proporción.",
	WrongGame:    "Elija el juego.",
	WrongFixed:   "El número no se puede fijar ahora en un sorteo con premios en pesos: necesita los veinte. Elija una persona o el faro.",
	WrongTimes:   "Escriba un número entero, de 1 a 1000000.",
	WrongPesos:   "Escriba pesos, como 100 o 100,50: cifras sin puntos entre los miles, y hasta dos decimales.",
	WrongBetween: "Este monto va de %s a %s.",

	EnterExtract:  "Ingresar el extracto",
	ExtractIntro:  "El extracto se ingresa una sola vez y no se puede cambiar.",
	ExtractTwo:    "Este sorteo necesita dos personas. El extracto vale cuando las dos ingresaron los mismos veinte números, cada una leyéndolo por su cuenta.",
	TwentyNumbers: "Los veinte números, en el orden del extracto",
	TwentyHint:    "Las cuatro cifras de cada uno, como 0042.",
	EitherFile:    "Extracto oficial, si lo tiene como archivo",
	EitherHint:    "Un archivo .csv o .txt con los veinte números, uno por línea como 0042, o como 6,0042, llena los campos: se lo muestra para que lo mire, y todavía no ingresa nada. Cualquier otro documento, como un PDF firmado, se envía junto con los números. Del archivo se publica su SHA-256, y no se guarda.",
	FileRead:      "Los veinte números son los del archivo. Mírelos, y envíelos para ingresarlos: todavía no se ingresó nada.",
	WrongPrizes:   "Van las cuatro cifras, de 0000 a 9999. Corrija los premios:",
	WrongFile:     "El archivo no se pudo leer como extracto, y no se ingresó nada.",
	WrongLarge:    "El archivo tiene más de 4 kB: van veinte líneas como 6,0042. No se ingresó nada.",
	WrongNotFile:  "Estos premios no son los del archivo, que ya no cuenta. Mire los números y envíelos otra vez, o elija el archivo correcto. Premios:",

	Staked:          "Apostado",
	Due:             "Premios",
	Paid:            "Se paga",
	Balance:         "Saldo",
	Total:           "Total del sorteo",
	DueHelp:         "Premios: cuánto suman antes del tope de banca. Se paga: lo que cobran las apuestas ganadoras. Saldo: lo apostado menos lo que se paga; bajo cero lo debe la lotería.",
	NoPrizes:        "Ninguna apuesta ganó.",
	LastTwo:         "Dos últimas cifras",
	LastTwoHelp:     "Cada barra son las apuestas con esas dos últimas cifras, del 00 al 99, tengan dos, tres o cuatro. Las de una sola cifra no están en el gráfico.",
	OneDigit:        "Apuestas a una sola cifra",
	Settlement:      "Liquidación",
	SettlementHelp:  "Cada agencia tiene su hoja, para imprimir y firmar.",
	SettlementEarly: "El sorteo no se realizó todavía: no hay premios, y esta liquidación no está completa.",
	SettlementEmpty: "Ninguna agencia tiene apuestas.",
	SettlementCSV:   "Liquidación (CSV)",
	PrizesCSV:       "Cada apuesta ganadora (CSV)",
	Sheet:           "Liquidación de la agencia",
	SheetAgency:     "Por la agencia",
	SheetLottery:    "Por la lotería",
	NoMoney:         "Este sorteo no tiene liquidación.",
	NoMoneyHelp:     "Sus apuestas no tienen monto ni premios en pesos.",
	NoResult:        "Este sorteo no se realizó todavía.",
	NoResultHelp:    "La tabla estará cuando tenga su resultado.",
	NoSuchAgency:    "Este sorteo no espera a esa agencia.",
	AtSettlement:    "liquidacion",
}

var englishGame = gameTexts{
	GameMoney:  "Quiniela with prizes in pesos",
	Pays:       "A hit at a single prize pays %s times the stake with one digit, %s with two, %s with three and %s with four.",
	PaysOnce:   "%s: %s times the stake",
	PaysRange:  "A bet on several prizes is paid for each hit, divided by the number of prizes that it is on.",
	StakesFrom: "Least stake: %s.",
	StakesTo:   "Greatest: %s.",
	StakesAny:  "No greatest.",
	CapOf:      "Cap: if the prizes come to more than %s times what was staked in the draw, all are paid at the same share.",
	CapNone:    "No cap: each prize is paid in full.",
	ShareIs:    "The prizes come to %s, more than the cap of %s times what was staked, which is %s. The same part of each prize is paid, %s\u00a0%%.",

	GameHint:     "With prizes in pesos, each bet has a stake and is on the last digits, one to four, of one or more of the twenty prizes.",
	TermsTitle:   "Prizes in pesos",
	TimesTitle:   "How many times the stake a hit at a single prize pays",
	TimesHint:    "Whole numbers. A bet on several prizes is divided by how many they are.",
	Digits:       [...]string{"One digit", "Two digits", "Three digits", "Four digits"},
	MinStake:     "Least stake, in pesos",
	MaxStake:     "Greatest stake, in pesos",
	StakeHint:    "Such as 100 or 100.50.",
	MaxHint:      "Empty: none.",
	Cap:          "Cap, in times what was staked",
	CapHint:      "Empty: none. If the prizes come to more than so many times what was staked in the draw, all are paid at the same share.",
	WrongGame:    "Choose the game.",
	WrongFixed:   "The number of a draw with prizes in pesos cannot be fixed now: it needs all twenty. Choose a person or the beacon.",
	WrongTimes:   "Type a whole number, from 1 to 1000000.",
	WrongPesos:   "Type pesos, such as 100 or 100.50: digits without commas between the thousands, and at most two decimals.",
	WrongBetween: "This amount must be from %s to %s.",

	EnterExtract:  "Enter the extract",
	ExtractIntro:  "The extract is entered once and cannot be changed.",
	ExtractTwo:    "This draw needs two people. The extract counts once both have entered the same twenty numbers, each reading it on their own.",
	TwentyNumbers: "The twenty numbers, in the extract's order",
	TwentyHint:    "All four digits of each, such as 0042.",
	EitherFile:    "Official extract, if you have it as a file",
	EitherHint:    "A .csv or .txt file with the twenty numbers, one in a line such as 0042, or 6,0042, fills the fields: you are shown them to look at, and nothing is entered yet. Any other document, such as a signed PDF, is sent together with the numbers. The file's SHA-256 is published, and the file is not kept.",
	FileRead:      "The twenty numbers are those of the file. Look at them, and send them to enter them: nothing has been entered yet.",
	WrongPrizes:   "Each needs all four digits, from 0000 to 9999. Correct the prizes:",
	WrongFile:     "The file could not be read as an extract, and nothing was entered.",
	WrongLarge:    "The file has more than 4 kB: twenty lines such as 6,0042 are wanted. Nothing was entered.",
	WrongNotFile:  "These prizes are not those of the file, which no longer counts. Look at the numbers and send them again, or choose the right file. Prizes:",

	Staked:          "Staked",
	Due:             "Prizes",
	Paid:            "Paid",
	Balance:         "Balance",
	Total:           "Total of the draw",
	DueHelp:         "Prizes: what they come to before the cap. Paid: what the winning bets are paid. Balance: what was staked less what is paid; under zero the lottery owes it.",
	NoPrizes:        "No bet won.",
	LastTwo:         "Last two digits",
	LastTwoHelp:     "Each bar is the bets with these last two digits, from 00 to 99, whether they have two, three or four. Those on a single digit are not in the chart.",
	OneDigit:        "Bets on a single digit",
	Settlement:      "Settlement",
	SettlementHelp:  "Each agency has its sheet, to print and to sign.",
	SettlementEarly: "The draw has not been held yet: there are no prizes, and this settlement is not complete.",
	SettlementEmpty: "No agency has bets.",
	SettlementCSV:   "Settlement (CSV)",
	PrizesCSV:       "Each winning bet (CSV)",
	Sheet:           "Settlement of the agency",
	SheetAgency:     "For the agency",
	SheetLottery:    "For the lottery",
	NoMoney:         "This draw has no settlement.",
	NoMoneyHelp:     "Its bets have no stakes and no prizes in pesos.",
	NoResult:        "This draw has not been held yet.",
	NoResultHelp:    "The table will be there once it has its result.",
	NoSuchAgency:    "This draw does not expect that agency.",
	AtSettlement:    "settlement",
}

// pesos writes an amount of cents with a person's decimal sign.
func (t texts) decimals(cents uint64, whole func(string) string) string {
	pesos, rest, _ := strings.Cut(quiniela.FormatCents(cents), ".")
	sign := "."
	if t.Lang == "es" {
		sign = ","
	}
	return whole(pesos) + sign + rest
}

// Pesos writes an amount, as page.js does.
func (t texts) Pesos(cents uint64) string { return "$\u00a0" + t.decimals(cents, thousands) }

// Signed writes an amount that may be under zero.
func (t texts) Signed(cents int64) string {
	if cents < 0 {
		return "\u2212" + t.Pesos(-uint64(cents))
	}
	return t.Pesos(uint64(cents))
}

// typed writes an amount as a person would type it into a form.
func (t texts) typed(cents uint64) string {
	return strings.TrimRight(strings.TrimSuffix(t.decimals(cents, func(s string) string { return s }), "00"), ".,")
}

// GameOf names a draw's game.
func (t texts) GameOf(terms *quiniela.Terms) string {
	if terms == nil {
		return t.GameName
	}
	return t.GameMoney
}

// TermsOf says the terms of the game quiniela in sentences, beside what it pays.
func (t texts) TermsOf(terms *quiniela.Terms) []string {
	stakes := fmt.Sprintf(t.StakesFrom, t.Pesos(terms.MinStake)) + " "
	if terms.MaxStake == 0 {
		stakes += t.StakesAny
	} else {
		stakes += fmt.Sprintf(t.StakesTo, t.Pesos(terms.MaxStake))
	}
	limit := t.CapNone
	if terms.Cap != 0 {
		limit = fmt.Sprintf(t.CapOf, times(terms.Cap))
	}
	return []string{t.PaysRange, stakes, limit}
}

// PaysOf says the multipliers in one sentence.
func (t texts) PaysOf(terms *quiniela.Terms) string {
	m := terms.Multipliers
	return fmt.Sprintf(t.Pays, times(m[0]), times(m[1]), times(m[2]), times(m[3]))
}

// PaysEach says each multiplier in words, for 1 to 4 digits.
func (t texts) PaysEach(terms *quiniela.Terms) (all []string) {
	for i, m := range terms.Multipliers {
		all = append(all, fmt.Sprintf(t.PaysOnce, t.Digits[i], times(m)))
	}
	return all
}

func times(n uint32) string { return thousands(strconv.FormatUint(uint64(n), 10)) }

// ShareOf says at which share the prizes of a drawn draw are paid; "" where they are paid in full.
func (t texts) ShareOf(d Draw) string {
	if d.Payout == nil || d.Pool == 0 {
		return ""
	}
	return fmt.Sprintf(t.ShareIs, t.Pesos(d.Due), times(d.Terms.Cap), t.Pesos(d.Pool), t.percent(d.Pool, d.Due))
}

// percent is a part in hundredths, with two decimals, truncated as the prizes are.
func (t texts) percent(part, of uint64) string {
	n := new(big.Int).SetUint64(part)
	n.Mul(n, big.NewInt(10000)).Div(n, new(big.Int).SetUint64(of))
	return t.decimals(n.Uint64(), thousands)
}

// NothingWon says that nobody has won.
func (t texts) NothingWon(d Draw) string {
	if d.Terms != nil {
		return t.NoPrizes
	}
	return t.NoWinners
}

// EnterOf is what entering a draw's number is called.
func (t texts) EnterOf(d Draw) string {
	if d.Terms != nil {
		return t.EnterExtract
	}
	return t.EnterNumber
}
