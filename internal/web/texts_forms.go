package web

// formTexts are the texts of the forms: those with which a draw is opened, closed, and given its number. The names that begin with
// Wrong say what is wrong with a field.
type formTexts struct {
	OpenDraw          string
	OpenIntro         string
	Game              string
	GameName          string
	DrawName          string
	DrawNameHint      string
	DrawNameAgain     string
	AgenciesHint      string
	ClosesHint        string
	Source            string
	SourceNotary      string
	SourceBeacon      string
	SourceFixed       string
	FixedNumber       string
	FixedNumberHint   string
	TwoPeople         string
	TwoPeopleHint     string
	CloseDraw         string
	CloseIntro        string
	NoteHint          string
	ConfirmName       string
	EnterNumber       string
	EnterIntro        string
	EnterTwo          string
	EnteredByYou      string
	EnteredByOther    string
	NumberHint        string
	NumberAgain       string
	ExtractFile       string
	ExtractHint       string
	ExtractHintTwo    string
	ExtractTaken      string
	NotWaiting        string
	NotOpen           string
	Cancel            string
	Forbidden         string
	ForbiddenHelp     string
	SomethingWrong    string
	WrongID           string
	WrongAgain        string
	WrongTaken        string
	WrongAgencies     string
	WrongCloses       string
	WrongPast         string
	WrongSource       string
	WrongBeaconCloses string
	WrongNumber       string
	WrongAgainNumber  string
	WrongNoteEmpty    string
	WrongNote         string
	WrongClosed       string
	WrongDiffer       string
	WrongEntered      string
	WrongNameless     string
	WrongExtract      string
	WrongRefused      string
}

var spanishForm = formTexts{
	OpenDraw:          "Abrir un sorteo",
	OpenIntro:         "Nada de esto se puede cambiar después: los términos quedan escritos, y publicados, al abrir.",
	Game:              "Juego",
	GameName:          "Quiniela, números de cuatro cifras",
	DrawName:          "Nombre del sorteo",
	DrawNameHint:      "De 1 a 64 letras sin tilde, cifras, puntos o guiones, como 2026-11-24-nocturna.",
	DrawNameAgain:     "El nombre otra vez",
	AgenciesHint:      "Cuántas se esperan: las de número 1 hasta este. El sorteo se cierra cuando la última termina.",
	ClosesHint:        "Si tiene una: entonces se cierra aunque falten agencias. Zona horaria:",
	Source:            "De dónde sale el número",
	SourceNotary:      "Lo ingresa una persona después del cierre, tomado del extracto oficial",
	SourceBeacon:      "De un faro público: su primera ronda firmada después del cierre. Necesita hora de cierre",
	SourceFixed:       "Se fija ahora. Para ensayos, y no con premios en pesos",
	FixedNumber:       "Número, si se fija ahora",
	FixedNumberHint:   "Cuatro cifras.",
	TwoPeople:         "Dos personas deben ingresar el mismo número, la segunda sin ver el de la primera",
	TwoPeopleHint:     "Personas registradas que pueden ingresarlo:",
	CloseDraw:         "Cerrar el sorteo",
	CloseIntro:        "Después del cierre no entra ninguna apuesta más, y nadie puede volver a abrir el sorteo.",
	NoteHint:          "Se publica con el cierre, y lo ve quien verifica un comprobante: no nombre a ninguna persona. Hasta 200 caracteres.",
	ConfirmName:       "Para confirmar, escriba el nombre del sorteo",
	EnterNumber:       "Ingresar el número",
	EnterIntro:        "El número se ingresa una sola vez y no se puede cambiar.",
	EnterTwo:          "Este sorteo necesita dos personas. El número vale cuando las dos ingresaron lo mismo, cada una leyendo el extracto por su cuenta.",
	EnteredByYou:      "Usted ya lo ingresó y falta otra persona. Si lo ingresa otra vez, reemplaza al anterior.",
	EnteredByOther:    "Ya lo ingresó una persona:",
	NumberHint:        "Las cuatro cifras, como 0042.",
	NumberAgain:       "El número otra vez",
	ExtractFile:       "Extracto oficial, si lo tiene como archivo",
	ExtractHint:       "Se publica su SHA-256, y el archivo no se guarda.",
	ExtractHintTwo:    "Las dos personas adjuntan el mismo archivo, o ninguna.",
	ExtractTaken:      "Se recibió el extracto con el SHA-256",
	NotWaiting:        "Este sorteo no espera un número.",
	NotOpen:           "Este sorteo ya está cerrado.",
	Cancel:            "Volver sin hacer nada",
	Forbidden:         "Su función no permite hacer esto.",
	ForbiddenHelp:     "Quien administra el servidor puede darle otra, con",
	SomethingWrong:    "Hay algo que corregir:",
	WrongID:           "No es un nombre de sorteo: van letras sin tilde, cifras, puntos y guiones, y empieza con una letra o una cifra.",
	WrongAgain:        "No es el mismo nombre.",
	WrongTaken:        "Ya hay un sorteo con ese nombre. Un nombre se usa una sola vez.",
	WrongAgencies:     "Escriba un número entero, de 1 a 1000000.",
	WrongCloses:       "No es una fecha y hora de esa zona, como 2026-11-24T21:00.",
	WrongPast:         "Esa hora ya pasó. La zona es",
	WrongSource:       "Elija de dónde sale el número.",
	WrongBeaconCloses: "Un sorteo con el faro necesita una hora de cierre.",
	WrongNumber:       "Escriba las cuatro cifras, de 0000 a 9999.",
	WrongAgainNumber:  "No es el mismo número. Mire el extracto otra vez.",
	WrongNoteEmpty:    "Escriba el motivo.",
	WrongNote:         "El motivo tiene más de 200 caracteres, o alguno que no se puede imprimir.",
	WrongClosed:       "Este sorteo ya se cerró, así que no se hizo nada.",
	WrongDiffer:       "Las dos personas ingresaron números o extractos distintos, así que ninguno vale. Miren juntas el extracto oficial, y después cada una lo ingresa otra vez.",
	WrongEntered:      "Este sorteo ya tiene su número, así que no se hizo nada.",
	WrongNameless:     "Este sorteo necesita dos personas registradas: ingrese con su nombre y su clave.",
	WrongExtract:      "El archivo no se pudo leer, o tiene más de 64 MB.",
	WrongRefused:      "El sistema no lo aceptó, y no se hizo nada.",
}

