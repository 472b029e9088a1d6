//go:build js && wasm

// Command wasm is the verifier of receipts for a browser. It gives the page one function, quinielaVerify, which takes an
// object of files (receipt, outcome, policy, key, beacon, checkpoint: Uint8Array, absent where there is none) and lang, and
// returns a report's JSON, or an object with only an error. It reaches for nothing: the page's files are all it has.
//
// What it is built into is committed, so that the lottery's binary has it and anybody can rebuild it: see build.go.
package main

import (
	"encoding/json"
	"syscall/js"

	"quiniela/receipt"
	"quiniela/verify"
)

func main() {
	js.Global().Set("quinielaVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) != 1 || args[0].Type() != js.TypeObject {
			return answer(nil, "quinielaVerify wants one object")
		}
		report, err := verify.Check(inputs(args[0]))
		if err != nil {
			return answer(nil, err.Error())
		}
		return answer(report, "")
	}))
	select {} // the function is called for as long as the page is there
}

func inputs(o js.Value) (in verify.Options) {
	for name, to := range map[string]*[]byte{
		"receipt": &in.Receipt, "outcome": &in.Outcome, "policy": &in.Policy, "key": &in.Key, "beacon": &in.Beacon, "checkpoint": &in.Checkpoint,
	} {
		if v := o.Get(name); v.Type() == js.TypeObject {
			*to = make([]byte, min(v.Get("length").Int(), receipt.MaxDocument+1)) // more than any document has is refused
			js.CopyBytesToGo(*to, v)
		}
	}
	if v := o.Get("lang"); v.Type() == js.TypeString {
		in.Lang = v.String()
	}
	return in
}

func answer(report *verify.Report, err string) string {
	text, _ := json.Marshal(struct { // strings, and nothing that cannot be written
		*verify.Report
		Error string `json:"error,omitempty"`
	}{report, err})
	return string(text)
}
