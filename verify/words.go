package verify

import (
	"fmt"
	"strings"

	"quiniela/proof"
)

// words are what a report says in one language.
type words struct {
	lang   string
	titles map[string]string // of steps, by name; English has the names

	NothingToCheck, BeaconAlone, TwoPolicies, NoPolicy, BadPolicy, BadKey string

	Earlier, RoundLater, SameBeacon, Signed, OtherSize, SameLog, NoWitnesses, InTime string

	FailedAt, FailedAll, Bet, BetOnly, Won, NotWon, DrawOnly                       string
	NotCompared, NotesNoWitness, NotesNotary, NotesFallback, NotesFixed, NotesKeep string
}

var english = words{
	lang: "en",

	NothingToCheck: "there is nothing to check: give a receipt",
	BeaconAlone:    "a beacon's round is compared with what a draw used: give the draw's outcome too",
	TwoPolicies:    "a policy has its logs' keys: give a policy or a key, not both",
	NoPolicy: "whom shall I believe? Anybody can make a log and sign it, so a receipt proves nothing without the right key. " +
		"Give the log's verifier key, from the lottery's notice in a newspaper or an official bulletin or from its regulator, " +
		"or a policy, which has that key and those of witnesses; not from where the receipt came from",
	BadPolicy: "the policy cannot be used: %w",
	BadKey:    "the log's verifier key cannot be used: %w; it is one line, name+id+base64",

	Earlier:     "not checked, since what it needs is not proven",
	RoundLater:  "round %d was public at %s, and bets had ended at %s",
	SameBeacon:  "the round from elsewhere is the one that the result has",
	Signed:      "signed by the log %s, %d entries",
	OtherSize:   "not checked: it has %d entries, and neither document shows the log at that size; an audit of the whole log compares it",
	SameLog:     "the log that was kept and the one in the documents are the same",
	NoWitnesses: "not checked: the policy names no witness, and nobody else can say when the seal was there",
	InTime:      "witnesses had signed the seal before %s, when the round was public",

	FailedAt:  "NOT PROVEN: the step %q of the %s failed.",
	FailedAll: "NOT PROVEN.",
	Bet:       "the bet of %s %s on %04d, stake %d, is bet %d of batch %d of agency %d in the log %s",
	BetOnly:   "PROVEN: %s; whether it won needs the draw's outcome.",
	Won:       "PROVEN: %s, and in draw %s the number is %04d: THE BET WON.",
	NotWon:    "PROVEN: %s, and in draw %s the number is %04d: the bet did not win.",
	DrawOnly:  "PROVEN: in draw %s of the log %s the number is %04d.",

	NotCompared:    "The checkpoint that was kept could not be compared with anything here.",
	NotesNoWitness: "No witness vouches here that everybody is shown this same log: only the operator's key does.",
	NotesNotary:    "The number is the notary's word; compare it with the signed extract.",
	NotesFallback:  "The draw was to be decided by a beacon's round, and a notary entered the number instead, as its terms allow where the round never came.",
	NotesFixed:     "The number was fixed when the draw was opened: whoever saw that entry knew it.",
	NotesKeep:      "Keep the receipt as it is. If the file is whole and the key is right, take it to whoever supervises the lottery.",
}

