package paper

// texts are the texts of a receipt on paper in one language.
type texts struct {
	Lang, Title, Draw, Number, Name, Document, Birthdate, Agency, Received, Place, Batch, Bet string

	Decimal string // between pesos and cents
	Prizes  string // behind a number that is played at several prizes
	Time    string // the form of a time, as package time has it
	Scan    string // what the code does
	Private string
	TooLong string // in place of Scan and Private, where the code has not all of the receipt
	File    string
	Results string
	Site    string // whose address the reader compares
}

var spanish = texts{
	Lang: "es", Title: "Comprobante de apuesta", Draw: "Sorteo", Number: "Número", Name: "Nombre", Document: "Documento", Birthdate: "Nacimiento",
	Agency: "Agencia", Received: "Recibida", Place: "En el registro", Batch: "lote", Bet: "apuesta",
	Decimal: ",",
	Prizes:  " del %d.º al %d.º premio", Time: "02/01/2006 15:04:05 MST",
	Scan:    "Escanee el código con el teléfono para comprobar la apuesta y, después del sorteo, saber si ganó.",
	Private: "El código tiene su nombre y su documento: no publique una foto de este papel.",
	TooLong: "El comprobante entero no entra en el código. El código abre la página que lo comprueba. Pida a la agencia el archivo y elíjalo en esa página:",
	File:    "Archivo",
	Results: "Resultado del sorteo",
	Site:    "La página que se abre debe ser de",
}

var english = texts{
	Lang: "en", Title: "Receipt of a bet", Draw: "Draw", Number: "Number", Name: "Name", Document: "Document", Birthdate: "Born",
	Agency: "Agency", Received: "Received", Place: "In the log", Batch: "batch", Bet: "bet",
	Decimal: ".",
	Prizes:  " at prizes %d to %d", Time: "2 Jan 2006 15:04:05 MST",
	Scan:    "Scan the code with your phone to check the bet and, after the draw, to see whether it won.",
	Private: "The code has your name and your document: do not publish a picture of this paper.",
	TooLong: "The whole receipt does not fit into the code. The code opens the page that checks it. Ask the agency for the file, and choose it on that page:",
	File:    "File",
	Results: "Results of the draw",
	Site:    "The page that opens must be of",
}
