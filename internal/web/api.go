package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
	"quiniela/internal/operators"
)

// Draw is a draw as the API shows it.
type Draw struct {
	ID       string          `json:"id"`
	State    string          `json:"state"` // open, sealed or drawn
	Agencies uint32          `json:"agencies"`
	*Figures                 // nil where a stranger asks about an open draw
	Game     string          `json:"game"`            // specified or quiniela
	Terms    *quiniela.Terms `json:"terms,omitempty"` // of the game quiniela
	*Payout                  // nil before the draw is held, and in the game specified
	Source   string          `json:"source"`             // of the winning number: fixed, notary or beacon
	Round    uint64          `json:"round,omitempty"`    // the beacon's round
	RoundAt  *time.Time      `json:"round_at,omitempty"` // when the beacon signs that round
	Prizes   []uint16        `json:"prizes,omitempty"`   // the extract: all twenty numbers of a beacon's draw or of the game quiniela, the winning number first
	Public   bool            `json:"public"`             // whether the draw is in the public log
	Opened   *time.Time      `json:"opened,omitempty"`
	Closes   *time.Time      `json:"closes,omitempty"`
	Sealed   *time.Time      `json:"sealed,omitempty"`
	SealedBy string          `json:"sealed_by,omitempty"` // agencies, time or operator
	Note     string          `json:"note,omitempty"`
	Number   *uint16         `json:"number,omitempty"`  // the winning number, once it is drawn or entered
	Winners  *uint64         `json:"winners,omitempty"` // how many bets won, once drawn
	Drawn    *time.Time      `json:"drawn,omitempty"`
	Two      bool            `json:"two_people,omitempty"` // two people must enter its number
	First    string          `json:"first,omitempty"`      // who of the two has entered it; a stranger is not told
	By       []string        `json:"entered_by,omitempty"` // who has entered the number that counts; a stranger is not told
}

// Waits reports whether the draw waits for a person to enter its number.
func (d Draw) Waits() bool {
	return d.State == "sealed" && d.Source == string(quiniela.SourceNotary) && d.Number == nil
}

// Figures are what has been sold in a draw. While it is open they are the operator's alone.
type Figures struct {
	Finished uint32 `json:"finished"` // agencies that have finished
	Batches  uint64 `json:"batches"`
	Bets     uint64 `json:"bets"`
	Staked   uint64 `json:"staked,omitempty"` // in cents, in the game quiniela
}

// Payout is what the bets of a draw of the game quiniela are paid, in cents.
type Payout struct {
	Due  uint64 `json:"due"`            // the prizes together, before the cap
	Pool uint64 `json:"pool,omitempty"` // what the cap leaves for them, where they are over it: each is paid pool ÷ due of its prize
	Paid uint64 `json:"paid"`
}

// Agency is an agency's progress in a draw.
type Agency struct {
	Agency   uint32     `json:"agency"`
	Name     string     `json:"name,omitempty"` // in the registry
	Batches  uint64     `json:"batches"`
	Bets     uint64     `json:"bets"`
	Staked   uint64     `json:"staked,omitempty"` // in cents, in the game quiniela
	Finished bool       `json:"finished"`
	State    string     `json:"state"`          // finished, sending, waiting (no bets yet), or missing: the draw was closed before the agency had finished
	Seen     *time.Time `json:"seen,omitempty"` // when its last batch or its finish came
}

// Winners is how many winners an agency has.
type Winners struct {
	Agency    uint32   `json:"agency"`
	Name      string   `json:"name,omitempty"` // in the registry; for the operator
	Winners   uint32   `json:"winners"`        // bets that won
	Due       uint64   `json:"due,omitempty"`  // their prizes before the cap, in cents; in the game quiniela
	Paid      uint64   `json:"paid,omitempty"`
	Documents []string `json:"-"` // on the operator's page, the first of them
}

// Left returns how many documents are not in Documents.
func (w Winners) Left() int { return int(w.Winners) - len(w.Documents) }

