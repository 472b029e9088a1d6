package web

import (
	"cmp"
	"strings"

	"quiniela/internal/journal"
)

// actName is a kind of act in the trail, as the pages call it.
type actName struct{ Kind, Spanish, English string }

// In returns the name in the language of a page's texts.
func (a actName) In(t texts) string {
	if t.Lang == "es" {
		return a.Spanish
	}
	return a.English
}

// actNames are all kinds of acts, in the order in which the trail's form has them.
var actNames = []actName{
	{journal.ActOpen, "abrió un sorteo", "opened a draw"},
	{journal.ActClose, "cerró un sorteo", "closed a draw"},
	{journal.ActEnter, "ingresó un número", "entered a number"},
	{journal.ActDiffer, "ingresó un número distinto", "entered a different number"},
	{journal.ActForget, "borró quién apostó", "deleted who bet"},
	{journal.ActFind, "buscó apuestas de una persona", "looked for a person's bets"},
	{journal.ActBackup, "hizo una copia de seguridad", "made a backup"},
	{journal.ActRestore, "restauró una copia", "restored a backup"},
	{journal.ActLogin, "entró a la página", "logged in"},
	{journal.ActRefused, "no pudo entrar", "failed to log in"},
	{journal.ActAgencyAdd, "registró una agencia", "registered an agency"},
	{journal.ActAgencyRotate, "cambió la clave de una agencia", "replaced an agency's key"},
	{journal.ActAgencyRevoke, "dio de baja una agencia", "revoked an agency"},
	{journal.ActOperatorAdd, "registró a una persona", "registered a person"},
	{journal.ActOperatorRotate, "cambió la clave de una persona", "replaced a person's key"},
	{journal.ActOperatorRevoke, "dio de baja a una persona", "revoked a person"},
}

// Kinds returns the kinds of acts.
func (t texts) Kinds() []actName { return actNames }

// Act returns the name of a kind of act. One that is not known is named as the journal names it.
func (t texts) Act(kind string) string {
	for _, a := range actNames {
		if a.Kind == kind {
			return a.In(t)
		}
	}
	return cmp.Or(kind, "?")
}

// spanishNotes are what the ledger notes of a number, in Spanish.
var spanishNotes = strings.NewReplacer("the first of two", "la primera de dos", " and ", " y ", " entered different numbers", " ingresaron números distintos", " entered different extracts", " ingresaron extractos distintos")

// NoteOf returns the note of an act: a person's own words, or what the ledger says of a number.
func (t texts) NoteOf(a Act) string {
	if t.Lang == "es" && (a.What == journal.ActEnter || a.What == journal.ActDiffer) {
		return spanishNotes.Replace(a.Note)
	}
	return a.Note
}
