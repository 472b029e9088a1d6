package verify

var english = words{
	texts: [texts]string{
		textReceipt:         "the receipt is complete and well-formed",
		textOutcome:         "the draw's outcome is complete and well-formed",
		textRecord:          "number %04d, stake %d, game %d",
		textRecordWithTime:  "number %04d, stake %d, game %d, made at %s",
		textCommitment:      "the bet was made by %s %s, document %s, born %s",
		textBatch:           "draw %d, agency %d, batch %d of %d bets",
		textBatchProof:      "the bet is number %d of the batch, counted from 0",
		textSigned:          "signed by the log %s, %d entries",
		textWitnesses:       "cosigned by %d witnesses: nobody is shown another log",
		textNoWitnessNeeded: "the policy needs no witness",
		textLogProof:        "the batch is entry %d of the %d in the log",
		textOpen:            "draw %d, %q, was opened by entry %d of the log",
		textSeal:            "the draw was sealed by entry %d with %d bets in %d batches",
		textResult:          "the result is entry %d, after the seal",
		textBefore:          "the bet's batch, entry %d, is before the seal, entry %d",
		textNumberBeacon:    "%04d, from the beacon's round that the draw named when it opened",
		textNumberNotary:    "%04d, as a notary entered it, who handed in no extract",
		textNumberExtract:   "%04d, as a notary entered it; the signed extract has the SHA-256 %x",
		textNumberFixed:     "%04d, as it was fixed when the draw opened",
		textRoundTime:       "round %d was public at %s, and bets had ended at %s",
		textSameBeacon:      "the round from elsewhere is the one that the result has",
		textSameLog:         "the log that was kept and the one in the documents are the same",
		textInTime:          "witnesses had signed the seal before %s, when the round was public",

		textUnproven:    "what it needs is not proven",
		textOtherSize:   "it has %d entries, and neither document shows the log at that size; an audit of the whole log compares it",
		textNoWitnesses: "the policy names no witness, and nobody else can say when the seal was there",
	},
	parts: map[string]string{
		PartReceipt: "receipt", PartOutcome: "draw's outcome", PartBeacon: "beacon's round", PartCheckpoint: "kept checkpoint",
	},

	NothingToCheck: "there is nothing to check: give a receipt",
	BeaconAlone:    "a beacon's round is compared with what a draw used: give the draw's outcome too",
	TwoPolicies:    "a policy has its logs' keys: give a policy or a key, not both",
	NoPolicy: "whose signatures count? Anybody can make a log and sign it, so a receipt proves nothing without the right key. " +
		"Give the log's verifier key, from the lottery's notice in a newspaper or an official bulletin or from its regulator, " +
		"or a policy, which has that key and those of witnesses; not from where the receipt came from",
	BadPolicy: "the policy cannot be used: %w",
	BadKey:    "the log's verifier key cannot be used: %w; it is one line, name+id+base64",

	FailedAt:  "NOT PROVEN: the step %q of the %s failed.",
	FailedAll: "NOT PROVEN.",
	Bet:       "the bet of %s %s on %04d, stake %d, is bet %d of batch %d of agency %d in the log %s",
	BetOnly:   "PROVEN: %s; whether it won needs the draw's outcome.",
	Won:       "PROVEN: %s, and in draw %s the number is %04d: THE BET WON.",
	NotWon:    "PROVEN: %s, and in draw %s the number is %04d: the bet did not win.",
	DrawOnly:  "PROVEN: in draw %s of the log %s the number is %04d.",

	NotCompared:    "The checkpoint that was kept could not be compared with anything here.",
	NotesNoWitness: "No witness confirms that everybody is shown this same log: only the operator's key does.",
	NotesNotary:    "The number is the notary's word; compare it with the signed extract.",
	NotesFallback:  "A beacon's round was to decide the draw, and a notary entered the number instead; the draw's terms allow that where the round never came.",
	NotesFixed:     "The number was fixed when the draw was opened: whoever saw that entry knew it.",
	NotesKeep:      "Keep the receipt as it is. If the file is complete and the key is right, take it to whoever supervises the lottery.",
}
