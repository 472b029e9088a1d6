package main

import (
	"fmt"
	"reflect"

	"github.com/alecthomas/kong"

	"quiniela"
)

// decimals makes kong read every whole number, of flags, arguments, the environment and settings files, as decimal. Its own
// decoders take a leading zero for octal, and a number that is entered wrongly cannot be changed.
func decimals() (all []kong.Option) {
	for _, kind := range []reflect.Kind{reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64} {
		all = append(all, kong.KindMapper(kind, kong.MapperFunc(decodeInt)))
	}
	for _, kind := range []reflect.Kind{reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64} {
		all = append(all, kong.KindMapper(kind, kong.MapperFunc(decodeUint)))
	}
	return all
}

func decodeInt(ctx *kong.DecodeContext, target reflect.Value) error {
	text, err := popNumber(ctx)
	if err != nil {
		return err
	}
	n, err := quiniela.ParseInt(text, target.Type().Bits())
	if err != nil {
		return err
	}
	target.SetInt(n)
	return nil
}

func decodeUint(ctx *kong.DecodeContext, target reflect.Value) error {
	text, err := popNumber(ctx)
	if err != nil {
		return err
	}
	n, err := quiniela.ParseUint(text, target.Type().Bits())
	if err != nil {
		return err
	}
	target.SetUint(n)
	return nil
}

// popNumber takes the text of a number. Settings files are read as text too, so there is no other type.
func popNumber(ctx *kong.DecodeContext) (string, error) {
	token, err := ctx.Scan.PopValue("number")
	if err != nil {
		return "", err
	}
	text, ok := token.Value.(string)
	if !ok {
		return "", fmt.Errorf("want a whole number, not %v", token.Value)
	}
	return text, nil
}