// moment returns a time for JSON, in UTC, or nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// newDraw returns a draw as its operator sees it, or everybody else: of an open draw they see that it is open, and until when.
func newDraw(d ledger.Draw, operator bool) Draw {
	v := Draw{
		ID: d.ID, State: d.State(), Agencies: d.Agencies,
		Source: string(d.Rule.Source), Opened: moment(d.Opened), Closes: moment(d.Closes), Sealed: moment(d.SealedAt),
		SealedBy: d.SealedBy, Note: d.Note, Public: d.Logged(), Round: d.Rule.Round, Game: d.Game.Game(), Terms: d.Game,
	}
	v.Two = d.Two
	if operator {
		v.By = d.EnteredBy
		if d.First != nil {
			v.First = d.First.Who
		}
	}
	if operator || d.Sealed {
		v.Figures = &Figures{Finished: d.Finished, Batches: d.Batches, Bets: d.Bets, Staked: d.Staked}
	}
	if d.Rule.Round != 0 {
		v.RoundAt = moment(draw.Quicknet().TimeOf(d.Rule.Round))
	}
	for _, n := range d.Prizes() {
		v.Prizes = append(v.Prizes, uint16(n))
	}
	if d.Entered != nil {
		number := uint16(*d.Entered)
		v.Number = &number
	}
	if r := d.Result; r != nil {
		number := uint16(r.Number)
		v.Number, v.Winners, v.Drawn = &number, &r.Winners, moment(time.UnixMicro(r.At))
		if d.Game != nil {
			v.Payout = newPayout(d)
		}
	}
	return v
}

func newPayout(d ledger.Draw) *Payout {
	p := d.Payout()
	v := &Payout{Due: p.Due, Paid: p.Paid}
	if p.Pool < p.Due {
		v.Pool = p.Pool
	}
	return v
}

// route is one operation of the API.
type route struct {
	method, path string
	needs        operators.Role                     // "": for everybody
	slow         bool                               // may take longer than the server's write timeout
	do           func(r *http.Request) (any, error) // returns what to answer in JSON
	serve        http.HandlerFunc                   // answers by itself; set in place of do
}

// routes returns the API's operations. openapi.json describes each of them.
func (s *Site) routes() []route {
	return []route{
		{method: "GET", path: "/api/v1/draws", do: s.listDraws},
		{method: "POST", path: "/api/v1/draws", needs: operators.Operator, do: s.openDraw},
		{method: "GET", path: "/api/v1/draws/{id}", do: s.showDraw},
		{method: "GET", path: "/api/v1/draws/{id}/agencies", needs: operators.Viewer, do: s.listAgencies},
		{method: "GET", path: "/api/v1/draws/{id}/numbers", needs: operators.Viewer, do: s.listNumbers},
		{method: "GET", path: "/api/v1/draws/{id}/winners", do: s.listWinners},
		{method: "GET", path: "/api/v1/draws/{id}/payouts", needs: operators.Viewer, do: s.listPayouts},
		{method: "GET", path: "/api/v1/draws/{id}/prizes.csv", needs: operators.Viewer, serve: s.prizesCSV},
		{method: "GET", path: "/api/v1/draws/{id}/winners/{agency}", needs: operators.Notary, do: s.listDocuments},
		{method: "POST", path: "/api/v1/draws/{id}/close", needs: operators.Operator, do: s.closeDraw},
		{method: "POST", path: "/api/v1/draws/{id}/number", needs: operators.Notary, do: s.enterNumber},
		{method: "POST", path: "/api/v1/backup", needs: operators.Operator, slow: true, do: s.backup},
		{method: "GET", path: "/api/v1/trail", needs: operators.Viewer, do: s.listTrail},
		{method: "POST", path: "/api/v1/find", needs: operators.Operator, slow: true, do: s.find},
		{method: "GET", path: "/api/v1/events", serve: s.stream},
		{method: "GET", path: "/api/v1/openapi.json", serve: openAPI},
	}
}

