package verify

import (
	"errors"
	"fmt"

	"quiniela/tlog"
)

// spanishReason says in Spanish what a reader can come to without any fraud: a key of another log, or witnesses that are missing. The other
// reasons are of damaged or forged documents, and are for whoever looks into those.
func spanishReason(err error) string {
	var other *tlog.OtherLogError
	var quorum *tlog.QuorumError
	switch {
	case errors.As(err, &other) && other.Known == "":
		return fmt.Sprintf("es del registro %.80q, y no está firmado con la clave que usted tiene de él", other.Signed)
	case errors.As(err, &other):
		return fmt.Sprintf("lo firmó el registro %.80q, y su clave es del registro %.200q", other.Signed, other.Known)
	case errors.As(err, &quorum):
		return fmt.Sprintf("lo firmaron %d de los %d testigos de la política, y con eso no se cumple %q", quorum.Cosigned, quorum.Witnesses, quorum.Quorum)
	}
	return "detalle técnico, en inglés: " + err.Error()
}

var spanish = words{
	reason: spanishReason,
	titles: map[string]string{
		StepFormat: "formato", StepRecord: "apuesta", StepCommitment: "de quién es", StepBatch: "lote",
		StepBatchProof: "apuesta en el lote", StepCheckpoint: "firma del registro", StepSealed: "registro cerrado", StepWitnesses: "testigos",
		StepLogProof: "lote en el registro", StepOpen: "apertura del sorteo", StepSeal: "cierre del sorteo",
		StepBefore: "antes del cierre", StepInSealed: "en el registro cerrado", StepResult: "resultado", StepNumber: "número",
		StepRoundTime: "ronda posterior al cierre", StepBeacon: "ronda de otra fuente", StepSameLog: "el mismo registro",
		StepInTime: "cierre visto a tiempo", StepSecond: "segunda firma", StepExclude: "contradicción",
	},
	texts: [texts]string{
		textReceipt:       "el comprobante está completo y bien formado",
		textOutcome:       "el resultado del sorteo está completo y bien formado",
		textRecord:        "%s",
		textCommitment:    "la hizo %s %s, documento %s, fecha de nacimiento %s",
		textBatch:         "lote %d de la agencia %d, de %d apuestas",
		textBatchProof:    "es la apuesta %d de las %d del lote",
		textSigned:        "firmado por el registro %s, %d entradas",
		textSealed:        "está firmado el registro con el cierre del sorteo, de %d entradas",
		textWitnesses:     "%d testigos firmaron el registro cerrado, y los que se piden, el resultado: a nadie se le muestra otro",
		textLogProof:      "el lote es la entrada %d de las %d del registro",
		textOpen:          "el sorteo %d del registro, %q, se abrió con la entrada %d",
		textSeal:          "el sorteo se cerró con la entrada %d, con %d apuestas en %d lotes",
		textResult:        "el resultado es la entrada %d, posterior al cierre",
		textBefore:        "el lote de la apuesta, entrada %d, es anterior al cierre, entrada %d",
		textInSealed:      "el registro del comprobante y el que se cerró son el mismo hasta la apuesta",
		textNumberBeacon:  "%s, de la ronda del faro que el sorteo nombró al abrirse",
		textNumberNotary:  "%s, como lo ingresó un escribano, que no entregó extracto",
		textNumberExtract: "%s, como lo ingresó un escribano; el extracto firmado tiene el SHA-256 %x",
		textNumberFixed:   "%s, como se fijó al abrir el sorteo",
		textRoundTime:     "según el reloj del operador: la ronda %d se publicó el %s, y las apuestas habían terminado el %s",
		textSameBeacon:    "la ronda de otra fuente es la que figura en el resultado",
		textSameLog:       "comparado: es el registro de los documentos",
		textInTime:        "según los relojes de los testigos el cierre estaba antes del %s, cuando se publicó la ronda",
		textSeen:          "según los relojes de los testigos el cierre estaba el %s; compárelo con el momento en que se sorteó el número",
		textEvidence:      "la prueba está completa y bien formada",
		textTwoLogs:       "de las primeras %d entradas de su registro, %s firmó dos versiones",
		textLateBatch:     "la entrada %d es un lote de un sorteo que la entrada %d había cerrado",

		textUnproven:    "no está probado lo que necesita",
		textNeedsLog:    "sin comparar: la firma del comprobante es de otro tamaño que las del resultado; el registro publicado lo muestra con los dos",
		textOtherSize:   "sin comparar: tiene %d entradas, y nada de lo que hay aquí muestra el registro con ese tamaño; el registro publicado sí",
		textNoWitnesses: "no se pide: la política no nombra testigos",
		textNoTime:      "no se pide: la política no nombra testigos, y sólo el reloj del operador dice cuándo se cerró el sorteo",
	},
	meanings: map[string]string{
		StepFormat:     "el archivo está dañado o no es lo que se espera",
		StepRecord:     "los datos de la apuesta no son válidos",
		StepCommitment: "la apuesta no es de esta persona, o el comprobante fue cambiado",
		StepBatch:      "la entrada del lote no es válida",
		StepBatchProof: "la apuesta no está en el lote",
		StepCheckpoint: "no lo firmó un registro que la política conozca",
		StepSealed:     "no es la firma del registro con el cierre del sorteo",
		StepWitnesses:  "no lo firmaron los testigos que la política pide",
		StepLogProof:   "el lote no está en el registro",
		StepOpen:       "la apertura del sorteo no está en el registro",
		StepSeal:       "el cierre del sorteo no está en el registro",
		StepBefore:     "la apuesta no está entre la apertura y el cierre de este sorteo",
		StepInSealed:   "el registro que se cerró no es el del comprobante",
		StepResult:     "el resultado no está en el registro después del cierre",
		StepNumber:     "el número no resulta de lo que se fijó al abrir el sorteo",
		StepRoundTime:  "la ronda ya era pública cuando todavía se podía apostar",
		StepBeacon:     "no es la ronda que figura en el resultado",
		StepSameLog:    "no es el mismo registro; conserve los dos archivos y hágalos públicos",
		StepInTime:     "los testigos no firmaron el cierre antes de que se publicara la ronda",
		StepSecond:     "la segunda no la firmó un registro que la política conozca",
		StepExclude:    "las dos firmas pueden ser ciertas a la vez",
	},
	parts: map[string]string{
		PartReceipt: "comprobante", PartOutcome: "resultado del sorteo", PartBeacon: "faro", PartCheckpoint: "punto de control guardado",
		PartLog: "registro publicado", PartEvidence: "archivo de prueba",
	},

	Head:       "el número %s",
	Digits:     [4]string{"una cifra", "dos cifras", "tres cifras", "cuatro cifras"},
	FirstPrize: "a la cabeza", OnePrize: "al premio %d", Prizes: "a los premios %d a %d",
	Thousands: ".", Point: ",",

	OpenDraw: "Sorteo %s, número %d del registro %s", OpenGame: "Juego: %s", OpenAgencies: "Agencias: 1 a %d",
	OpenOpened: "Apertura: %s (%d µs)", OpenCloses: "Fin de las apuestas: %s (%d µs)", OpenEnds: "Fin de las apuestas: cuando terminen todas las agencias, o un operador cierre el sorteo",
	OpenFixed:   "El número está fijado: %04d",
	OpenNotary:  "El número es el de un escribano, que lo ingresa con el sorteo cerrado",
	OpenBeacon:  "El número sale de la ronda %d del faro, que se publica el %s, y de nada más (cadena %x)",
	OpenUnknown: "una hora que aquí no se conoce",
	OpenLeaf:    "Este texto es para leer. Lo que vale es la entrada del archivo open que está al lado, con el hash de hoja %x",

	NothingToCheck: "no hay nada que verificar: indique un comprobante",
	EvidenceAlone:  "una prueba se verifica sola, con una política o una clave: no indique los otros documentos",
	BeaconAlone:    "la ronda del faro se compara con la que usó un sorteo: indique también el resultado del sorteo",
	TwoPolicies:    "una política ya tiene las claves de sus registros: indique una política o una clave, no ambas",
	NoPolicy: "¿qué firmas valen? Cualquiera puede hacer un registro y firmarlo: sin la clave correcta un comprobante no prueba nada. " +
		"Indique la clave del registro, tomada del aviso de la lotería en un diario o en el boletín oficial o de quien la controla, " +
		"o una política, que tiene esa clave y las de los testigos; no del mismo lugar que el comprobante",
	BadPolicy: "la política no se puede usar: %w",
	BadKey:    "la clave del registro no se puede usar: %w; es una línea, nombre+id+base64",

	Proven:       "PROBADO: %s",
	ByOperator:   "PROBADO, PERO DE LA HORA SÓLO HAY LA PALABRA DEL OPERADOR: %s",
	Contradicted: "CONTRADICHO: el registro firmó dos cosas que no pueden ser ciertas a la vez. El archivo de prueba muestra las dos: consérvelo y llévelo a quien controla la lotería.",
	FailedAt:     "NO ESTÁ PROBADO: falló el paso «%s» del %s.",
	FailedAll:    "NO ESTÁ PROBADO.",
	NeedsOutcome: "TODAVÍA NO ESTÁ PROBADO: según el comprobante, %s; para saber que está en el registro con el que se cerró el sorteo, y si ganó, " +
		"hace falta el resultado del sorteo, que se publica después de sortear.",
	NeedsLog: "TODAVÍA NO ESTÁ PROBADO: según el comprobante, %s; para saber que está en el registro con el que se cerró el sorteo hace falta " +
		"el registro publicado, o un comprobante hecho después del cierre.",
	Bet:      "la apuesta de %s %s a %s en el sorteo %s es la apuesta %d del lote %d de la agencia %d en el registro %s",
	Won:      "%s, y salió el %04d: LA APUESTA GANÓ.",
	NotWon:   "%s, y salió el %04d: la apuesta no ganó.",
	DrawOnly: "en el sorteo %s del registro %s salió el %s.", DrawTwenty: "en el sorteo %s del registro %s salieron %s.",
	GameWon:  "%s, y acierta en los premios: %s. LA APUESTA GANÓ, y se le paga %s.",
	GameLost: "%s, y ninguno de sus premios termina así: la apuesta no ganó.",

	NotesShare: "Cada premio se paga con la misma proporción, %s de %s, porque todos los premios juntos pasan %d veces lo apostado. La proporción sale de las condiciones del sorteo; a cuánto llegan todos los premios lo dice el resultado, y una auditoría de todas las apuestas lo cuenta.",

	NotCompared:    "El punto de control guardado no se pudo comparar con nada de lo que hay aquí.",
	NoOutcome:      "El resultado del sorteo todavía no está publicado.",
	NotesNoWitness: "Ningún testigo confirma cuándo se cerró el sorteo ni que a todos se les muestra este mismo registro: sólo la clave del operador.",
	NotesNotary:    "El número es la palabra del escribano; compárelo con el extracto firmado.",
	NotesTwenty:    "Los veinte números son la palabra del escribano; compárelos con el extracto firmado.",
	NotesFixed:     "El número estaba fijado al abrir el sorteo: quien vio esa entrada lo sabía.",
	NotesKeep:      "Conserve el comprobante como está. Si el archivo está completo y la clave es la correcta, llévelo a quien controla la lotería.",
	NotesOperator:  "Un operador cerró el sorteo a mano el %s; el motivo que dio: %s.",
	NotesEarly:     "Fue antes de su hora de cierre, %s.",
	NotesMissing:   "%d de %d agencias no habían terminado cuando se cerró el sorteo.",
}
