package web

// texts are the texts of all pages in one language. verify.js splits VerifyStates and VerifyKinds at "|".
type texts struct {
	Lang             string
	Title            string
	Skip             string
	Draws            string
	Draw             string
	State            string
	Open             string
	Sealed           string
	Drawn            string
	Bets             string
	Batches          string
	Agencies         string
	Agency           string
	Finished         string
	Sending          string
	Waiting          string
	AgenciesDone     string
	Of               string
	Opened           string
	Closes           string
	Closed           string
	ByAgencies       string
	ByTime           string
	ByOperator       string
	Note             string
	WinningNumber    string
	Winners          string
	Documents        string
	NoWinners        string
	NotDrawn         string
	DocumentsHidden  string
	FiguresHidden    string
	Forgotten        string
	And              string
	Rate             string
	RateNow          string
	RateTop          string
	RateHelp         string
	Numbers          string
	NumbersHelp      string
	MostPlayed       string
	Number           string
	Before           string
	After            string
	AsTable          string
	Range            string
	Login            string
	LoginShort       string
	Logout           string
	Key              string
	KeyHelp          string
	WrongKey         string
	Empty            string
	EmptyHelp        string
	Missing          string
	Live             string
	Lost             string
	Footer           string
	When             string
	All              string
	Prizes           string
	Round            string
	Verify           string
	VerifyIntro      string
	VerifyFiles      string
	VerifyFilesHelp  string
	VerifyKey        string
	VerifyKeyHelp    string
	VerifyOwnKey     string
	VerifyOwnWarning string
	VerifyNoKey      string
	VerifyClear      string
	VerifySteps      string
	VerifyLoading    string
	VerifyReady      string
	VerifyBroken     string
	VerifyScript     string
	VerifyStates     string
	VerifyKinds      string
	VerifyUnknown    string
}

var spanish = texts{
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
	DocumentsHidden: "Solamente el operador ve los documentos.",
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
	Login:           "Ingresar como operador",
	LoginShort:      "Ingresar",
	Logout:          "Salir",
	Key:             "Clave del operador",
	KeyHelp:         "La clave está en el archivo operator.key, en la carpeta de datos del servidor.",
	WrongKey:        "Esa no es la clave.",
	Empty:           "Todavía no hay ningún sorteo.",
	EmptyHelp:       "Abra uno con",
	Missing:         "No hay un sorteo con ese nombre.",
	Live:            "en vivo",
	Lost:            "sin conexión, reintentando",
	Footer:          "Los mismos datos en JSON",
	When:            "Realizado",
	All:             "Todos los sorteos",

	Prizes:           "Los veinte premios",
	Round:            "El número sale de un faro público, de la ronda que firma el",
	Verify:           "Verificar un comprobante",
	VerifyIntro:      "Este programa corre en su navegador, y sus archivos no salen de esta página. Comprueba que la apuesta está en el registro de la lotería y, con el resultado del sorteo, si ganó.",
	VerifyFiles:      "Archivos",
	VerifyFilesHelp:  "El comprobante y, si los tiene, la política, el resultado del sorteo (outcome.json), la ronda del faro y un punto de control guardado. Elíjalos juntos o suéltelos aquí.",
	VerifyKey:        "Clave del registro",
	VerifyKeyHelp:    "Si no tiene una política: una línea, nombre+id+base64, tomada de un diario, del boletín oficial o de quien controla la lotería.",
	VerifyOwnKey:     "Usar la clave que publica este sitio",
	VerifyOwnWarning: "Atención: la clave viene del mismo sitio que el comprobante. Si el operador miente sobre las apuestas, también puede mentir sobre la clave. Compárela con otra fuente.",
	VerifyNoKey:      "Este sitio no publica una clave.",
	VerifyClear:      "Empezar de nuevo",
	VerifySteps:      "Lo que se comprobó",
	VerifyLoading:    "Cargando el verificador…",
	VerifyReady:      "Listo: elija el comprobante.",
	VerifyBroken:     "El verificador no se pudo cargar o se detuvo. Vuelva a cargar la página.",
	VerifyScript:     "Esta página necesita JavaScript. Sin él, use la orden",
	VerifyStates:     "correcto|FALLÓ|no se verificó",
	VerifyKinds:      "comprobante|resultado|política|clave|faro|punto de control",
	VerifyUnknown:    "no se reconoce",
}

var english = texts{
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
	DocumentsHidden: "Only the operator sees the documents.",
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
	Login:           "Log in as the operator",
	LoginShort:      "Log in",
	Logout:          "Log out",
	Key:             "Operator's key",
	KeyHelp:         "The key is in the file operator.key, in the server's data folder.",
	WrongKey:        "That is not the key.",
	Empty:           "There is no draw yet.",
	EmptyHelp:       "Open one with",
	Missing:         "There is no draw with that name.",
	Live:            "live",
	Lost:            "connection lost, trying again",
	Footer:          "The same data as JSON",
	When:            "Held",
	All:             "All draws",

	Prizes:           "All twenty prizes",
	Round:            "The number comes from a public beacon, from the round signed at",
	Verify:           "Check a receipt",
	VerifyIntro:      "This program runs in your browser, and your files do not leave this page. It checks that the bet is in the lottery's log and, with the draw's outcome, whether it won.",
	VerifyFiles:      "Files",
	VerifyFilesHelp:  "The receipt and, if you have them, the policy, the draw's outcome.json, the beacon's round and a checkpoint that you kept. Choose them together, or drop them here.",
	VerifyKey:        "The log's key",
	VerifyKeyHelp:    "If you have no policy: one line, name+id+base64, from a newspaper, an official bulletin or whoever supervises the lottery.",
	VerifyOwnKey:     "Use the key that this site publishes",
	VerifyOwnWarning: "Careful: this key comes from the same site as the receipt. An operator who lies about the bets can lie about the key too. Compare it with another source.",
	VerifyNoKey:      "This site publishes no key.",
	VerifyClear:      "Start again",
	VerifySteps:      "What was checked",
	VerifyLoading:    "Loading the verifier…",
	VerifyReady:      "Ready: choose the receipt.",
	VerifyBroken:     "The verifier could not be loaded, or it has stopped. Load the page again.",
	VerifyScript:     "This page needs JavaScript. Without it, use the command",
	VerifyStates:     "ok|FAILED|not checked",
	VerifyKinds:      "receipt|outcome|policy|key|beacon|checkpoint",
	VerifyUnknown:    "not recognised",
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
