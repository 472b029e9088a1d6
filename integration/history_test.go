//go:build unix

package integration

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var histories = flag.Int("histories", 0, "how many histories TestHistories records and checks; 0: 10 with -exhaustive, and 4 without")

const (
	historyAgencies = 3
	historyWorkers  = 2 // connections of each agency at once
	historyCrashes  = 3
)

// question is what a worker asks.
type question struct {
	verb    string // batch, finish, hello, query
	agency  int
	number  int  // of a batch; 0: the server's choice
	content byte // of a batch: the one bet's document, and from 'A' to 'Z' it is on the winning number
	due     int  // to its connection a batch was refused: new ones are taken up to this number; 0: none was
}

func (q question) String() string {
	return fmt.Sprintf("%s agency %d batch %d content %q due %d", q.verb, q.agency, q.number, q.content, q.due)
}

func (q question) body() string {
	switch q.verb {
	case "batch":
		head := fmt.Sprintf("agency_ID|%d", q.agency)
		if q.number > 0 {
			head += fmt.Sprintf("|%d", q.number)
		}
		number := 1
		if q.content < 'a' {
			number = 7574
		}
		return fmt.Sprintf("%s\nAna,Paz,%d,1990-01-01,%d\n", head, q.content, number)
	case "finish":
		return fmt.Sprintf("notify_finished|%d\n", q.agency)
	case "hello":
		return fmt.Sprintf("hello|%d|\n", q.agency)
	default:
		return fmt.Sprintf("query_winners|%d\n", q.agency)
	}
}

// lost is the answer to what a crash left without one: it may have been done or not.
const lost = "lost"

// lottery is the model: what a central that does one thing at a time knows. It is comparable.
type lottery struct {
	batches  [historyAgencies + 1]string // the contents, in order
	finished [historyAgencies + 1]bool
	drawn    bool // an agency was told its winners
}

func (l lottery) sealed() bool {
	for _, f := range l.finished[1:] {
		if !f {
			return false
		}
	}
	return true
}

// step says whether a central in state l may answer q with a, and the state after it.
func (l lottery) step(q question, a string) (bool, lottery) {
	next := len(l.batches[q.agency]) + 1
	switch q.verb {
	case "batch":
		return l.stepBatch(q, a, next)
	case "finish":
		l.finished[q.agency] = true
		return a == "ack_notify" || a == lost, l
	case "hello":
		return strings.HasPrefix(a, fmt.Sprintf("ok|%d|%d|", next, next-1)), l
	default:
		if a == "in_progress-sorteo_no_listo" {
			return !l.drawn, l
		}
		want, n := "", 0
		for _, c := range []byte(l.batches[q.agency]) {
			if c < 'a' {
				want += fmt.Sprintf("\n%d", c)
				n++
			}
		}
		l.drawn = true
		return l.sealed() && a == fmt.Sprintf("ok|%d%s", n, want), l
	}
}

func (l lottery) stepBatch(q question, a string, next int) (bool, lottery) {
	number := q.number
	if number == 0 {
		number = next
	}
	var want string
	switch {
	case number < next && l.batches[q.agency][number-1] == q.content:
		want = "success|1"
	case number < next:
		want = "fail|0|conflict|"
	case l.finished[q.agency]:
		want = "fail|0|finished|"
	case number > next:
		want = fmt.Sprintf("fail|0|gap|%d", next)
	case q.number > 0 && q.due > 0 && q.number > q.due:
		want = fmt.Sprintf("fail|0|gap|%d", q.due)
	default:
		want = "success|1"
		l.batches[q.agency] += string(q.content)
	}
	if q.number == 0 && strings.HasPrefix(want, "fail") {
		want = "fail|0" // the specification's
	}
	return a == lost || a == want || strings.HasSuffix(want, "|") && strings.HasPrefix(a, want), l
}

var lotteryModel = porcupine.Model{
	Init: func() any { return lottery{} },
	Step: func(s, q, a any) (bool, any) {
		ok, next := s.(lottery).step(q.(question), a.(string))
		return ok, next
	},
	DescribeOperation: func(q, a any) string { return fmt.Sprintf("%v -> %q", q, a) },
	DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
}

// recorder asks the central and writes down when, what, and what it said.
type recorder struct {
	began     time.Time
	mu        sync.Mutex
	questions []porcupine.Operation
}

// historyWorker is one connection at a time of one agency.
type historyWorker struct {
	*recorder
	id        int
	agency    int
	rng       *rand.Rand
	addresses []string
	conn      net.Conn
	replies   *bufio.Reader
	next      int  // the batch it believes to come next
	greeted   bool // its connection has said hello; what follows is since then
	refused   bool // a numbered batch was refused
	known     int  // the number up to which it knows batches to be stored
}

