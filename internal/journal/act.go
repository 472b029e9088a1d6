package journal

import "quiniela"

// Entered says that one of the two people that a draw's number needs has entered it, and what. Only the second one's Number has an
// effect. An Entered of another person that differs takes both back; one of the same person takes the place of the first.
type Entered struct {
	Draw    uint64            `json:"draw"`
	Number  quiniela.Number   `json:"number"`
	Prizes  []quiniela.Number `json:"prizes,omitempty"`  // all twenty, in the game quiniela
	Extract []byte            `json:"extract,omitempty"` // SHA-256 of the official extract that came with it
	Who     string            `json:"who"`               // a registered operator
	At      int64             `json:"at"`
}

// Act is an entry of the audit trail: what a person did to the lottery, or tried to.
type Act struct {
	What  string `json:"what"`            // one of the Act… words
	Who   string `json:"who"`             // see ledger.Actor; "" is a stranger
	From  string `json:"from,omitempty"`  // see ledger.Actor
	Draw  string `json:"draw,omitempty"`  // the name of the draw that it is about
	About string `json:"about,omitempty"` // the agency, the operator or the folder that it is about
	Note  string `json:"note,omitempty"`
	// Failed is why it was not done; "" where it was.
	Failed string `json:"failed,omitempty"`
	// Registry and Change name the change of a registry that this is, counted from 1 in the registry of that ID. Every server that has
	// the registry records it, and only the first record of it stays. "" and 0: it is no change of a registry.
	Registry string `json:"registry,omitempty"`
	Change   uint64 `json:"change,omitempty"`
	At       int64  `json:"at"` // µs since the Unix epoch
}

// What people do.
const (
	ActOpen           = "open"         // a draw
	ActClose          = "close"        // a draw
	ActEnter          = "enter"        // a draw's number, or its beacon's round
	ActDiffer         = "differ"       // entered another number than the first person: both count for nothing
	ActForget         = "forget"       // who bet in a draw
	ActFind           = "find"         // a person's bets
	ActBackup         = "backup"       // of the journal
	ActExport         = "export"       // of a draw's bets
	ActRestore        = "restore"      // of a backup
	ActLogin          = "login"        // to the page
	ActRefused        = "login_failed" // wrong names or keys
	ActAgencyAdd      = "agency_add"
	ActAgencyRotate   = "agency_rotate" // new credentials
	ActAgencyRevoke   = "agency_revoke"
	ActOperatorAdd    = "operator_add"
	ActOperatorRotate = "operator_rotate" // a new key
	ActOperatorRevoke = "operator_revoke"
)
