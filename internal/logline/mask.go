package logline

import "strings"

// shown is how many of a document's digits a masked one keeps.
const shown = 3

// Mask returns a document with all but its last three digits hidden: enough to recognise a bet that one knows, and too little
// to learn whose bet it is.
func Mask(document string) string {
	hidden := max(0, len(document)-shown)
	return strings.Repeat("*", hidden) + document[hidden:]
}
