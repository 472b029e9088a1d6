package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/journal/journaltest"
	"quiniela/internal/sample"
)

// randomTerms are some terms that a draw can have.
func randomTerms(r *rand.Rand) *quiniela.Terms {
	t := &quiniela.Terms{MinStake: 1, Cap: r.Uint32N(6)}
	for i := range t.Multipliers {
		t.Multipliers[i] = 1 + r.Uint32N(1<<(1+r.IntN(19)))
	}
	return t
}

func randomExtract(r *rand.Rand) []quiniela.Number {
	extract := make([]quiniela.Number, quiniela.PrizeCount)
	for i := range extract {
		if extract[i] = quiniela.Number(r.IntN(10000)); i > 0 && r.IntN(4) == 0 {
			extract[i] = extract[r.IntN(i)] // the same number may come twice
		}
	}
	return extract
}

// randomPlay is a play that is likely to hit.
func randomPlay(r *rand.Rand, t *quiniela.Terms, extract []quiniela.Number) quiniela.Play {
	p := quiniela.Play{Digits: 1 + uint8(r.IntN(4)), From: 1 + uint8(r.IntN(20)), Stake: 1 + r.Uint64N(min(t.MostStaked(), quiniela.MaxStake)>>(r.IntN(40)))}
	p.To = p.From + uint8(r.IntN(21-int(p.From)))
	ends := []quiniela.Number{10, 100, 1000, 10000}[p.Digits-1]
	if p.Number = extract[r.IntN(20)] % ends; r.IntN(2) == 0 {
		p.Number = quiniela.Number(r.IntN(int(ends)))
	}
	return p
}

// The ledger's arithmetic, which is quick, comes to what the plain one does, in whatever order the bets come, and nothing is lost in
// rounding: a prize and its share are truncated once each, and what is paid together is never over the cap.
func TestThePrizesAreThoseOfThePlainRules(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		terms, extract := randomTerms(r), randomExtract(r)
		table := newHits(extract)
		var staked, all uint64
		wantStaked, wantAll := new(big.Int), new(big.Int)
		var dues []uint64
		for range r.IntN(60) {
			p := randomPlay(r, terms, extract)
			if staked+p.Stake > terms.MostStaked() {
				continue // the ledger refuses it
			}
			staked += p.Stake
			wantStaked.Add(wantStaked, new(big.Int).SetUint64(p.Stake))
			var play [quiniela.PlaySize]byte
			p.Put(&play)
			hits := len(draw.Hits(extract, p))
			if got := table.of(play[:]); got != hits {
				t.Fatalf("%+v hits %d times in %v, want %d", p, got, extract, hits)
			}
			if hits == 0 {
				continue
			}
			want := draw.Prize(terms, p, hits)
			got := due(terms, play[:], hits)
			if !want.IsUint64() || got != want.Uint64() {
				t.Fatalf("%+v with %d hits under %s is due %d, want %s", p, hits, terms, got, want)
			}
			dues = append(dues, got)
			all += got
			wantAll.Add(wantAll, want)
		}
		part, pool := shareOf(terms, staked, all), draw.Pool(terms, wantStaked, wantAll)
		if !wantAll.IsUint64() || all != wantAll.Uint64() || part.pool != pool.Uint64() {
			t.Fatalf("%d are due of which %d are paid, want %s and %s", all, part.pool, wantAll, pool)
		}
		var paid uint64
		for _, d := range dues {
			got, want := part.of(d), draw.Paid(new(big.Int).SetUint64(d), pool, wantAll)
			if got != want.Uint64() {
				t.Fatalf("of %d are paid %d, want %s", d, got, want)
			}
			paid += got
		}
		if terms.Cap > 0 && paid > uint64(terms.Cap)*staked || paid > all || part.whole() && paid != all || part.pool-paid > uint64(len(dues)) {
			t.Fatalf("%d are paid of %d, with %d staked under %s", paid, all, staked, terms)
		}
	}
}

// The digests of spans are hashed in the spans' order, whichever is found first, and none of them stays in memory.
func TestDigestsAreHashedInTheOrderOfTheirSpans(t *testing.T) {
	const spans = 50
	want := sha256.New()
	found := make([]spanPrizes, spans)
	for i := range found {
		found[i].digests = fmt.Appendf(nil, "digests of span %d\n", i)
		_, _ = want.Write(found[i].digests)
	}
	o := &ordered{hash: sha256.New(), found: found, done: make([]bool, spans)}
	var all sync.WaitGroup
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(spans) {
		all.Go(func() { o.add(i) })
	}
	all.Wait()
	if got := o.hash.Sum(nil); !bytes.Equal(got, want.Sum(nil)) {
		t.Errorf("%x, want %x", got, want.Sum(nil))
	}
	for i := range found {
		if found[i].digests != nil {
			t.Fatalf("the digests of span %d are still there", i)
		}
	}
}

// BenchmarkPrizes finds the winning bets of a batch, as the result of a draw does.
func BenchmarkPrizes(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	terms, extract := quiniela.DefaultTerms(), randomExtract(r)
	var plays []byte
	const bets = 150
	for range bets {
		p := quiniela.Play{Digits: 2 + uint8(r.IntN(2)), From: 1, To: 1, Stake: 100_00}
		p.Number = quiniela.Number(r.IntN([]int{0, 10, 100, 1000}[p.Digits]))
		if r.IntN(4) == 0 {
			p.To = 10
		}
		var packed [quiniela.PlaySize]byte
		p.Put(&packed)
		plays = append(plays, packed[:]...)
	}
	table, cents := newHits(extract), uint64(0)
	for b.Loop() {
		for rest := plays; len(rest) > 0; rest = rest[quiniela.PlaySize:] {
			if n := table.of(rest); n > 0 {
				cents += due(&terms, rest, n)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/bets, "ns/bet")
	_ = cents
}

// BenchmarkFindPrizes finds what the bets of a draw are paid, from the state on the disk.
func BenchmarkFindPrizes(b *testing.B) {
	var disk journaltest.Disk
	j, err := disk.Open()
	must(b, err)
	defer func() { _ = j.Close() }()
	l, err := Open(b.Context(), j, Options{Dir: b.TempDir()})
	must(b, err)
	defer func() { _ = l.Close() }()
	terms := quiniela.DefaultTerms()
	d, err := l.OpenDraw(b.Context(), Actor{}, Terms{ID: "evening", Agencies: 1, Rule: draw.Rule{Source: quiniela.SourceNotary}, Game: &terms})
	must(b, err)
	const bets, batchBets = 1_000_000, 125
	var text bytes.Buffer
	must(b, sample.WriteGame(&text, quiniela.GameQuiniela, 1, 1, 64*batchBets))
	lines := bytes.SplitAfter(text.Bytes(), []byte("\n"))
	for i := range bets / batchBets {
		from := i % 64 * batchBets
		s := &Submission{Draw: d.Seq, Agency: 1, Batch: uint64(i + 1), Start: Headroom}
		s.Frame = append(make([]byte, Headroom, 16<<10), bytes.Join(lines[from:from+batchBets], nil)...)
		must(b, l.Submit(s))
		_, err := s.Wait()
		must(b, err)
	}
	must(b, l.Finish(b.Context(), d.Seq, 1, 0, nil))
	d, err = l.EnterPrizes(b.Context(), Actor{}, "evening", randomExtract(rand.New(rand.NewPCG(1, 2))), nil)
	must(b, err)
	for b.Loop() {
		_, err := l.state.findPrizes(b.Context(), d)
		must(b, err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/bets, "ns/bet")
}
