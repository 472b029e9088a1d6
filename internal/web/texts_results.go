package web

// resultTexts are the texts of the pages of results in one language. They are for bettors: plain words, and no word of the program.
type resultTexts struct {
	Clock string // the form of a time, as package time has it

	Title, Find, FindHelp, Name, Show, Newest, None, Absent string

	// The draw.
	Number, Open, OpenUntil, Waiting, NumberAt, Winners, Bets, Prizes, Closed, Drawn, Note string

	// What the game quiniela pays.
	Pays, PaysHelp string

	Check, CheckHelp, CheckUnlogged string

	How, Fixed, Notary, NotaryTwo, ExtractIs, NoExtract, Beacon, BeaconRound, BeaconWas, BeaconWill, Late, SeeRound, Again, AgainHelp, Opening string

	Witnesses, Witnessed, TooFew, Unattended, NotSealed, Unlogged, WitnessHelp string

	Share, ShareHelp, Whole string
}

// resultTextsIn returns the texts in a language: es or en.
func resultTextsIn(lang string) resultTexts {
	if lang == english.Lang {
		return resultsEnglish
	}
	return resultsSpanish
}

var resultsSpanish = resultTexts{
	Clock: "02/01/2006 15:04:05 MST",

	Title:    "Resultados",
	Find:     "Buscar un sorteo",
	FindHelp: "El nombre está en su comprobante, por ejemplo 2026-11-24-nocturna. Una parte alcanza.",
	Name:     "Nombre del sorteo",
	Show:     "Ver el resultado",
	Newest:   "Los últimos sorteos",
	None:     "Todavía no hay ningún sorteo.",
	Absent:   "Ningún sorteo se llama así:",

	Number:    "Salió el",
	Open:      "Todavía se puede apostar.",
	OpenUntil: "Se puede apostar hasta el",
	Waiting:   "Las apuestas están cerradas. El número todavía no salió.",
	NumberAt:  "El número sale de un faro público el",
	Winners:   "Apuestas ganadoras",
	Bets:      "Apuestas",
	Prizes:    "Los veinte premios",
	Closed:    "Cierre de las apuestas",
	Drawn:     "Sorteado",
	Note:      "Motivo del cierre",

	Pays:     "Cuánto se paga",
	PaysHelp: "Una apuesta acierta cuando un premio al que va termina en sus cifras. A un solo premio, como a la cabeza, que es el primero, se paga:",

	Check:         "Comprobar mi comprobante",
	CheckHelp:     "Escanee con la cámara del teléfono el código de su comprobante, o toque el botón y elija el archivo que le dio la agencia. Su comprobante no sale del teléfono.",
	CheckUnlogged: "Este sorteo no está en un registro público: sus apuestas no se pueden comprobar aquí.",

	How:         "Cómo sale el número",
	Fixed:       "El número estaba fijado desde que se abrió el sorteo: cualquiera lo sabía de antemano. Así son los sorteos de ejercicio.",
	Notary:      "Una persona autorizada lo ingresa de un extracto oficial.",
	NotaryTwo:   "Dos personas autorizadas lo ingresan de un extracto oficial, cada una sin ver lo que ingresó la otra.",
	ExtractIs:   "Huella (SHA-256) del extracto entregado: quien tenga el extracto puede compararla.",
	NoExtract:   "El extracto no se entregó, así que aquí no se puede comparar con él.",
	Beacon:      "El número sale de un faro público, drand. Lo sostienen organizaciones de varios países, que cada tres segundos firman juntas una ronda. Nadie puede conocer una firma de antemano ni elegirla, tampoco la lotería.",
	BeaconRound: "La ronda se fijó al abrir el sorteo. Es la número",
	BeaconWas:   "y se firmó el",
	BeaconWill:  "y se firma el",
	Late:        "Atención: el cierre se escribió cuando la ronda ya era pública. Nadie puede demostrar que no se agregaron apuestas conociendo el número.",
	SeeRound:    "Ver la ronda en drand, fuera de este sitio",
	Again:       "Hacer la cuenta de nuevo",
	AgainHelp:   "Cualquiera puede calcular otra vez el número, los ganadores y los totales con lo publicado:",
	Opening:     "Lo que se fijó al abrir el sorteo",

	Witnesses:   "Quiénes vieron el cierre",
	Witnessed:   "Firmaron el cierre, con la hora de sus propios relojes:",
	TooFew:      "Todavía firmaron demasiado pocos testigos. Se les vuelve a pedir la firma.",
	Unattended:  "Ningún testigo: de la hora del cierre sólo hay la palabra del operador.",
	NotSealed:   "El cierre todavía no se publicó.",
	Unlogged:    "Ningún testigo: este sorteo no está en un registro público.",
	WitnessHelp: "Esta lista la muestra el operador. Las firmas se comprueban con las claves de los testigos, que usted debe tener de otra fuente: del boletín oficial o de quien controla la lotería.",

	Share:     "Esta página",
	ShareHelp: "El código lleva a esta página.",
	Whole:     "Ganadores por agencia",
}