// TestHistories records what several connections of each agency were answered, with the server killed in between, and
// looks for an order of one thing at a time that explains it.
func TestHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	asked, unanswered := 0, 0
	histories := sampled(*histories, 10, 4)
	for n := range histories {
		h := recordHistory(t, uint64(n), [][]string{nil})
		asked += len(h)
		for _, op := range h {
			if op.Output == lost {
				unanswered++
			}
		}
		checkHistory(t, h)
	}
	t.Logf("%d histories of %d questions, %d of them without an answer", histories, asked, unanswered)
	if unanswered == 0 {
		t.Error("no crash took an answer: the histories do not test what they should")
	}
}

func checkHistory(t *testing.T, h []porcupine.Operation) {
	t.Helper()
	result, info := porcupine.CheckOperationsVerbose(lotteryModel, h, time.Minute)
	if result == porcupine.Ok {
		return
	}
	f := filepath.Join(t.ArtifactDir(), "history.html")
	if err := porcupine.VisualizePath(lotteryModel, info, f); err != nil {
		t.Error(err)
	}
	t.Fatalf("a history of %d questions is %s; look at %s (kept with -artifacts)", len(h), result, f)
}

// recordHistory runs one lottery with servers, as many as there are options, that are killed a few times, with other faults
// in between.
func recordHistory(t *testing.T, seed uint64, options [][]string, faults ...func([]*killing)) []porcupine.Operation {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var servers []*killing
	var addresses []string
	for _, o := range options {
		k := &killing{lab: &lab{t, t.TempDir()}, rng: rng, address: "127.0.0.1:" + freePort(t), kills: map[string]int{}}
		k.options = append([]string{"--agencies", strconv.Itoa(historyAgencies)}, o...)
		k.startServer()
		servers, addresses = append(servers, k), append(addresses, k.address)
	}
	r := &recorder{began: time.Now()}
	var workers sync.WaitGroup
	for id := range historyAgencies * historyWorkers {
		w := &historyWorker{
			recorder: r, id: id, agency: 1 + id%historyAgencies, next: 1,
			rng: rand.New(rand.NewPCG(seed, uint64(id)+2)), addresses: addresses,
		}
		workers.Go(w.work)
	}
	for range historyCrashes {
		time.Sleep(time.Duration(30+rng.IntN(60)) * time.Millisecond)
		servers[rng.IntN(len(servers))].killServer()
		if len(faults) > 0 {
			time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
			faults[0](servers)
			faults = faults[1:]
		}
	}
	workers.Wait()
	awaitStart(servers) // a signal would end one that has only just begun
	for _, k := range servers {
		k.server.stop()
	}
	return r.questions
}

const historyQuestions = 40 // of each worker, before it finishes

