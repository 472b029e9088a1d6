package web

// deskTexts are the texts of the pages for those who run the lottery: the list of draws, agencies, the trail, backups and the act of a draw.
type deskTexts struct {
	Menu            string
	Search          string
	SearchName      string
	AnyState        string
	WaitingState    string
	NothingFound    string
	WaitTitle       string
	WaitHere        string
	WaitSecond      string
	Newest          string
	Older           string
	ClosesIn        string
	Closing         string
	Minutes         string
	Seen            string
	StillMissing    string
	WasMissing      string
	Others          string
	NumberSource    string
	FromNotary      string
	FromNotaries    string
	FromBeacon      string
	FromFixed       string
	EnteredBy       string
	WinnersCSV      string
	DocumentsCSV    string
	Print           string
	HighestBar      string
	Trail           string
	TrailIntro      string
	Who             string
	What            string
	At              string
	About           string
	From            string
	NotDone         string
	Stranger        string
	NoActs          string
	Everything      string
	TrailCSV        string
	BackupsTitle    string
	BackupsNone     string
	BackupNewest    string
	BackupNever     string
	BackupNext      string
	BackupCount     string
	BackupFailed    string
	BackupOld       string
	BackupActs      string
	RecordTitle     string
	RecordLink      string
	RecordOpen      string
	RecordTerms     string
	RecordResult    string
	RecordActs      string
	RecordExpected  string
	RecordNever     string
	RecordNone      string
	RecordExtract   string
	RecordNoExtract string
	RecordPrinted   string
	RecordSign      string
	RecordOperator  string
	RecordNotary    string
	RecordEntered   string
	FooterZone      string
	FooterVersion   string
}

var spanishDesk = deskTexts{
	Menu:            "Páginas",
	Search:          "Buscar",
	SearchName:      "Parte del nombre",
	AnyState:        "Todos",
	WaitingState:    "esperan su número",
	NothingFound:    "Ningún sorteo es así.",
	WaitTitle:       "Esperan su número",
	WaitHere:        "Este sorteo espera su número.",
	WaitSecond:      "Falta una segunda persona. La primera fue",
	Newest:          "Los más nuevos",
	Older:           "Anteriores",
	ClosesIn:        "Cierra en",
	Closing:         "Es la hora de cierre",
	Minutes:         "minutos",
	Seen:            "Último envío",
	StillMissing:    "Todavía no terminaron",
	WasMissing:      "Faltaron al cierre",
	Others:          "y otras",
	NumberSource:    "Número",
	FromNotary:      "lo ingresa una persona",
	FromNotaries:    "lo ingresan dos personas",
	FromBeacon:      "de un faro público",
	FromFixed:       "fijado al abrir",
	EnteredBy:       "Lo ingresó",
	WinnersCSV:      "Ganadores por agencia (CSV)",
	DocumentsCSV:    "Documentos (CSV)",
	Print:           "Imprimir",
	HighestBar:      "La barra más alta",
	Trail:           "Registro de actos",
	TrailIntro:      "Quién hizo qué, cuándo y desde dónde. Nadie puede borrar nada de aquí.",
	Who:             "Quién",
	What:            "Qué",
	At:              "Cuándo",
	About:           "Sobre",
	From:            "Desde",
	NotDone:         "No se hizo",
	Stranger:        "un desconocido",
	NoActs:          "No hay ningún acto así.",
	Everything:      "Todo",
	TrailCSV:        "Estos actos y todos los anteriores (CSV)",
	BackupsTitle:    "Copias de seguridad",
	BackupsNone:     "Este servidor no hace copias por sí mismo. Alguien las hace con",
	BackupNewest:    "Última copia",
	BackupNever:     "todavía ninguna",
	BackupNext:      "La próxima",
	BackupCount:     "Copias guardadas",
	BackupFailed:    "La última copia que tocaba no se hizo. El registro del servidor dice por qué.",
	BackupOld:       "La última copia tiene más de un día.",
	BackupActs:      "Copias hechas y restauradas",
	RecordTitle:     "Acta del sorteo",
	RecordLink:      "Acta para imprimir",
	RecordOpen:      "El sorteo no se realizó todavía. Esta acta no está completa.",
	RecordTerms:     "Apertura y cierre",
	RecordResult:    "Número y resultado",
	RecordActs:      "Actos registrados",
	RecordExpected:  "Agencias esperadas",
	RecordNever:     "no",
	RecordNone:      "ninguna",
	RecordExtract:   "SHA-256 del extracto oficial",
	RecordNoExtract: "no se entregó",
	RecordPrinted:   "Impresa",
	RecordSign:      "Firmas",
	RecordOperator:  "Por la operación del sorteo",
	RecordNotary:    "Escribano o autoridad",
	RecordEntered:   "Ingresó el número",
	FooterZone:      "Horas de",
	FooterVersion:   "Versión",
}

var englishDesk = deskTexts{
	Menu:            "Pages",
	Search:          "Search",
	SearchName:      "Part of the name",
	AnyState:        "All",
	WaitingState:    "wait for their number",
	NothingFound:    "No draw is like that.",
	WaitTitle:       "Waiting for their number",
	WaitHere:        "This draw waits for its number.",
	WaitSecond:      "A second person is missing. The first one was",
	Newest:          "The newest",
	Older:           "Older",
	ClosesIn:        "Closes in",
	Closing:         "It is the closing time",
	Minutes:         "minutes",
	Seen:            "Last heard",
	StillMissing:    "Not finished yet",
	WasMissing:      "Missing at the closing",
	Others:          "and others:",
	NumberSource:    "Number",
	FromNotary:      "a person enters it",
	FromNotaries:    "two people enter it",
	FromBeacon:      "from a public beacon",
	FromFixed:       "fixed at the opening",
	EnteredBy:       "Entered by",
	WinnersCSV:      "Winners by agency (CSV)",
	DocumentsCSV:    "Documents (CSV)",
	Print:           "Print",
	HighestBar:      "The highest bar",
	Trail:           "Audit trail",
	TrailIntro:      "Who did what, when and from where. Nobody can delete anything here.",
	Who:             "Who",
	What:            "What",
	At:              "When",
	About:           "About",
	From:            "From",
	NotDone:         "Not done",
	Stranger:        "a stranger",
	NoActs:          "There is no such act.",
	Everything:      "Everything",
	TrailCSV:        "These acts and all older ones (CSV)",
	BackupsTitle:    "Backups",
	BackupsNone:     "This server makes no backups by itself. Somebody makes them with",
	BackupNewest:    "Newest backup",
	BackupNever:     "none yet",
	BackupNext:      "The next one",
	BackupCount:     "Backups kept",
	BackupFailed:    "The last backup that was due was not made. The server's log says why.",
	BackupOld:       "The newest backup is more than a day old.",
	BackupActs:      "Backups made and restored",
	RecordTitle:     "Record of the draw",
	RecordLink:      "Record to print",
	RecordOpen:      "The draw has not been held yet. This record is not complete.",
	RecordTerms:     "Opening and closing",
	RecordResult:    "Number and result",
	RecordActs:      "Recorded acts",
	RecordExpected:  "Agencies expected",
	RecordNever:     "no",
	RecordNone:      "none",
	RecordExtract:   "SHA-256 of the official extract",
	RecordNoExtract: "not handed in",
	RecordPrinted:   "Printed",
	RecordSign:      "Signatures",
	RecordOperator:  "For the operation of the draw",
	RecordNotary:    "Notary or authority",
	RecordEntered:   "Entered the number",
	FooterZone:      "Times of",
	FooterVersion:   "Version",
}
