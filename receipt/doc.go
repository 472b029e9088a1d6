// Package receipt is the lottery's public formats: a bet's public record and the commitment to its bettor, the root of a
// batch, the log's entries, and the documents that prove them: receipts, outcomes, an agency's proofs, and evidence. Its functions
// depend on their arguments alone: it opens no file or socket, knows neither server nor storage, and draws no numbers (package
// draw does). Whether a document proves what it claims is for package verify; the log itself is package tlog's.
//
// docs/FORMATS.md has every byte of them. testdata/check.py follows it in another language, and reads what this package writes.
//
// Each format has one valid form, and parsing accepts only what encoding writes, but for blank space in JSON. So two people who
// read the same bytes read the same thing, and nothing can hide in them.
package receipt