// admit refuses a visitor who may not do what needs a role.
func admit(r *http.Request, needs operators.Role) error {
	switch v := visitorOf(r); {
	case v.role.May(needs):
		return nil
	case v.role == "":
		return quiniela.Refuse(quiniela.Denied, "only the lottery's operators may do this: send `Authorization: Bearer` with an operator's key, or log in")
	default:
		return quiniela.Refuse(forbidden, "%s is a %s, and this needs the role %s", v.actor.Name, v.role, needs)
	}
}

func openAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	http.ServeFileFS(w, r, files, "static/openapi.json")
}

// api returns the handler of an operation.
func (s *Site) api(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := admit(r, rt.needs); err != nil {
			writeProblem(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if rt.slow {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		}
		if rt.serve != nil {
			rt.serve(w, r)
			return
		}
		v, err := rt.do(r)
		if err != nil {
			if quiniela.CodeOf(err) == "" && r.Context().Err() == nil {
				s.Log.Error("http", "result", "fail", "path", r.URL.Path, "error", err)
			}
			writeProblem(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost && rt.path == "/api/v1/draws" {
			w.WriteHeader(http.StatusCreated)
		}
		_ = json.NewEncoder(w).Encode(v) // a peer that has gone needs no answer
	}
}

// mostBody is the maximum size of a request's body, in bytes.
const mostBody = 16 << 10

// readBody reads a request's JSON into v: one object without unknown fields.
func readBody(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, mostBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the object")
		}
	}
	if err != nil {
		return quiniela.Refuse(quiniela.Invalid, "the body is not the JSON of this operation: %v; see /api/v1/openapi.json", err)
	}
	return nil
}

// Sizes of a list in an answer, where the request does not say or asks for more.
const (
	usualPage = 100
	mostPage  = 1000
)

// paging returns the parameters `from`, the first item of a list (0: the first there is), and `limit`.
func paging(r *http.Request) (from uint64, limit int, err error) {
	limit = usualPage
	q := r.URL.Query()
	if text := q.Get("from"); text != "" {
		if from, err = quiniela.ParseUint(text, 32); err != nil {
			return 0, 0, quiniela.Refuse(quiniela.Invalid, "from: %v", err)
		}
	}
	if text := q.Get("limit"); text != "" {
		n, err := quiniela.ParseUint(text, 32)
		if err != nil || n < 1 || n > mostPage {
			return 0, 0, quiniela.Refuse(quiniela.Invalid, "limit: %q: want 1 to %d", text, mostPage)
		}
		limit = int(n)
	}
	return from, limit, nil
}

// part is the answer with a part of a list. next is the `from` of the rest; 0: there is none.
func part[T any](name string, items []T, next uint64) map[string]any {
	if items == nil {
		items = []T{}
	}
	answer := map[string]any{name: items}
	if next != 0 {
		answer["next"] = next
	}
	return answer
}

func (s *Site) listDraws(r *http.Request) (any, error) {
	from, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	found, last, err := s.Ledger.DrawsFrom(r.Context(), from, limit)
	if err != nil {
		return nil, err
	}
	draws := make([]Draw, len(found))
	for i, d := range found {
		draws[i] = newDraw(d, staff(r))
	}
	next := uint64(0)
	if n := len(found); n > 0 && found[n-1].Seq < last {
		next = found[n-1].Seq + 1
	}
	return part("draws", draws, next), nil
}

func (s *Site) showDraw(r *http.Request) (any, error) {
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	return newDraw(d, staff(r)), err
}

// pagedDraw returns the draw that a request's address names, and which part of a list of it is asked for, see paging.
func (s *Site) pagedDraw(r *http.Request) (d ledger.Draw, from uint64, limit int, err error) {
	if from, limit, err = paging(r); err == nil {
		d, err = s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	}
	return d, from, limit, err
}

func (s *Site) listAgencies(r *http.Request) (any, error) {
	d, from, limit, err := s.pagedDraw(r)
	if err != nil {
		return nil, err
	}
	found, err := s.Ledger.Progress(r.Context(), d.ID, quiniela.Agency(from), limit+1)
	if err != nil {
		return nil, err
	}
	next := uint64(0)
	if len(found) > limit {
		next, found = uint64(found[limit].Agency), found[:limit]
	}
	return part("agencies", s.newAgencies(d, found), next), nil
}

func (s *Site) newAgencies(d ledger.Draw, progress []ledger.AgencyProgress) []Agency {
	all := make([]Agency, len(progress))
	for i, a := range progress {
		all[i] = Agency{uint32(a.Agency), s.nameOf(a.Agency), a.Batches, a.Bets, a.Staked, a.Finished, stateOf(d, a), moment(a.Seen)}
	}
	return all
}

// nameOf returns an agency's name in the registry, or "".
func (s *Site) nameOf(n quiniela.Agency) string {
	if s.Names == nil {
		return ""
	}
	return s.Names(n)
}

// stateOf says where an agency stands in a draw. Bets without an agency, those of agency 0, are complete once the draw is closed.
func stateOf(d ledger.Draw, a ledger.AgencyProgress) string {
	switch {
	case a.Finished, d.Sealed && a.Agency == quiniela.Unattributed:
		return "finished"
	case d.Sealed:
		return "missing"
	case a.Bets > 0:
		return "sending"
	}
	return "waiting"
}

// listNumbers answers with the number of bets on each number. It leaves out numbers without bets.
func (s *Site) listNumbers(r *http.Request) (any, error) {
	tally, err := s.Ledger.Tally(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	type count struct {
		Number uint16 `json:"number"`
		Digits uint8  `json:"digits"`
		Bets   uint64 `json:"bets"`
	}
	counts := []count{}
	tally.Each(func(digits uint8, n quiniela.Number, bets uint64) {
		counts = append(counts, count{uint16(n), digits, bets})
	})
	return map[string]any{"numbers": counts}, nil
}

func (s *Site) listWinners(r *http.Request) (any, error) {
	from, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	all, next, err := s.winners(r, r.PathValue("id"), quiniela.Agency(from), limit)
	return part("winners", all, uint64(next)), err
}

// winners returns how many winners the agencies have, from one on, and the agency that the rest begins with; 0: there is no rest.
func (s *Site) winners(r *http.Request, id string, from quiniela.Agency, limit int) (all []Winners, next quiniela.Agency, err error) {
	counts, err := s.Ledger.CountWinners(r.Context(), id, from, limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(counts) > limit {
		next, counts = counts[limit].Agency, counts[:limit]
	}
	for _, c := range counts {
		w := Winners{Agency: uint32(c.Agency), Winners: c.Winners, Due: c.Due, Paid: c.Paid}
		if staff(r) {
			w.Name = s.nameOf(c.Agency)
		}
		all = append(all, w)
	}
	return all, next, nil
}

// listDocuments answers with the documents of an agency's winners, in the order in which their bets were stored.
func (s *Site) listDocuments(r *http.Request) (any, error) {
	from, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	agency, err := quiniela.ParseAgency(r.PathValue("agency"))
	if err != nil {
		return nil, quiniela.Refuse(quiniela.Invalid, "agency: %v", err)
	}
	d, err := s.Ledger.FindDraw(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	documents, err := s.documents(r, d, agency, uint32(from), limit+1)
	next := uint64(0)
	if len(documents) > limit {
		next, documents = from+uint64(limit), documents[:limit]
	}
	return part("documents", documents, next), err
}

func (s *Site) documents(r *http.Request, d ledger.Draw, agency quiniela.Agency, from uint32, most int) ([]string, error) {
	w, drawn, err := s.Ledger.OperatorsWinners(r.Context(), d.Seq, agency)
	if err != nil || !drawn {
		return nil, err
	}
	return w.Documents(r.Context(), from, most)
}

// Operations returns the API's operations, each as its method and path.
func (s *Site) Operations() (all []string) {
	for _, r := range s.routes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}