var spanish = words{
	lang: "es",
	titles: map[string]string{
		proof.StepFormat: "formato", proof.StepRecord: "apuesta", proof.StepCommitment: "de quién es", proof.StepBatch: "lote",
		proof.StepBatchPath: "apuesta en el lote", proof.StepCheckpoint: "firma del registro", proof.StepWitnesses: "testigos",
		proof.StepLogPath: "lote en el registro", proof.StepOpen: "apertura del sorteo", proof.StepSeal: "cierre del sorteo",
		proof.StepBefore: "antes del cierre", proof.StepResult: "resultado", proof.StepNumber: "número",
		StepRoundTime: "ronda posterior al cierre", StepBeacon: "ronda de otra fuente", StepSameLog: "el mismo registro",
		StepInTime: "cierre visto a tiempo",
	},

	NothingToCheck: "no hay nada que verificar: indique un comprobante",
	BeaconAlone:    "la ronda del faro se compara con la que usó un sorteo: indique también el resultado del sorteo",
	TwoPolicies:    "una política ya tiene las claves de sus registros: indique una política o una clave, no ambas",
	NoPolicy: "¿a quién hay que creerle? Cualquiera puede hacer un registro y firmarlo: sin la clave correcta un comprobante no prueba nada. " +
		"Indique la clave del registro, tomada del aviso de la lotería en un diario o en el boletín oficial o de quien la controla, " +
		"o una política, que tiene esa clave y las de los testigos; no del mismo lugar que el comprobante",
	BadPolicy: "la política no se puede usar: %w",
	BadKey:    "la clave del registro no se puede usar: %w; es una línea, nombre+id+base64",

	Earlier:     "no se verificó, porque no está probado lo que necesita",
	RoundLater:  "la ronda %d se publicó el %s, y las apuestas habían terminado el %s",
	SameBeacon:  "la ronda de otra fuente es la que figura en el resultado",
	Signed:      "firmado por el registro %s, %d entradas",
	OtherSize:   "no se verificó: tiene %d entradas, y ningún documento muestra el registro con ese tamaño; una auditoría del registro entero lo compara",
	SameLog:     "el registro guardado y el de los documentos son el mismo",
	NoWitnesses: "no se verificó: la política no nombra testigos, y nadie más puede decir cuándo estaba el cierre",
	InTime:      "los testigos firmaron el cierre antes del %s, cuando se publicó la ronda",

	FailedAt:  "NO ESTÁ PROBADO: falló el paso «%s» del %s.",
	FailedAll: "NO ESTÁ PROBADO.",
	Bet:       "la apuesta de %s %s al %04d, de %d, es la apuesta %d del lote %d de la agencia %d en el registro %s",
	BetOnly:   "PROBADO: %s; para saber si ganó hace falta el resultado del sorteo.",
	Won:       "PROBADO: %s, y en el sorteo %s salió el %04d: LA APUESTA GANÓ.",
	NotWon:    "PROBADO: %s, y en el sorteo %s salió el %04d: la apuesta no ganó.",
	DrawOnly:  "PROBADO: en el sorteo %s del registro %s salió el %04d.",

	NotCompared:    "El punto de control guardado no se pudo comparar con nada de lo que hay aquí.",
	NotesNoWitness: "Ningún testigo asegura aquí que a todos se les muestra este mismo registro: sólo la clave del operador.",
	NotesNotary:    "El número es la palabra del escribano; compárelo con el extracto firmado.",
	NotesFallback:  "Al sorteo lo iba a decidir la ronda de un faro y el número lo ingresó un escribano, como lo permiten sus términos si la ronda nunca llegó.",
	NotesFixed:     "El número estaba fijado al abrir el sorteo: quien vio esa entrada lo sabía.",
	NotesKeep:      "Conserve el comprobante como está. Si el archivo está entero y la clave es la correcta, llévelo a quien controla la lotería.",
}

// title returns a step's name in the language.
func (w *words) title(name string) string {
	if t, ok := w.titles[name]; ok {
		return t
	}
	return name
}

// document names a part's document.
func (w *words) document(part string) string {
	if w.lang != "es" {
		return map[string]string{PartReceipt: "receipt", PartOutcome: "draw's outcome", PartBeacon: "beacon's round", PartCheckpoint: "kept checkpoint"}[part]
	}
	return map[string]string{PartReceipt: "comprobante", PartOutcome: "resultado del sorteo", PartBeacon: "faro", PartCheckpoint: "punto de control guardado"}[part]
}

// failure says that a step failed and why. The reason is in English, for whoever looks into it.
func (w *words) failure(name, reason string) string {
	if w.lang != "es" {
		return reason
	}
	meaning, ok := map[string]string{
		proof.StepFormat:     "el archivo está dañado o no es lo que se espera",
		proof.StepRecord:     "los datos de la apuesta no son válidos",
		proof.StepCommitment: "la apuesta no es de esta persona, o el comprobante fue cambiado",
		proof.StepBatch:      "la entrada del lote no es válida",
		proof.StepBatchPath:  "la apuesta no está en el lote",
		proof.StepCheckpoint: "no lo firmó un registro que la política conozca",
		proof.StepWitnesses:  "no lo firmaron los testigos que la política pide",
		proof.StepLogPath:    "el lote no está en el registro",
		proof.StepOpen:       "la apertura del sorteo no está en el registro",
		proof.StepSeal:       "el cierre del sorteo no está en el registro",
		proof.StepBefore:     "la apuesta no está entre la apertura y el cierre de este sorteo",
		proof.StepResult:     "el resultado no está en el registro después del cierre",
		proof.StepNumber:     "el número no resulta de lo que se fijó al abrir el sorteo",
		StepRoundTime:        "la ronda ya era pública cuando todavía se podía apostar",
		StepBeacon:           "no es la ronda que figura en el resultado",
		StepSameLog:          "no es el mismo registro; conserve los dos archivos y hágalos públicos",
		StepInTime:           "los testigos no firmaron el cierre antes de que se publicara la ronda",
	}[name]
	if !ok {
		return reason
	}
	return meaning + " (" + reason + ")"
}

// found says what a step of package proof found.
func (w *words) found(part string, s proof.Step, v *proof.Verified) string {
	if w.lang != "es" {
		return s.Text
	}
	switch s.Name {
	case proof.StepFormat:
		return "el archivo está completo y bien formado"
	case proof.StepRecord:
		return fmt.Sprintf("número %04d, importe %d, juego %d%s", v.Record.Number, v.Record.Stake, v.Record.Game, madeAt(v.Record.Time))
	case proof.StepCommitment:
		r := v.Receipt
		return fmt.Sprintf("la hizo %s %s, documento %s, fecha de nacimiento %s", r.FirstName, r.LastName, r.Document, r.Birthdate)
	case proof.StepBatch:
		return fmt.Sprintf("sorteo %d, agencia %d, lote %d de %d apuestas", v.Batch.Draw, v.Batch.Agency, v.Batch.Batch, v.Batch.Count)
	case proof.StepBatchPath:
		return fmt.Sprintf("es la apuesta %d del lote, contando desde 0", v.Receipt.Index)
	case proof.StepCheckpoint:
		return fmt.Sprintf(w.Signed, v.At.Origin, v.At.Size)
	case proof.StepWitnesses:
		if len(v.At.Cosigned) == 0 {
			return "la política no pide testigos"
		}
		return fmt.Sprintf("firmado por %d testigos", len(v.At.Cosigned))
	case proof.StepLogPath:
		return fmt.Sprintf("el lote es la entrada %d de las %d del registro", v.Receipt.Batch.Index, v.At.Size)
	}
	return w.foundInDraw(s, v)
}

