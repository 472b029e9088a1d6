package ledger

import (
	"errors"
	"testing"

	"quiniela"
)

// waitingBatch returns a request of an agency that counts for some bytes in the queue.
func waitingBatch(a quiniela.Agency, size int) *request {
	return &request{batch: &Submission{Agency: a, Frame: make([]byte, size-(&request{}).size())}}
}

func TestAnAgencyWithMuchInHandDelaysAnotherByATurn(t *testing.T) {
	for name, size := range map[string]int{"small batches": 300, "large batches": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(1 << 30)
			for range 100 {
				must(t, q.put(waitingBatch(1, size)))
			}
			must(t, q.put(waitingBatch(2, 300)))
			must(t, q.put(&request{finish: &finishRequest{agency: 2}}))
			must(t, q.put(&request{close: &closeRequest{}}))
			before := 0
			var group []*request
			for len(group) == 0 || group[len(group)-1].close == nil {
				group = q.take(group, 1)
			}
			for _, r := range group {
				if r.batch != nil && r.batch.Agency == 1 {
					before += r.size()
				}
			}
			if most := turnBytes; before > most {
				t.Errorf("%d bytes of agency 1 went before agency 2 and the operator, want %d at most", before, most)
			}
		})
	}
}

// Over many turns each lane sends as much as any other, whatever the size of its requests, and in the order in which they came.
func TestLanesShareByBytes(t *testing.T) {
	q := newQueue(1 << 30)
	sizes := map[quiniela.Agency]int{1: 300, 2: 100_000, 3: 1 << 20}
	put := map[quiniela.Agency][]*request{}
	for a, size := range sizes {
		for range (32 << 20) / size {
			r := waitingBatch(a, size)
			put[a] = append(put[a], r)
			must(t, q.put(r))
		}
	}
	taken := map[quiniela.Agency]int{}
	for range 6 {
		for _, r := range q.take(nil, groupBytes) {
			a := r.batch.Agency
			if r != put[a][0] {
				t.Fatalf("a batch of agency %d overtook another of it", a)
			}
			put[a] = put[a][1:]
			taken[a] += r.size()
		}
	}
	for a, bytes := range taken {
		if bytes < 7<<20 || bytes > 9<<20 {
			t.Errorf("of agency %d %d bytes of 24 MiB, want a third: %v", a, bytes, taken)
		}
	}
}

// An agency that has filled its share of the queue waits, and nobody else does.
func TestOneLaneCannotFillTheQueue(t *testing.T) {
	q := newQueue(1 << 20)
	const size = 1 << 10
	for range (1 << 20) / laneShare / size {
		must(t, q.put(waitingBatch(1, size)))
	}
	if q.fits(waitingBatch(1, size)) {
		t.Fatal("agency 1 may have more than its share")
	}
	late := make(chan error)
	go func() { late <- q.put(waitingBatch(1, size)) }()
	for a := quiniela.Agency(2); a < 6; a++ {
		must(t, q.put(waitingBatch(a, size)))
	}
	q.take(nil, 1)
	must(t, <-late)
	q.close(errors.New("closed"))
	for len(q.take(nil, groupBytes)) > 0 {
	}
	if q.size() != 0 || len(q.lanes) != 0 {
		t.Errorf("%d bytes and %d lanes are left", q.size(), len(q.lanes))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