var englishForm = formTexts{
	OpenDraw:          "Open a draw",
	OpenIntro:         "None of this can be changed afterwards: the terms are recorded, and published, when the draw opens.",
	Game:              "Game",
	GameName:          "Quiniela, numbers of four digits",
	DrawName:          "Name of the draw",
	DrawNameHint:      "1 to 64 letters without accents, digits, dots or hyphens, such as 2026-11-24-evening.",
	DrawNameAgain:     "The name again",
	AgenciesHint:      "How many are expected: those with the numbers 1 to this one. The draw closes when the last one has finished.",
	ClosesHint:        "If it has one: then it closes even if agencies are missing. Time zone:",
	Source:            "Where the number comes from",
	SourceNotary:      "A person enters it after the closing, from the official extract",
	SourceBeacon:      "From a public beacon: its first round that is signed after the closing. It needs a closing time",
	SourceFixed:       "It is fixed now. For trials, and not with prizes in pesos",
	FixedNumber:       "Number, if it is fixed now",
	FixedNumberHint:   "Four digits.",
	TwoPeople:         "Two people must enter the same number, the second one without seeing the first one's",
	TwoPeopleHint:     "People registered who may enter it:",
	CloseDraw:         "Close the draw",
	CloseIntro:        "After the closing no more bets are taken, and nobody can open the draw again.",
	NoteHint:          "It is published with the closing, and whoever checks a receipt sees it: name no person. Up to 200 characters.",
	ConfirmName:       "To confirm, type the name of the draw",
	EnterNumber:       "Enter the number",
	EnterIntro:        "The number is entered once and cannot be changed.",
	EnterTwo:          "This draw needs two people. The number counts once both have entered the same, each reading the extract on their own.",
	EnteredByYou:      "You have entered it, and another person has to. If you enter it again, it takes the place of the one before.",
	EnteredByOther:    "One person has entered it:",
	NumberHint:        "All four digits, such as 0042.",
	NumberAgain:       "The number again",
	ExtractFile:       "Official extract, if you have it as a file",
	ExtractHint:       "Its SHA-256 is published, and the file is not kept.",
	ExtractHintTwo:    "Both people attach the same file, or neither does.",
	ExtractTaken:      "The extract was received, with the SHA-256",
	NotWaiting:        "This draw does not wait for a number.",
	NotOpen:           "This draw is closed already.",
	Cancel:            "Go back and do nothing",
	Forbidden:         "Your role does not allow this.",
	ForbiddenHelp:     "Whoever runs the server can give you another one, with",
	SomethingWrong:    "There is something to correct:",
	WrongID:           "This is no name of a draw: it has letters without accents, digits, dots and hyphens, and begins with a letter or a digit.",
	WrongAgain:        "This is not the same name.",
	WrongTaken:        "There is a draw with this name already. A name is used once.",
	WrongAgencies:     "Type a whole number, from 1 to 1000000.",
	WrongCloses:       "This is no date and time of that zone, such as 2026-11-24T21:00.",
	WrongPast:         "That time has passed. The zone is",
	WrongSource:       "Choose where the number comes from.",
	WrongBeaconCloses: "A draw with the beacon needs a closing time.",
	WrongNumber:       "Type all four digits, from 0000 to 9999.",
	WrongAgainNumber:  "This is not the same number. Look at the extract again.",
	WrongNoteEmpty:    "Type the reason.",
	WrongNote:         "The reason has more than 200 characters, or one that cannot be printed.",
	WrongClosed:       "This draw has been closed already, so nothing was done.",
	WrongDiffer:       "The two people have entered different numbers or extracts, so neither counts. Look at the official extract together, and then each enters it again.",
	WrongEntered:      "This draw has its number already, so nothing was done.",
	WrongNameless:     "This draw needs two registered people: log in with your name and your key.",
	WrongExtract:      "The file could not be read, or has more than 64 MB.",
	WrongRefused:      "The system did not take it, and nothing was done.",
}
