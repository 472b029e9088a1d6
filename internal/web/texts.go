package web

// texts are the texts of all pages in one language: those that several pages have, of draws, and of each other subject. The names that
// begin with At are the parts of a page in its address, behind "#".
type texts struct {
	verifyTexts
	formTexts
	deskTexts
	gameTexts
	Lang            string
	Title           string
	Skip            string
	Draws           string
	Draw            string
	State           string
	Open            string
	Sealed          string
	Drawn           string
	Bets            string
	Batches         string
	Agencies        string
	Agency          string
	Finished        string
	Sending         string
	Waiting         string
	Absent          string // an agency that had not finished when the draw was closed
	AgenciesDone    string
	Of              string
	Opened          string
	Closes          string
	Closed          string
	ByAgencies      string
	ByTime          string
	ByOperator      string
	Note            string
	WinningNumber   string
	Winners         string
	Documents       string
	NoWinners       string
	NotDrawn        string
	DocumentsHidden string
	FiguresHidden   string
	Forgotten       string
	And             string
	Rate            string
	RateNow         string
	RateTop         string
	RateHelp        string
	Numbers         string
	NumbersHelp     string
	MostPlayed      string
	Number          string
	Before          string
	After           string
	AsTable         string
	Range           string
	Login           string
	LoginShort      string
	Logout          string
	Name            string
	Key             string
	KeyHelp         string
	WrongKey        string
	Empty           string
	EmptyHelp       string
	Missing         string
	Live            string
	Lost            string
	Footer          string
	Results         string
	ResultsOfDraw   string
	When            string
	All             string
	Prizes          string
	Round           string
	AtMain          string
	AtDraws         string
	AtWinners       string
	AtAgencies      string
	Language        string
	Verify          string
}

var spanish = texts{
	verifyTexts:     spanishVerify,
	formTexts:       spanishForm,
	deskTexts:       spanishDesk,
	gameTexts:       spanishGame,
	Lang:            "es",
	Title:           "Quiniela",
	Skip:            "Ir al contenido",
	Draws:           "Sorteos",
	Draw:            "Sorteo",
	State:           "Estado",
	Open:            "abierto",
	Sealed:          "cerrado, sin resultado",
	Drawn:           "sorteado",
	Bets:            "Apuestas",
	Batches:         "Lotes",
	Agencies:        "Agencias",
	Agency:          "Agencia",
	Finished:        "Terminó",
	Sending:         "Enviando",
	Waiting:         "Sin apuestas",
	Absent:          "Faltó",
	AgenciesDone:    "Agencias que terminaron",
	Of:              "de",
	Opened:          "Abrió",
	Closes:          "Cierra",
	Closed:          "Cerró",
	ByAgencies:      "al terminar la última agencia",
	ByTime:          "a la hora de cierre",
	ByOperator:      "por decisión del operador",
	Note:            "Motivo",
	WinningNumber:   "Número ganador",
	Winners:         "Ganadores",
	Documents:       "Documentos",
	NoWinners:       "Nadie acertó el número.",
	NotDrawn:        "El sorteo todavía no se realizó.",
	DocumentsHidden: "Los documentos los ven solamente quienes hacen el sorteo.",
	FiguresHidden:   "Lo que se vende, por agencia y por número y en vivo, lo ve el operador al ingresar con su clave.",
	And:             "y otros",
	Forgotten:       "Quiénes ganaron ya se borró.",
	Rate:            "Apuestas por segundo",
	RateNow:         "ahora",
	RateTop:         "como máximo",
	RateHelp:        "En el último minuto, mientras esta página está abierta.",
	Numbers:         "Números jugados",
	NumbersHelp:     "Cada barra son cien números seguidos, del 0000 al 9999.",
	MostPlayed:      "Los más jugados",
	Number:          "Número",
	Before:          "Anteriores",
	After:           "Siguientes",
	AsTable:         "Ver como tabla",
	Range:           "Números",
	Login:           "Ingresar",
	LoginShort:      "Ingresar",
	Logout:          "Salir",
	Name:            "Nombre",
	Key:             "Clave",
	KeyHelp:         "Cada persona tiene un nombre y una clave. Los da quien administra el servidor, con",
	WrongKey:        "Ese nombre y esa clave no van juntos.",
	Empty:           "Todavía no hay ningún sorteo.",
	EmptyHelp:       "Abra uno con",
	Missing:         "No hay un sorteo con ese nombre.",
	Live:            "en vivo",
	Lost:            "sin conexión, reintentando",
	Footer:          "Los mismos datos en JSON",
	Results:         "Resultados",
	ResultsOfDraw:   "El resultado, explicado para apostadores y para imprimir",
	When:            "Realizado",
	All:             "Todos los sorteos",

	Prizes:     "Los veinte premios",
	Round:      "El número sale de un faro público, de la ronda que firma el",
	AtMain:     "contenido",
	AtDraws:    "sorteos",
	AtWinners:  "ganadores",
	AtAgencies: "agencias",
	Language:   "Idioma",
	Verify:     "Verificar un comprobante",
}

