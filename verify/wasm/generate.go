//go:build !wasip1

// Command wasm does nothing outside a browser: see main.go.
package main

//go:generate go run build.go

func main() {}
