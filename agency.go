package quiniela

// Agency identifies an agency within a draw: 1..N, where N is the number of agencies the draw expects.
// Agency 0 stands for the bets that name no agency.
type Agency uint32

// Unattributed is the agency under which bets that name none are recorded: a single bet, or a batch without a header. It
// can send no numbered batch, is not expected to finish, and has no winners to ask for.
const Unattributed Agency = 0

// ParseAgency reads an agency number in decimal, 0..4294967295. It does not know whether a draw has that agency.
func ParseAgency(s string) (Agency, error) {
	n, err := ParseUint(s, 32)
	if err != nil {
		return 0, Refuse(NoAgency, "agency %q is not a number", Clip(s))
	}
	return Agency(n), nil
}
