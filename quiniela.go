// Package quiniela is the domain of a lottery's central system: agencies, bets, draws, winning numbers, limits, the codes of
// refusals, and the one parser and validator of a bet line. It imports only the standard library and knows neither sockets nor
// storage. Every other package speaks in its terms.
package quiniela
