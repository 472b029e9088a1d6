//go:build wasip1

// Command wasm is the verifier of receipts for a browser. It is not a program that runs to its end: it is built as a reactor,
// whose four exported functions internal/web/static/wasi.js calls. Documents and the report travel through its memory:
//
//  1. limit says how many bytes of a document are needed at most.
//  2. document makes room for one document and returns its address. The page copies the document there.
//  3. check checks the documents that it got since the last call, and returns the size of a report in JSON.
//  4. report returns the address of that report. It is good until the next call of check.
//
// It opens no file and no socket: the page's documents are all it has.
//
// The program is committed, so that the lottery's binary carries it, and anybody can rebuild it: see build.go.
package main

import (
	"encoding/json"
	"unsafe"

	"quiniela/receipt"
	"quiniela/verify"
)

// Kinds of document, in the order that wasi.js knows. The language is one more.
const (
	kindReceipt = iota
	kindOutcome
	kindPolicy
	kindKey
	kindBeacon
	kindCheckpoint
	kindLang
	kinds
)

// What the page has an address of must stay reachable from here, or the garbage collector takes it. Go's collector moves
// nothing. There is no lock: a browser calls one function at a time.
var (
	documents [kinds][]byte // since the last check; nil: none
	answer    []byte        // the last report
)

// limit returns the most bytes of a document that the page has to copy: one more than any valid document has, so that the
// check refuses a longer one.
//
//go:wasmexport limit
func limit() uint32 { return receipt.MaxDocument + 1 }

// document makes room for a document of a kind, size bytes long, and returns its address. An unknown kind, or a size above
// limit, is a mistake of the page and stops the program.
//
//go:wasmexport document
func document(kind, size uint32) unsafe.Pointer {
	if size > limit() {
		panic("the page gave more of a document than limit allows")
	}
	documents[kind] = make([]byte, size)
	return unsafe.Pointer(unsafe.SliceData(documents[kind]))
}

// check checks the documents, forgets them, and returns the report's size in bytes.
//
//go:wasmexport check
func check() uint32 {
	found, err := verify.Check(verify.Options{
		Receipt:    documents[kindReceipt],
		Outcome:    documents[kindOutcome],
		Policy:     documents[kindPolicy],
		Key:        documents[kindKey],
		Beacon:     documents[kindBeacon],
		Checkpoint: documents[kindCheckpoint],
		Lang:       string(documents[kindLang]),
	})
	documents = [kinds][]byte{}
	answer = encode(found, err)
	return uint32(len(answer))
}

// report returns the address of the last check's report.
//
//go:wasmexport report
func report() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(answer)) }

// encode returns a report's JSON, or an object with only an error.
func encode(found *verify.Report, err error) []byte {
	var out struct {
		*verify.Report
		Error string `json:"error,omitempty"`
	}
	if err != nil {
		out.Error = err.Error()
	} else {
		out.Report = found
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // a report has strings and booleans only
	}
	return text
}

func main() {} // never called: a reactor has no beginning and no end of its own