func (w *historyWorker) work() {
	defer w.hangUp()
	for range historyQuestions {
		w.ask(w.question())
		time.Sleep(time.Duration(w.rng.IntN(10)) * time.Millisecond)
	}
	for w.ask(question{verb: "finish", agency: w.agency}) == lost {
	}
	for range 1000 { // both workers of each agency must have come here
		if a := w.ask(question{verb: "query", agency: w.agency}); strings.HasPrefix(a, "ok|") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *historyWorker) question() question {
	q := question{verb: "batch", agency: w.agency}
	if w.greeted && w.refused && w.rng.IntN(3) == 0 {
		q.verb = "hello" // where the other connection has taken a number, nothing else leads on
		return q
	}
	switch p := w.rng.IntN(100); {
	case p < 50:
		q.number = w.next
	case p < 60:
		q.number = max(1, w.next-1-w.rng.IntN(3)) // a repeat, or a conflict
	case p < 65:
		q.number = w.next + 1 + w.rng.IntN(2)
	case p < 70:
		q.number = 0
	case p < 85:
		q.verb = "hello"
	case p < 99:
		q.verb = "query"
	default:
		q.verb = "finish"
	}
	if q.verb == "batch" {
		q.content = "ABCabc"[w.rng.IntN(6)]
	}
	return q
}

// ask asks, and records what came back.
func (w *historyWorker) ask(q question) string {
	w.dial()
	if w.greeted && w.refused {
		q.due = w.known + 1
	}
	call := time.Since(w.began).Nanoseconds()
	a, err := w.exchange(q)
	back := time.Since(w.began).Nanoseconds()
	if err != nil {
		w.hangUp()
		a, back = lost, math.MaxInt64
		if q.verb == "hello" || q.verb == "query" {
			return lost // it changed nothing and said nothing
		}
	}
	w.mu.Lock()
	w.questions = append(w.questions, porcupine.Operation{ClientId: w.id, Input: q, Call: call, Output: a, Return: back})
	w.mu.Unlock()
	w.learn(q, a)
	w.order(q, a)
	return a
}

// learn keeps the worker's idea of what comes next roughly right.
func (w *historyWorker) learn(q question, a string) {
	f := strings.Split(a, "|")
	switch {
	case q.verb == "hello" && len(f) > 1:
		w.next, _ = strconv.Atoi(f[1])
	case strings.HasPrefix(a, "fail|0|gap|"):
		w.next, _ = strconv.Atoi(f[3])
	case q.verb == "batch" && q.number == w.next && a != lost:
		w.next++ // stored, or taken by the agency's other connection
	}
}

// order keeps what docs/PROTOCOL.md says of a connection to which a numbered batch was refused.
func (w *historyWorker) order(q question, a string) {
	switch {
	case q.verb == "hello":
		w.greeted, w.refused, w.known = true, false, w.next-1
	case q.verb != "batch" || q.number == 0:
	case strings.HasPrefix(a, "fail"):
		w.refused = true
	case q.number == w.known+1 || !w.refused:
		w.known = max(w.known, q.number)
	}
}

func (w *historyWorker) exchange(q question) (string, error) {
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	body := q.body()
	if _, err := fmt.Fprintf(w.conn, "%d;%s", len(body), body); err != nil {
		return "", err
	}
	line, err := w.replies.ReadString('\n')
	if err != nil || q.verb != "query" || !strings.HasPrefix(line, "ok|") {
		return strings.TrimSuffix(line, "\n"), err
	}
	n, err := strconv.Atoi(strings.TrimSpace(line[3:]))
	for ; n > 0 && err == nil; n-- {
		var document string
		document, err = w.replies.ReadString('\n')
		line += document
	}
	return strings.TrimSuffix(line, "\n"), err
}

// dial connects to one of the servers, and waits for one that is up.
func (w *historyWorker) dial() {
	for deadline := time.Now().Add(patience); w.conn == nil && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", w.addresses[w.rng.IntN(len(w.addresses))])
		if err == nil {
			w.conn, w.replies = conn, bufio.NewReader(conn)
			return
		}
	}
}

func (w *historyWorker) hangUp() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn, w.greeted, w.refused = nil, false, false
	}
}

// The model refuses what a central must not say.
func TestModelRefusesWrongHistories(t *testing.T) {
	batch := func(n int, c byte) question { return question{verb: "batch", agency: 1, number: n, content: c} }
	behind := func(due int, q question) question { q.due = due; return q }
	hello, finish, query := question{verb: "hello", agency: 1}, question{verb: "finish", agency: 1}, question{verb: "query", agency: 1}
	for _, c := range []struct {
		name string
		want porcupine.CheckResult
		said []any // question, answer, question, answer, …
	}{
		{"stored once", porcupine.Ok, []any{batch(1, 'a'), "success|1", batch(1, 'a'), "success|1", hello, "ok|2|1|1|x"}},
		{"stored twice", porcupine.Illegal, []any{batch(1, 'a'), "success|1", batch(1, 'a'), "success|1", hello, "ok|3|2|1|x"}},
		{"acknowledged and gone", porcupine.Illegal, []any{batch(1, 'a'), "success|1", hello, "ok|1|0|0|"}},
		{"unanswered and gone", porcupine.Ok, []any{batch(1, 'a'), lost, hello, "ok|1|0|0|"}},
		{"unanswered and there", porcupine.Ok, []any{batch(1, 'a'), lost, hello, "ok|2|1|1|x"}},
		{"overwritten", porcupine.Illegal, []any{batch(1, 'a'), "success|1", batch(1, 'b'), "success|1"}},
		{"stored behind a refused one", porcupine.Illegal, []any{batch(1, 'a'), "success|1", batch(1, 'b'), "fail|0|conflict|", behind(1, batch(2, 'b')), "success|1"}},
		{"after the finish", porcupine.Illegal, []any{finish, "ack_notify", batch(1, 'a'), "success|1"}},
		{"winners before the draw", porcupine.Illegal, []any{finish, "ack_notify", query, "ok|0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h []porcupine.Operation
			for i := 0; i < len(c.said); i += 2 {
				op := porcupine.Operation{Input: c.said[i], Output: c.said[i+1], Call: int64(i), Return: int64(i + 1)}
				if op.Output == lost {
					op.Return = math.MaxInt64
				}
				h = append(h, op)
			}
			if got := porcupine.CheckOperationsTimeout(lotteryModel, h, time.Minute); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
