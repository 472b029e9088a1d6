package verify

import (
	"fmt"
	"strings"

	"quiniela"
	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Opening says in both languages what a draw-open entry says, for who has to read it before bets end. The entry is what counts: the text
// names its leaf hash.
func Opening(entry []byte, origin string) (string, error) {
	o, err := receipt.ParseDrawOpen(entry)
	if err != nil {
		return "", err
	}
	return opening(&spanish, o, entry, origin) + "\n" + opening(&english, o, entry, origin), nil
}

func opening(w *words, o receipt.DrawOpen, entry []byte, origin string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(w.OpenDraw, o.ID, o.Draw, origin)
	line(w.OpenGame, o.Game)
	line(w.OpenAgencies, o.Agencies)
	line(w.OpenOpened, clock(micros(o.Opened)), o.Opened)
	if o.Close == 0 {
		line(w.OpenEnds)
	} else {
		line(w.OpenCloses, clock(micros(o.Close)), o.Close)
	}
	switch o.Source {
	case quiniela.SourceFixed:
		line(w.OpenFixed, *o.Number)
	case quiniela.SourceNotary:
		line(w.OpenNotary)
	case quiniela.SourceBeacon:
		at := w.OpenUnknown
		if chain := draw.Quicknet(); chain.Hash() == o.Beacon.Chain {
			at = clock(chain.TimeOf(o.Beacon.Round))
		}
		line(w.OpenBeacon, o.Beacon.Round, at, o.Beacon.Chain[:])
	}
	leaf := tlog.LeafHash(entry)
	line(w.OpenLeaf, leaf[:])
	return b.String()
}
