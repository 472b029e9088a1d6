// Package receipt is the lottery's public formats: a bet's public record and the commitment to its bettor, the root of a
// batch, the log's entries, receipts and outcomes. Its functions depend on their arguments alone: it opens no file or socket,
// knows neither server nor storage, and draws no numbers (package draw does). Whether a receipt is right is for package
// verify; the log itself is package tlog's.
//
// # Entries
//
// The log has one leaf for each batch, and a text entry where a draw opens, is sealed, and has its result. A batch is 92
// bytes, big-endian:
//
//	 0  "QNB1"
//	 4  u64 draw                 12  u32 agency            16  u64 batch, the agency's
//	24  u32 count of its bets    28  u64 their stake
//	36  u64 cumulative bets      44  u64 cumulative stake, both of the agency in the draw, this batch included
//	52  u64 received, µs         60  batch root, 32 bytes
//
// A text entry is lines of `name value`, each ended by one '\n', all of them present and in this order. Numbers are
// decimal without leading zeros, hashes 64 lower-case hexadecimal digits, times µs since the Unix epoch, and a value that
// does not apply is "-". Parsing accepts only what encoding writes.
//
//	quiniela/v1/draw-open
//	draw 7                      the log's number for the draw, from 1
//	id 2026-01-31               the operator's name for it: 1 to 255 bytes of printable UTF-8
//	rules quiniela/2026         which rules hold, by name: as id
//	agencies 5                  how many are expected
//	opened 1769800000000000
//	close 1769886000000000      when bets end; - where that is when all agencies have finished
//	source beacon               where the number comes from: fixed, beacon or notary
//	number -                    the number, for fixed only
//	chain 52db9b…               the beacon's chain hash, for beacon only
//	round 25700900              the beacon's round, for beacon only
//	fallback notary             who says the number if the round never comes: notary, or none; for beacon only
//
//	quiniela/v1/seal
//	draw 7
//	open 12                     the draw-open entry's index in the log
//	batches 2
//	bets 300
//	stake 30000
//	agencies 2                  how many have totals
//	totals 9f3c…                RFC 6962 root of the lines of Totals
//	sealed 1769886000200000
//
//	quiniela/v1/result
//	draw 7
//	open 12
//	seal 15                     the seal's index in the log
//	source beacon               as it was in the end: notary where the fallback was used
//	number 4597
//	prizes 4597 9224 …          all 20, the number first; - where the source yields one number
//	evidence b446…              beacon: the round's signature (48 bytes); notary: SHA-256 of the signed extract, or -; fixed: -
//	winners 3
//	drawn 1769886090000000
//
// The totals of the agencies are lines of their own, `<agency> <batches> <bets> <stake>`, by ascending agency, published
// beside the seal: an entry is at most 65,535 bytes, and lotteries have thousands of agencies.
package receipt