var resultsEnglish = resultTexts{
	Clock: "2 Jan 2006 15:04:05 MST",

	Title:    "Results",
	Find:     "Find a draw",
	FindHelp: "The name is on your receipt, such as 2026-11-24-nocturna. A part of it is enough.",
	Name:     "Name of the draw",
	Show:     "Show the result",
	Newest:   "The last draws",
	None:     "There is no draw yet.",
	Absent:   "No draw has this name:",

	Number:    "The number is",
	Open:      "Bets are still taken.",
	OpenUntil: "Bets are taken until",
	Waiting:   "Bets are closed. The number is not known yet.",
	NumberAt:  "The number comes from a public beacon at",
	Winners:   "Winning bets",
	Bets:      "Bets",
	Prizes:    "All twenty prizes",
	Closed:    "Bets were closed",
	Drawn:     "Drawn",
	Note:      "Why it was closed",

	Pays:     "What is paid",
	PaysHelp: "A bet hits when a prize that it is on ends in its digits. At a single prize, such as the head, which is the first, it is paid:",

	Check:         "Check my receipt",
	CheckHelp:     "Scan the code of your receipt with your phone's camera, or press the button and choose the file that the agency gave you. Your receipt does not leave your phone.",
	CheckUnlogged: "This draw is in no public log: its bets cannot be checked here.",

	How:         "How the number is drawn",
	Fixed:       "The number was fixed when the draw was opened: everybody knew it beforehand. Draws for exercises are like this.",
	Notary:      "An authorised person enters it from an official extract.",
	NotaryTwo:   "Two authorised persons enter it from an official extract, each without seeing what the other entered.",
	ExtractIs:   "Fingerprint (SHA-256) of the extract that was handed in: whoever has the extract can compare it.",
	NoExtract:   "The extract was not handed in, so nothing here can be compared with it.",
	Beacon:      "The number comes from a public beacon, drand. Organisations of several countries run it, and sign a round together every three seconds. Nobody can know a signature beforehand or choose it, and the lottery cannot either.",
	BeaconRound: "The round was fixed when the draw was opened. It is number",
	BeaconWas:   "and was signed at",
	BeaconWill:  "and will be signed at",
	Late:        "Attention: the closing was written when the round was public already. Nobody can prove that no bet was added by somebody who knew the number.",
	SeeRound:    "See the round at drand, outside this site",
	Again:       "Do the sums again",
	AgainHelp:   "Anybody can compute the number, the winners and the totals again from what is published:",
	Opening:     "What was fixed at the opening",

	Witnesses:   "Who saw the closing",
	Witnessed:   "These signed the closing, with the time of their own clocks:",
	TooFew:      "Too few witnesses have signed so far. They are asked again.",
	Unattended:  "No witness: for the time of the closing there is only the operator's word.",
	NotSealed:   "The closing is not published yet.",
	Unlogged:    "No witness: this draw is in no public log.",
	WitnessHelp: "The operator shows this list. The signatures are checked with the witnesses' keys, which you must have from another source: the official bulletin, or whoever supervises the lottery.",

	Share:     "This page",
	ShareHelp: "The code leads to this page.",
	Whole:     "Winners by agency",
}
