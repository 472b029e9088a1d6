package lang

// output has the Spanish of what the commands print and ask.
var output = map[string]string{
	// Lists of draws and agencies.
	"ADDED":         "ALTA",
	"AGENCY":        "AGENCIA",
	"BATCHES":       "LOTES",
	"BETS":          "APUESTAS",
	"CERTIFICATE":   "CERTIFICADO",
	"CLOSES":        "CIERRA",
	"DOCUMENT":      "DOCUMENTO",
	"DONE":          "LISTAS",
	"DRAW":          "SORTEO",
	"IN %s":         "EN %s",
	"NAME":          "NOMBRE",
	"NUMBER":        "Nº",
	"STAKE":         "MONTO",
	"PRIZES":        "PREMIOS",
	"STATE":         "ESTADO",
	"WINNERS":       "GANARON",
	"any":           "cualquiera",
	"drawn":         "sorteado",
	"finished":      "terminó",
	"may bet":       "habilitada",
	"missing":       "faltó",
	"no bets yet":   "sin apuestas",
	"none since %s": "ninguno desde el %s",
	"open":          "abierto",
	"revoked %s":    "revocada %s",
	"sealed":        "cerrado",
	"sending":       "enviando",
	"No agency is registered in %s, so the server is open to all. `quiniela agency add 1` registers the first and closes it.": "No hay ninguna agencia registrada en %s, así que el servidor está abierto a todos. `quiniela agency add 1` registra la primera y lo cierra.",
	"No draws yet; open one with `quiniela draw open`.":                                                                       "Todavía no hay sorteos; abra uno con `quiniela draw open`.",

	// Where an agency stands, and what it waits for.
	"agency":    "agencia",
	"agency %d": "agencia %d",
	"file":      "archivo",
	"result":    "resultado",
	"stored":    "guardado",
	"to do":     "por hacer",
	"%s bets in %s batches; the agency has finished":     "%s apuestas en %s lotes; la agencia terminó",
	"%s bets in %s batches; the agency has not finished": "%s apuestas en %s lotes; la agencia no terminó",
	"%s is not there: nothing to compare with":           "%s no está: no hay con qué comparar",
	"%s, closed; its winners are not known yet":          "%s, cerrado; todavía no se conocen sus ganadores",
	"%s, drawn":         "%s, sorteado",
	"%s, open until %s": "%s, abierto hasta %s",
	"%s, open until all agencies have finished":                                                         "%s, abierto hasta que terminen todas las agencias",
	"%s: %s bets can be sent. Nothing was sent.":                                                        "%s: se pueden enviar %s apuestas. No se envió nada.",
	"%s: %s bets, all stored":                                                                           "%s: %s apuestas, todas guardadas",
	"%s: %s bets, of which %s are not stored":                                                           "%s: %s apuestas; de ellas, %s no están guardadas",
	"checking the file":                                                                                 "comprobando el archivo",
	"finish: run `quiniela client` with this file":                                                      "terminar: corra `quiniela client` con este archivo",
	"not known: name the file that was sent with --file":                                                "no se sabe: nombre con --file el archivo que se envió",
	"nothing; the agency waits for the draw":                                                            "nada; la agencia espera el sorteo",
	"the number %04d; winning bets of this agency: %s":                                                  "el número %04d; apuestas ganadoras de esta agencia: %s",
	"waiting for the draw since %s":                                                                     "espera el sorteo desde las %s",
	"waiting for the server since %s":                                                                   "espera al servidor desde las %s",
	"nothing can be done for %s bets that came into the file after the agency had finished":             "nada se puede hacer por %s apuestas que llegaron al archivo después de que la agencia terminara",
	"nothing can be done: the draw closed before the agency had finished, and takes no more bets":       "nada se puede hacer: el sorteo cerró antes de que la agencia terminara, y ya no recibe apuestas",
	"nothing; run `quiniela client` for the winners, with --winners FILE for their rows":                "nada; corra `quiniela client` para saber quiénes ganaron, y con --winners ARCHIVO para tener sus renglones",
	"send %s bets and finish: run `quiniela client` with this file, which goes on after what is stored": "enviar %s apuestas y terminar: corra `quiniela client` con este archivo, que sigue después de lo guardado",
	"send the rest of the file, if there is more, and finish: run `quiniela client` with the file":      "enviar el resto del archivo, si hay más, y terminar: corra `quiniela client` con el archivo",

	// Bets of a document in an agency's file.
	"BATCH":      "LOTE",
	"BIRTHDATE":  "NACIMIENTO",
	"FIRST NAME": "NOMBRE",
	"LAST NAME":  "APELLIDO",
	"LINE":       "LÍNEA",
	"LOG ENTRY":  "ENTRADA",
	"For the bettor's receipts: quiniela client receipts, with the same flags.":                                        "Para los comprobantes del apostador: quiniela client receipts, con las mismas opciones.",
	"The log %s has all bets of this file, by its own signature, which was not checked: give its key with --log-key.":  "El registro %s tiene todas las apuestas de este archivo, según su propia firma, que no se comprobó: dé su clave con --log-key.",
	"The log %s has all bets of this file: the proofs and their signature are right.":                                  "El registro %s tiene todas las apuestas de este archivo: las pruebas y su firma son correctas.",
	"This is what the agency's file has. The operator's proofs show that it was stored: name them with --proofs FILE.": "Esto es lo que tiene el archivo de la agencia. Que se guardó lo muestran las pruebas del operador: nómbrelas con --proofs ARCHIVO.",

	// The trail, the operators and a person's bets.
	"WHEN":                       "CUÁNDO",
	"WHO":                        "QUIÉN",
	"FROM":                       "DESDE",
	"WHAT":                       "QUÉ",
	"ABOUT":                      "SOBRE",
	"The trail has no such act.": "El registro de actos no tiene ninguno así.",
	"not done: %s":               "no se hizo: %s",
	"ROLE":                       "FUNCIÓN",
	"KEY":                        "CLAVE",
	"since %s":                   "desde el %s",
	"RECEIVED":                   "RECIBIDA",
	"BET":                        "APUESTA",
	"RESULT":                     "RESULTADO",
	"not drawn yet":              "sin sortear",
	"won":                        "ganó",
	"did not win":                "no ganó",
	"No bet of that document. What is forgotten is not found.": "No hay ninguna apuesta de ese documento. Lo olvidado no se encuentra.",
	"There are more: name a draw with --draw.":                 "Hay más: nombre un sorteo con --draw.",

	// One draw.
	" and ":                  " y ",
	"agencies":               "agencias",
	"an operator":            "un operador",
	"bets":                   "apuestas",
	"closed":                 "cerró",
	"closes":                 "cierra",
	"draw":                   "sorteo",
	"entered by":             "lo ingresó",
	"its closing time":       "su hora de cierre",
	"note":                   "motivo",
	"number":                 "número",
	"opened":                 "abrió",
	"state":                  "estado",
	"%s, by %s":              "%s, por %s",
	"%s, batches: %s":        "%s, lotes: %s",
	"%d of %d have finished": "%d de %d terminaron",
	"%s, winners: %s":        "%s, ganadores: %s",
	"%04d; the winners are being found: quiniela draw results %s":                       "%04d; se están buscando los ganadores: quiniela draw results %s",
	"the last agency's finish":                                                          "el fin de la última agencia",
	"a notary's, once the draw is closed":                                               "el de un escribano, cuando el sorteo esté cerrado",
	"a notary's, which two people enter once the draw is closed":                        "el de un escribano, que ingresan dos personas cuando el sorteo esté cerrado",
	"entered by %s; a second person must enter the same: quiniela draw enter %s NUMBER": "lo ingresó %s; una segunda persona tiene que ingresar el mismo: quiniela draw enter %s NÚMERO",
	"fixed when the draw opened":                                                        "se fijó al abrir el sorteo",
	"not entered yet, and two people must: quiniela draw enter %s NUMBER":               "todavía no se ingresó, y tienen que hacerlo dos personas: quiniela draw enter %s NÚMERO",
	"not entered yet: quiniela draw enter %s NUMBER":                                    "todavía no se ingresó: quiniela draw enter %s NÚMERO",
	"of the beacon's round %d, signed at %s":                                            "el de la ronda %d del faro, firmada el %s",
	"of the beacon's round %d, to be signed at %s":                                      "el de la ronda %d del faro, que se firma el %s",

	// The game quiniela.
	"DUE":         "PREMIOS",
	"PAID":        "SE PAGA",
	"PRIZE":       "PUESTO",
	"STAKED":      "APOSTADO",
	"GAME":        "JUEGO",
	"draws":       "sorteos",
	"cap":         "tope",
	"extract":     "extracto",
	"game":        "juego",
	"prizes due":  "premios",
	"prizes paid": "se paga",
	"pays":        "paga",
	"share":       "proporción",
	"staked":      "apostado",
	"stakes":      "montos",
	"total":       "total",
	"winners":     "ganadores",
	"%s times the stake for 1 digit, %s for 2, %s for 3, %s for 4": "%s veces lo apostado a 1 cifra, %s a 2, %s a 3, %s a 4",
	"%s a bet or more":                         "%s por apuesta o más",
	"%s to %s a bet":                           "%s a %s por apuesta",
	"none: every prize is paid in full":        "ninguno: cada premio se paga entero",
	"winning bets of this agency: %s, paid %s": "apuestas ganadoras de esta agencia: %s; se paga %s",
	"won %s":              "ganó %s",
	"won %s, hits: %d":    "ganó %s, aciertos: %d",
	"What is staked: %s.": "Lo apostado: %s.",
	"%s (rounded down) of each prize: %s of %s":                                                                                                         "%s (redondeado hacia abajo) de cada premio: %s de %s",
	"all prizes together at most %s times what was staked; over that, the same share of each":                                                           "todos los premios juntos, a lo sumo %s veces lo apostado; si lo pasan, todos se pagan en la misma proporción",
	"it is there; the winners are being found: quiniela draw results %s":                                                                                "ya está; se están buscando los ganadores: quiniela draw results %s",
	"entered by %s; a second person must enter the same: quiniela draw enter %s --extract FILE":                                                         "lo ingresó %s; una segunda persona tiene que ingresar el mismo: quiniela draw enter %s --extract ARCHIVO",
	"not entered yet, and two people must: quiniela draw enter %s --extract FILE":                                                                       "todavía no se ingresó, y tienen que hacerlo dos personas: quiniela draw enter %s --extract ARCHIVO",
	"not entered yet: quiniela draw enter %s --extract FILE":                                                                                            "todavía no se ingresó: quiniela draw enter %s --extract ARCHIVO",
	"Open draw %s for %d agencies, with the game and the terms above for ever. It closes on %s.":                                                        "Abrir el sorteo %s para %d agencias, con el juego y las condiciones de arriba para siempre. Cierra el %s.",
	"Enter this extract in draw %s, which is %s, with %s bets of %d agencies and %s staked. Its prizes follow from it.":                                 "Ingresar este extracto en el sorteo %s, que está %s, con %s apuestas de %d agencias y %s apostados. De él resultan los premios.",
	"Enter this extract in draw %s, which is %s, with %s bets of %d agencies and %s staked. It takes effect when a second person has entered the same.": "Ingresar este extracto en el sorteo %s, que está %s, con %s apuestas de %d agencias y %s apostados. Vale cuando una segunda persona haya ingresado el mismo.",

	// Questions before what cannot be undone.
	"Open draw %s for %d agencies. It closes on %s.":                                                                                            "Abrir el sorteo %s para %d agencias. Cierra el %s.",
	"Close draw %s, which is %s: %d of %d agencies have finished, with %s bets so far. It takes no bet after that.":                             "Cerrar el sorteo %s, que está %s: %d de %d agencias terminaron, con %s apuestas hasta ahora. Después no acepta ninguna apuesta.",
	"Enter %s in draw %s, which is %s, with %s bets of %d agencies. Its winners follow from it.":                                                "Ingresar %s en el sorteo %s, que está %s, con %s apuestas de %d agencias. De él resultan los ganadores.",
	"Enter %s in draw %s, which is %s, with %s bets of %d agencies. It takes effect when a second person has entered the same.":                 "Ingresar %s en el sorteo %s, que está %s, con %s apuestas de %d agencias. Vale cuando una segunda persona haya ingresado el mismo.",
	"Delete who bet in draw %s and who won it from %s, for ever; what was bet stays. Backups and exports that were made before keep all of it.": "Borrar para siempre quiénes apostaron en el sorteo %s y quiénes lo ganaron de %s; lo que se apostó queda. Las copias y exportaciones anteriores conservan todo.",
	"It cannot be undone.": "No se puede deshacer.",
	"Type %s to go on: ":   "Escriba %s para seguir: ",
	"in %s":                "dentro de %s",
	"%s ago":               "hace %s",
	"Monday":               "lunes",
	"Tuesday":              "martes",
	"Wednesday":            "miércoles",
	"Thursday":             "jueves",
	"Friday":               "viernes",
	"Saturday":             "sábado",
	"Sunday":               "domingo",

	// quiniela alone.
	`quiniela is the central system of a lottery: it stores the bets of its agencies
exactly once, draws the number, and lets anybody check it.

To begin with:
  quiniela demo                          run a whole lottery here and now
  quiniela server                        run the central
  quiniela client --id 1                 send an agency's file and wait for its winners
  quiniela draw list                     show the draws of the running server
  quiniela verify RECEIPT --log LOG      check a bettor's receipt

For the rest:
  quiniela help                          all commands
  quiniela help draw open                a command's flags, their defaults, an example
`: `quiniela es el sistema central de una lotería: guarda las apuestas de sus agencias
exactamente una vez, sortea el número y deja que cualquiera lo compruebe.

Para empezar:
  quiniela demo                          correr una lotería entera aquí y ahora
  quiniela server                        correr la central
  quiniela client --id 1                 enviar el archivo de una agencia y esperar sus ganadores
  quiniela draw list                     mostrar los sorteos del servidor
  quiniela verify COMPROBANTE --log REG  comprobar un comprobante de un apostador

Para lo demás:
  quiniela help                          todas las órdenes
  quiniela help draw open                las opciones de una orden, con un ejemplo
`,

	// A schedule.
	"BETS CLOSE":             "CIERRE",
	"SOURCE":                 "FUENTE",
	"AGENCIES":               "AGENCIAS",
	"Times are those of %s.": "Las horas son las de %s.",
	"The schedule has no draw in these days: ask for more of them with --days.": "El programa no tiene sorteos en estos días: pida más con --days.",
	"Which draws are open is not known":                                         "No se sabe qué sorteos están abiertos",
	"open, and to be skipped (%s): quiniela draw close %s":                      "abierto, y no se hace (%s): quiniela draw close %s",
	"%s, with other terms: quiniela draw show %s":                               "%s, con otras condiciones: quiniela draw show %s",
	"skipped: %s":    "no se hace: %s",
	"opens %s":       "abre el %s",
	"not known":      "no se sabe",
	"was not opened": "no se abrió",
	"due":            "por abrir",

	// The manual page.
	"SYNOPSIS":                           "SINOPSIS",
	"DESCRIPTION":                        "DESCRIPCIÓN",
	"COMMANDS":                           "ÓRDENES",
	"EXIT STATUS":                        "CÓDIGO DE SALIDA",
	"the central system of a lottery":    "el sistema central de una lotería",
	".B quiniela\n.I command\n[flags]\n": ".B quiniela\n.I orden\n[opciones]\n",
	"A flag beats its environment variable, the variable beats the settings file, and the file beats the default.":                                                                                     "Una opción vale más que su variable de entorno, la variable más que el archivo de configuración, y el archivo más que lo que vale por omisión.",
	"0: done. 1: failed, or a client was interrupted before all its bets were acknowledged. 2: a wrong command line or setting. 3: too early, an audit of a log that is not published completely yet.": "0: hecho. 1: falló, o un cliente se interrumpió antes de que se confirmaran todas sus apuestas. 2: una orden o una configuración equivocada. 3: demasiado pronto, una auditoría de un registro que todavía no está publicado entero.",

	// The demo, of both games.
	" … and %d more":                " … y %d más",
	"%s at prize %d, for %s":        "%s al premio %d, por %s",
	"%s at prizes %d to %d, for %s": "%s del %d al %d, por %s",
	"%s at the head, for %s":        "%s a la cabeza, por %s",
	"%s bets in %.2f s (%s bets/s), each on the disk before it was acknowledged; %.2f s with the draw.": "%s apuestas en %.2f s (%s apuestas/s), cada una en el disco antes de confirmarla; %.2f s con el sorteo.",
	"A central on %s, and %d agencies sending their bets to it.":                                        "Una central en %s, y %d agencias que le envían sus apuestas.",
	"AT PRIZES":                "EN LOS PREMIOS",
	"Agency %d has no winner.": "La agencia %d no tiene ganadores.",
	"Agency 1 has the receipts of its first %s bets. All are proven, without asking the server, and %d of these bets won.":              "La agencia 1 tiene los comprobantes de sus primeras %s apuestas. Todos están probados, sin preguntarle al servidor, y ganaron %d de estas apuestas.",
	"Agency 1 has the receipts of its first %s bets. All are proven, without asking the server: %d of these bets won, and are paid %s.": "La agencia 1 tiene los comprobantes de sus primeras %s apuestas. Todos están probados, sin preguntarle al servidor: ganaron %d de estas apuestas, y cobran %s.",
	"DOCUMENTS": "DOCUMENTOS",
	"HITS":      "ACIERTOS",
	"Next: `quiniela server` and `quiniela client --id 1` run it for real; see README.md.": "Lo que sigue: `quiniela server` y `quiniela client --id 1` lo hacen de verdad; vea README.es.md.",
	"PLAYED": "JUGÓ",
	"The draw on the page, until you press Ctrl-C:": "El sorteo en la página, hasta que oprima Ctrl-C:",
	"The draw: number %04d.":                        "El sorteo: salió el %04d.",
	"Winners of agency %d: %s.":                     "Ganadores de la agencia %d: %s.",
	"Winners of agency %d: %s. The first of them:":  "Ganadores de la agencia %d: %s. Los primeros:",
	"agency %d: %s bets acknowledged":               "agencia %d: %s apuestas confirmadas",
}