func (w *words) foundInDraw(s proof.Step, v *proof.Verified) string {
	switch s.Name {
	case proof.StepOpen:
		return fmt.Sprintf("la apertura del sorteo %d, «%s», está en el registro", v.Open.Draw, v.Open.ID)
	case proof.StepSeal:
		return fmt.Sprintf("el sorteo se cerró con %d apuestas en %d lotes", v.Seal.Bets, v.Seal.Batches)
	case proof.StepBefore:
		return "el lote de la apuesta está entre la apertura y el cierre"
	case proof.StepResult:
		return "el resultado está en el registro después del cierre"
	case proof.StepNumber:
		return fmt.Sprintf("%04d, %s", v.Result.Number, map[string]string{
			proof.SourceBeacon: "de la ronda del faro que el sorteo nombró al abrirse",
			proof.SourceNotary: "como lo ingresó un escribano",
			proof.SourceFixed:  "como se fijó al abrir el sorteo",
		}[v.Result.Source])
	}
	return s.Text
}

func madeAt(ms uint64) string {
	if ms == 0 {
		return ""
	}
	return ", hecha el " + clock(micros(1000*ms))
}

func (c *checker) note(text string) { c.report.Notes = append(c.report.Notes, text) }

// conclude comes to the verdict.
func (c *checker) conclude() {
	w, r := c.words, &c.report
	for _, s := range r.Steps {
		if s.State == Failed {
			r.Verdict = fmt.Sprintf(w.FailedAt, s.Title, w.document(s.Part))
			c.note(w.NotesKeep)
			return
		}
	}
	if c.Receipt != nil && c.bet == nil || c.Outcome != nil && c.draw == nil {
		r.Verdict = w.FailedAll // a step that could not be made, and none failed: nothing is proven
		return
	}
	r.Proven = true
	if !c.policy.NeedsWitnesses() {
		c.note(w.NotesNoWitness)
	}
	if c.draw != nil {
		c.source()
	}
	r.Verdict = c.verdict()
}

// source says what the number rests on, where that is not a beacon.
func (c *checker) source() {
	switch open, result := c.draw.Open, c.draw.Result; {
	case result.Source == proof.SourceFixed:
		c.note(c.words.NotesFixed)
	case result.Source == proof.SourceNotary && open.Source == proof.SourceBeacon:
		c.note(c.words.NotesFallback)
		c.note(c.words.NotesNotary)
	case result.Source == proof.SourceNotary:
		c.note(c.words.NotesNotary)
	}
}

func (c *checker) verdict() string {
	w := c.words
	if c.bet == nil {
		return fmt.Sprintf(w.DrawOnly, c.draw.Open.ID, c.draw.At.Origin, c.draw.Result.Number)
	}
	b, receipt := c.bet, c.bet.Receipt
	bet := fmt.Sprintf(w.Bet, receipt.FirstName, receipt.LastName, b.Record.Number, b.Record.Stake,
		receipt.Index, b.Batch.Batch, b.Batch.Agency, b.At.Origin)
	if c.draw == nil {
		return fmt.Sprintf(w.BetOnly, bet)
	}
	won := b.Record.Number == c.draw.Result.Number
	c.report.Won = &won
	format := w.NotWon
	if won {
		format = w.Won
	}
	return fmt.Sprintf(format, bet, c.draw.Open.ID, c.draw.Result.Number)
}

// Text returns the report as a person reads it in a terminal: a line for each step, and the verdict.
func (r *Report) Text() string {
	var b strings.Builder
	part := ""
	for _, s := range r.Steps {
		if s.Part != part {
			part = s.Part
			_, _ = fmt.Fprintf(&b, "%s\n", part)
		}
		mark := map[State]string{OK: "ok", Failed: "FAILED", Skipped: "not checked"}[s.State]
		_, _ = fmt.Fprintf(&b, "  %-12s%-22s%s\n", mark, s.Title, printable(strings.TrimPrefix(s.Text, notChecked+", ")))
	}
	_, _ = fmt.Fprintf(&b, "\n%s\n", printable(r.Verdict))
	for _, n := range r.Notes {
		_, _ = fmt.Fprintln(&b, n)
	}
	return b.String()
}

// printable takes out what could move a terminal's cursor: names in a receipt are whoever's who wrote it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '�'
		}
		return r
	}, s)
}
