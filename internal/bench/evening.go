package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"quiniela"
	"quiniela/internal/wire"
)

// This file measures a draw of the game quiniela, which is opened, and whose extract is entered, over the API on the operator's socket.

// socketName is the operator's socket in a server's data folder.
const socketName = "admin.sock"

// game is one that a server's life is measured in.
type game struct {
	name   string
	prefix string // of its figures
	draw   string // its draw's name
	hello  string // the name that a hello gives; "": the current draw
}

// The draw of the specified game opens by itself.
var (
	specified = game{name: quiniela.GameSpecified, draw: "1"}
	evening   = game{name: quiniela.GameQuiniela, prefix: "quiniela, ", draw: "evening", hello: "evening"}
)

// extract is that of the worked examples in docs/QUINIELA.md.
var extract = []quiniela.Number{4563, 4290, 8068, 2532, 9658, 562, 1642, 7613, 3376, 7481, 4062, 3284, 7888, 13, 4533, 5321, 2662, 6884, 5828, 7511}

// openEvening opens the draw of the game quiniela, under the usual terms.
func (s *central) openEvening(ctx context.Context, agencies int) error {
	return s.post(ctx, "/api/v1/draws", map[string]any{"id": evening.draw, "agencies": agencies, "source": quiniela.SourceNotary, "game": quiniela.GameQuiniela})
}

// post asks the server's API on its socket for an act.
func (s *central) post(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	socket := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.dir, socketName))
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://quiniela"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: socket}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, answer)
	}
	return err
}

// line is an agency's connection that has said which draw it means.
type line struct {
	net.Conn
	r      *bufio.Reader
	agency quiniela.Agency
}

func (s *central) line(agency int, draw string) (*line, error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	l := &line{conn, bufio.NewReaderSize(conn, 64<<10), quiniela.Agency(agency)}
	if err = l.ask(wire.AppendHello(nil, l.agency, "", draw)); err == nil {
		_, err = wire.ReadResume(l.r)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return l, nil
}

func (l *line) ask(body []byte) error {
	_, err := l.Write(wire.AppendFrame(nil, body))
	return err
}

// drawEvening measures the draw of the game quiniela: how long after its extract was entered an agency is told its winners, and how fast an
// agency is told what each of its bets is paid.
func (r *runner) drawEvening(s *central, size int) (err error) {
	r.progress(evening.prefix+"draw", 0, 0)
	lines, err := s.finishEvening(r.Agencies)
	defer func() {
		for _, l := range lines {
			err = errors.Join(err, l.Close())
		}
	}()
	if err != nil {
		return err
	}
	elapsed, err := s.enterExtract(r.ctx, lines[0])
	if err != nil {
		return err
	}
	r.add(Draw, size, evening.prefix+"extract entered to first answer", "s", elapsed.Seconds(), "")
	if peak, ok := s.memory("VmHWM"); ok {
		r.add(Draw, size, evening.prefix+"server memory, peak", "MB", peak, "")
	}
	winners := uint32(0)
	for _, l := range lines {
		n, err := l.winners()
		if err != nil {
			return err
		}
		winners += n
	}
	r.add(Draw, size, evening.prefix+"winners", "", float64(winners), "")
	r.progress(evening.prefix+"an agency's prizes", 0, 0)
	listed, elapsed, err := lines[0].prizes()
	if err != nil {
		return err
	}
	r.add(Draw, size, evening.prefix+"an agency's prizes, told", "prizes/s", float64(listed)/elapsed.Seconds(), "")
	return nil
}

// finishEvening lets every agency say that it has finished, and returns their connections. They are to be closed, also after an error.
func (s *central) finishEvening(agencies int) (lines []*line, err error) {
	for a := 1; a <= agencies; a++ {
		l, err := s.line(a, evening.hello)
		if err != nil {
			return lines, err
		}
		lines = append(lines, l)
		if err := l.ask(wire.AppendFinish(nil, l.agency, 0)); err != nil {
			return lines, err
		}
		if err := wire.ReadFinishReply(l.r); err != nil {
			return lines, err
		}
	}
	return lines, nil
}

// enterExtract enters the extract, and returns how long after that an agency that waits is told how many winners it has. Then it reads who
// they are.
func (s *central) enterExtract(ctx context.Context, l *line) (time.Duration, error) {
	if err := l.ask(wire.AppendQuery(nil, l.agency, true)); err != nil {
		return 0, err
	}
	began, told := time.Now(), make(chan error, 1)
	go func() {
		told <- s.post(ctx, "/api/v1/draws/"+evening.draw+"/number", map[string]any{"prizes": extract})
	}()
	n, err := wire.ReadListHead(l.r)
	elapsed := time.Since(began)
	if err := errors.Join(<-told, err); err != nil {
		return 0, err
	}
	for range n {
		if _, err := wire.ReadListLine(l.r); err != nil {
			return 0, err
		}
	}
	return elapsed, nil
}

// winners asks how many winners the agency has.
func (l *line) winners() (uint32, error) {
	if err := l.ask(wire.AppendStatus(nil, l.agency)); err != nil {
		return 0, err
	}
	p, err := wire.ReadProgress(l.r)
	return p.Winners, err
}

// prizes asks what each of the agency's bets is paid, and returns how long it took to be told.
func (l *line) prizes() (listed int, elapsed time.Duration, err error) {
	began := time.Now()
	if err := l.ask(wire.AppendPrizes(nil, l.agency)); err != nil {
		return 0, 0, err
	}
	_, err = wire.ReadPrizesReply(l.r, func(wire.Prize) error { listed++; return nil })
	return listed, time.Since(began), err
}