var english = texts{
	verifyTexts:     englishVerify,
	formTexts:       englishForm,
	deskTexts:       englishDesk,
	gameTexts:       englishGame,
	Lang:            "en",
	Title:           "Quiniela",
	Skip:            "Skip to the content",
	Draws:           "Draws",
	Draw:            "Draw",
	State:           "State",
	Open:            "open",
	Sealed:          "closed, no result yet",
	Drawn:           "drawn",
	Bets:            "Bets",
	Batches:         "Batches",
	Agencies:        "Agencies",
	Agency:          "Agency",
	Finished:        "Finished",
	Sending:         "Sending",
	Waiting:         "No bets yet",
	Absent:          "Missing",
	AgenciesDone:    "Agencies that have finished",
	Of:              "of",
	Opened:          "Opened",
	Closes:          "Closes",
	Closed:          "Closed",
	ByAgencies:      "when the last agency finished",
	ByTime:          "at its closing time",
	ByOperator:      "by the operator's decision",
	Note:            "Reason",
	WinningNumber:   "Winning number",
	Winners:         "Winners",
	Documents:       "Documents",
	NoWinners:       "Nobody played the number.",
	NotDrawn:        "The draw has not been held yet.",
	DocumentsHidden: "Only those who run the draw see the documents.",
	FiguresHidden:   "What is sold, live, by agency and by number, is for the operator, who logs in with the key.",
	And:             "and another",
	Forgotten:       "Who won has been deleted.",
	Rate:            "Bets per second",
	RateNow:         "now",
	RateTop:         "at most",
	RateHelp:        "Over the last minute, while this page is open.",
	Numbers:         "Numbers played",
	NumbersHelp:     "Each bar is a hundred numbers in a row, from 0000 to 9999.",
	MostPlayed:      "Played most",
	Number:          "Number",
	Before:          "Previous",
	After:           "Next",
	AsTable:         "Show as a table",
	Range:           "Numbers",
	Login:           "Log in",
	LoginShort:      "Log in",
	Logout:          "Log out",
	Name:            "Name",
	Key:             "Key",
	KeyHelp:         "Each person has a name and a key. Whoever runs the server gives them, with",
	WrongKey:        "That name and that key do not go together.",
	Empty:           "There is no draw yet.",
	EmptyHelp:       "Open one with",
	Missing:         "There is no draw with that name.",
	Live:            "live",
	Lost:            "connection lost, trying again",
	Footer:          "The same data as JSON",
	Results:         "Results",
	ResultsOfDraw:   "The result, explained for bettors and to print",
	When:            "Held",
	All:             "All draws",

	Prizes:     "All twenty prizes",
	Round:      "The number comes from a public beacon, from the round signed at",
	AtMain:     "content",
	AtDraws:    "draws",
	AtWinners:  "winners",
	AtAgencies: "agencies",
	Language:   "Language",
	Verify:     "Check a receipt",
}

// StateOf returns the name of a draw's state.
func (t texts) StateOf(state string) string {
	switch state {
	case "open":
		return t.Open
	case "sealed":
		return t.Sealed
	}
	return t.Drawn
}

// By says what closed a draw.
func (t texts) By(by string) string {
	switch by {
	case "time":
		return t.ByTime
	case "operator":
		return t.ByOperator
	}
	return t.ByAgencies
}

// AgencyState returns the name of Agency.State.
func (t texts) AgencyState(state string) string {
	switch state {
	case "finished":
		return t.Finished
	case "sending":
		return t.Sending
	case "missing":
		return t.Absent
	}
	return t.Waiting
}

// SourceOf says where a draw's number comes from.
func (t texts) SourceOf(d Draw) string {
	switch {
	case d.Source == "beacon":
		return t.FromBeacon
	case d.Source == "fixed":
		return t.FromFixed
	case d.Two:
		return t.FromNotaries
	}
	return t.FromNotary
}
