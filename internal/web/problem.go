package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"quiniela"
)

// statuses is the HTTP status of each refusal. A code that is not here is the server's own failure, 500.
var statuses = map[quiniela.Code]int{
	quiniela.Invalid:  http.StatusUnprocessableEntity,
	quiniela.TooLarge: http.StatusRequestEntityTooLarge,
	quiniela.NoDraw:   http.StatusNotFound,
	quiniela.Absent:   http.StatusNotFound,
	quiniela.Conflict: http.StatusConflict,
	quiniela.Closed:   http.StatusConflict,
	quiniela.Denied:   http.StatusUnauthorized,
	forbidden:         http.StatusForbidden,
	quiniela.Busy:     http.StatusTooManyRequests,
	quiniela.Storage:  http.StatusInsufficientStorage,
	quiniela.Stopping: http.StatusServiceUnavailable,
	quiniela.Internal: http.StatusServiceUnavailable,
}

// forbidden is the refusal of a request that another site's page made a browser send. Only HTTP has it.
const forbidden quiniela.Code = "cross_site"

// Problem is an error in the format of RFC 9457. Type contains the refusal's code.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func writeProblem(w http.ResponseWriter, err error) {
	p := Problem{
		Type: "urn:quiniela:error:internal", Title: "The server has failed", Status: http.StatusInternalServerError,
		Detail: "the server could not answer; see its log",
	}
	var e *quiniela.Error
	if errors.As(err, &e) {
		if status, ok := statuses[e.Code]; ok {
			p.Status = status
		}
		p.Type, p.Title, p.Detail = "urn:quiniela:error:"+string(e.Code), http.StatusText(p.Status), e.Detail
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a peer that has gone needs no answer
}
