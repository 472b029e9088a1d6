//go:build wasip1

// Command wasm is the verifier of receipts for a browser. It is not a program that runs to its end: it is built as a reactor,
// whose exported functions internal/web/static/wasi.js calls. Documents and the report travel through its memory:
//
//  1. limit says how many bytes of a document are needed at most.
//  2. document makes room for one document and returns its address. The page copies the document there.
//  3. file does the same for a file of the published log, and absent for the name of one that is not there.
//  4. check checks all that it got since the last call, and returns the size of its answer in JSON.
//  5. answer returns the address of that answer. It is good until the next call of check.
//
// The answer is a report, or an error, or what is wanted: the names of files of the published log that the check needs and was
// not given. The page then gives the same documents again, with these files, until nothing more is wanted.
//
// It opens no file and no socket: what the page gives is all it has.
//
// The program is committed, so that the lottery's binary carries it, and anybody can rebuild it: see build.go.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"unsafe"

	"quiniela/receipt"
	"quiniela/tlog"
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
	kindEvidence
	kindLang
	kinds
)

// given is what the page has given since the last check. What the page has an address of must stay reachable from here, or the garbage
// collector takes it. Go's collector moves nothing. There is no lock: a browser calls one function at a time.
var given struct {
	documents [kinds][]byte // nil: none
	files     []logFile     // of the published log
}

// logFile is a file of the published log.
type logFile struct {
	bytes []byte // its name, then its content
	name  int    // the size of its name
	there bool   // false: there is no such file
}

var answered []byte // the last answer

// limit returns the most bytes of a document or a file that the page has to copy: one more than any valid one has, so that the check
// refuses a longer one.
//
//go:wasmexport limit
func limit() uint32 { return receipt.MaxDocument + 1 }

// document makes room for a document of a kind, size bytes long, and returns its address. An unknown kind, or a size above
// limit, is a mistake of the page and stops the program.
//
//go:wasmexport document
func document(kind, size uint32) unsafe.Pointer {
	given.documents[kind] = room(size)
	return unsafe.Pointer(unsafe.SliceData(given.documents[kind]))
}

// file makes room for a file of the published log, and returns the address: its name comes first, then its content. Both have their
// sizes in bytes.
//
//go:wasmexport file
func file(name, size uint32) unsafe.Pointer { return add(name, room(name+size), true) }

// absent makes room for the name of a file that the published log does not have, and returns the address.
//
//go:wasmexport absent
func absent(name uint32) unsafe.Pointer { return add(name, room(name), false) }

func add(name uint32, bytes []byte, there bool) unsafe.Pointer {
	given.files = append(given.files, logFile{bytes, int(name), there})
	return unsafe.Pointer(unsafe.SliceData(bytes))
}

func room(size uint32) []byte {
	if size > limit()+1024 { // a file has its name before it
		panic("the page gave more than limit allows")
	}
	return make([]byte, size)
}

// check checks what was given, forgets it, and returns the answer's size in bytes. log is 1 where the page can read the published log,
// and 0 where it cannot.
//
//go:wasmexport check
func check(log uint32) uint32 {
	documents, from := given.documents, folder{files: given.files}
	given.documents, given.files = [kinds][]byte{}, nil
	options := verify.Options{
		Receipt:    documents[kindReceipt],
		Outcome:    documents[kindOutcome],
		Policy:     documents[kindPolicy],
		Key:        documents[kindKey],
		Beacon:     documents[kindBeacon],
		Checkpoint: documents[kindCheckpoint],
		Evidence:   documents[kindEvidence],
		Lang:       string(documents[kindLang]),
	}
	if log == 1 {
		options.Log = from.read
	}
	found, err := verify.Check(options)
	answered = encode(found, err, from.wanted)
	return uint32(len(answered))
}

// answer returns the address of the last check's answer.
//
//go:wasmexport answer
func answer() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(answered)) }

// folder is what was given of the published log. It notes what is wanted of the rest.
type folder struct {
	files  []logFile
	wanted []string
}

// read is a verify.Log. In place of a tile that was not given it returns one of zeros, so that one check says all the tiles that it
// wants at once. What is found with these is thrown away.
func (d *folder) read(name string) ([]byte, error) {
	for _, f := range d.files {
		if string(f.bytes[:f.name]) != name {
			continue
		}
		if !f.there {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return f.bytes[f.name:], nil
	}
	if !slices.Contains(d.wanted, name) {
		d.wanted = append(d.wanted, name)
	}
	if tile, err := tlog.ParseTilePath(name); err == nil {
		return make([]byte, tile.W*tlog.HashSize), nil
	}
	return nil, errors.New(name + " is wanted")
}

// encode returns an answer's JSON: a report, or an object with only an error or only what is wanted.
func encode(found *verify.Report, err error, wanted []string) []byte {
	var out struct {
		*verify.Report
		Error  string   `json:"error,omitempty"`
		Wanted []string `json:"wanted,omitempty"`
	}
	switch {
	case len(wanted) > 0:
		out.Wanted = wanted
	case err != nil:
		out.Error = err.Error()
	default:
		out.Report = found
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // an answer has strings, bytes and booleans only
	}
	return text
}

func main() {} // never called: a reactor has no beginning and no end of its own
