package web

// verifyTexts are the texts of the page that checks receipts. verify.js reads VerifyStates, VerifyKinds, VerifyParts and VerifyRefusals,
// which are name=text pairs with "|" between.
type verifyTexts struct {
	VerifyOfDraw       string
	VerifyIntro        string
	VerifyServed       string
	VerifyDownload     string
	VerifyAsks         string
	VerifyAlone        string
	VerifyWritten      string
	VerifyFiles        string
	VerifyFilesHelp    string
	VerifyFolder       string
	VerifyFolderHelp   string
	VerifyKey          string
	VerifyKeyHelp      string
	VerifyOwnWarning   string
	VerifyOwnWord      string
	VerifyClear        string
	VerifySteps        string
	VerifyLoading      string
	VerifyReady        string
	VerifyUndrawn      string
	VerifyDrawOnly     string
	VerifyUnread       string
	VerifyNeedsLog     string
	VerifyBroken       string
	VerifyScript       string
	VerifyEvidence     string
	VerifyEvidenceHelp string
	VerifyStates       string
	VerifyKinds        string
	VerifyParts        string
	VerifyRefusals     string
	VerifyScanned      string
	VerifyKeep         string
	VerifyKeepName     string
}

var spanishVerify = verifyTexts{
	VerifyOfDraw:       "Verificar un comprobante de este sorteo",
	VerifyIntro:        "Esta página comprueba que una apuesta está en el registro de la lotería y, una vez realizado el sorteo, si ganó. El programa corre en su navegador. Sus archivos no salen de esta página.",
	VerifyServed:       "Esta página la sirve el operador, y es al operador a quien controla: uno deshonesto podría servir una página que siempre diga que sí. La misma página existe como un solo archivo. Pídalo a quien controla la lotería y ábralo desde su disco, o escríbalo usted con",
	VerifyDownload:     "Bajar el archivo de este sitio",
	VerifyAsks:         "La página lee de este sitio archivos públicos del registro. Por ellos el operador puede ver más o menos cuándo se hizo el comprobante; el comprobante no lo ve.",
	VerifyAlone:        "Este archivo no pide nada a ningún sitio. Por eso no puede leer el registro en una dirección: elija usted los documentos. El resultado de un sorteo está en el sitio de la lotería, en /log/draws/SORTEO/outcome.json. Quien quiera comparar con el registro de un sitio puede usar la orden",
	VerifyWritten:      "Este archivo lo escribe la orden",
	VerifyFiles:        "Archivos",
	VerifyFilesHelp:    "El comprobante y, si los tiene, una política, el resultado del sorteo (outcome.json), la ronda del faro, un punto de control guardado o un archivo de prueba. Elíjalos juntos o suéltelos aquí.",
	VerifyFolder:       "Copia del registro publicado",
	VerifyFolderHelp:   "Si tiene una: la carpeta en la que está el archivo checkpoint. Hace falta para un comprobante que se hizo antes del cierre del sorteo.",
	VerifyKey:          "Clave del registro",
	VerifyKeyHelp:      "Si no tiene una política: una línea, nombre+id+base64, tomada de un diario, del boletín oficial o de quien controla la lotería.",
	VerifyOwnWarning:   "Usted no dio ninguna clave, así que se usa la que publica este sitio. Esa clave es la palabra del operador: si miente sobre las apuestas, también puede mentir sobre la clave. Una clave o una política de otra fuente la reemplaza.",
	VerifyOwnWord:      "La clave es la que publica el operador: nadie más la confirmó.",
	VerifyClear:        "Empezar de nuevo",
	VerifySteps:        "Lo que se comprobó",
	VerifyLoading:      "Cargando el verificador…",
	VerifyReady:        "Listo: elija el comprobante.",
	VerifyUndrawn:      "El resultado de este sorteo todavía no está publicado.",
	VerifyDrawOnly:     "Esto es sólo sobre el sorteo. Elija el comprobante para saber de su apuesta.",
	VerifyUnread:       "El registro de este sitio no se pudo leer, así que no se comparó nada con él.",
	VerifyNeedsLog:     "Para terminar hace falta el resultado del sorteo o el registro publicado: una copia en su disco, o la orden quiniela verify --log con la dirección del registro.",
	VerifyBroken:       "El verificador no se pudo cargar o se detuvo. Vuelva a cargar la página.",
	VerifyScript:       "Esta página necesita JavaScript. Sin él, use la orden",
	VerifyEvidence:     "Guardar el archivo de prueba",
	VerifyEvidenceHelp: "No muestra nada de quién apostó. Cualquiera puede verificarlo en esta página, con la clave del registro.",
	VerifyStates:       "ok=correcto|failed=FALLÓ|skipped=no se verificó",
	VerifyKinds:        "receipt=comprobante|outcome=resultado del sorteo|policy=política|key=clave del registro|beacon=ronda del faro|checkpoint=punto de control|evidence=archivo de prueba",
	VerifyParts:        "receipt=comprobante|outcome=resultado|beacon=faro|checkpoint=punto de control guardado|log=registro publicado|evidence=archivo de prueba",
	VerifyRefusals:     "unknown=no se reconoce y no se usa. Esta página lee comprobantes, resultados de sorteos, políticas, claves de registros, rondas del faro, puntos de control y archivos de prueba.|several=tiene varios comprobantes y no se usa. Elija el archivo de uno solo.|secret=es una clave secreta y no se usa. Guárdela; aquí hace falta la clave pública, log.vkey.|folder=Esa carpeta no es una copia del registro: no tiene el archivo checkpoint.|code=El código no se leyó entero. Escanéelo otra vez, con buena luz y el papel plano.|old=Este navegador es demasiado viejo para leer el código. Actualícelo o abra el código en otro, o elija el archivo que le dio la agencia.",
	VerifyScanned:      "código QR",
	VerifyKeep:         "Guardar el comprobante como archivo",
	VerifyKeepName:     "comprobante.json",
}

var englishVerify = verifyTexts{
	VerifyOfDraw:       "Check a receipt of this draw",
	VerifyIntro:        "This page checks that a bet is in the lottery's log and, once the draw has been held, whether it won. The program runs in your browser. Your files do not leave this page.",
	VerifyServed:       "This page is served by the operator, and it is the operator whom it checks: a dishonest one could serve a page that always says yes. The same page exists as one file. Ask whoever supervises the lottery for it and open it from your disk, or write it yourself with",
	VerifyDownload:     "Download the file from this site",
	VerifyAsks:         "The page reads public files of the log from this site. The operator can see from them about when the receipt was made, but does not see the receipt.",
	VerifyAlone:        "This file asks no site for anything. So it cannot read the log at an address: choose the documents yourself. A draw's outcome is on the lottery's site, at /log/draws/DRAW/outcome.json. To compare with the log of a site, use the command",
	VerifyWritten:      "This file is written by the command",
	VerifyFiles:        "Files",
	VerifyFilesHelp:    "The receipt and, if you have them, a policy, the draw's outcome.json, the beacon's round, a checkpoint that you kept, or evidence. Choose them together, or drop them here.",
	VerifyFolder:       "Copy of the published log",
	VerifyFolderHelp:   "If you have one: the folder with the file checkpoint. A receipt that was made before the draw was closed needs it.",
	VerifyKey:          "The log's key",
	VerifyKeyHelp:      "If you have no policy: one line, name+id+base64, from a newspaper, an official bulletin or whoever supervises the lottery.",
	VerifyOwnWarning:   "You gave no key, so the one that this site publishes is used. That key is the operator's own word: an operator who lies about the bets can lie about the key too. A key or a policy from another source takes its place.",
	VerifyOwnWord:      "The key is the one that the operator publishes: nobody else has confirmed it.",
	VerifyClear:        "Start again",
	VerifySteps:        "What was checked",
	VerifyLoading:      "Loading the verifier…",
	VerifyReady:        "Ready: choose the receipt.",
	VerifyUndrawn:      "The outcome of this draw is not published yet.",
	VerifyDrawOnly:     "This is about the draw alone. Choose the receipt to know about your bet.",
	VerifyUnread:       "This site's log could not be read, so nothing was compared with it.",
	VerifyNeedsLog:     "To finish, the draw's outcome or the published log is needed: a copy on your disk, or the command quiniela verify --log with the log's address.",
	VerifyBroken:       "The verifier could not be loaded, or it has stopped. Load the page again.",
	VerifyScript:       "This page needs JavaScript. Without it, use the command",
	VerifyEvidence:     "Save the evidence",
	VerifyEvidenceHelp: "It shows nothing of who bet. Anybody can check it on this page, with the log's key.",
	VerifyStates:       "ok=ok|failed=FAILED|skipped=not checked",
	VerifyKinds:        "receipt=receipt|outcome=draw's outcome|policy=policy|key=the log's key|beacon=beacon's round|checkpoint=checkpoint|evidence=evidence",
	VerifyParts:        "receipt=receipt|outcome=outcome|beacon=beacon|checkpoint=kept checkpoint|log=published log|evidence=evidence",
	VerifyRefusals:     "unknown=not recognised, and not used. This page reads receipts, outcomes of draws, policies, keys of logs, rounds of the beacon, checkpoints and evidence.|several=has several receipts, and is not used. Choose the file of a single one.|secret=is a secret key, and is not used. Keep it to yourself; what is needed here is the public key, log.vkey.|folder=That folder is no copy of the log: it has no file checkpoint.|code=The code was not read in full. Scan it again, in good light and with the paper flat.|old=This browser is too old to read the code. Update it or open the code in another one, or choose the file that the agency gave you.",
	VerifyScanned:      "QR code",
	VerifyKeep:         "Save the receipt as a file",
	VerifyKeepName:     "receipt.json",
}
