// Package link puts a receipt into the address of a page that checks it, so that a QR code on paper can carry all of it, and reads it
// from there. The receipt is behind "#" in the address: a browser sends that part to no server. The format is in docs/FORMATS.md.
package link

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"quiniela/receipt"
)

// Mark stands in an address between the page and the receipt.
const Mark = "#r="

// MaxDigits is how many digits a receipt may have in an address: as many as the largest QR code holds.
const MaxDigits = 7089

// ErrTooLong says that a receipt has more digits than that.
var ErrTooLong = errors.New("the receipt is too long for a QR code")

// To returns the address of a page with a receipt in it. The error wraps ErrTooLong where no QR code could hold it.
func To(page string, r *receipt.Receipt) (string, error) {
	text, err := r.Encode()
	if err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	var compact, packed bytes.Buffer
	packed.WriteByte(1) // keeps the zeros that may follow
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		err = json.Compact(&compact, text)
	}
	if err == nil {
		_, err = w.Write(compact.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	digits := new(big.Int).SetBytes(packed.Bytes()).String()
	if len(digits) > MaxDigits {
		return "", fmt.Errorf("%w: %d digits, over %d", ErrTooLong, len(digits), MaxDigits)
	}
	return page + Mark + digits, nil
}

// Receipt returns the receipt in an address, as JSON. It checks nothing of it.
func Receipt(address string) ([]byte, error) {
	_, digits, ok := strings.Cut(address, Mark)
	if !ok {
		return nil, fmt.Errorf("the address %.60q has no receipt: want %sDIGITS at its end", address, Mark)
	}
	if len(digits) > MaxDigits {
		return nil, fmt.Errorf("the address has %d digits, over %d: it is no receipt's", len(digits), MaxDigits)
	}
	for i := range digits {
		if digits[i] < '0' || digits[i] > '9' {
			return nil, fmt.Errorf("the address has %q among the digits of its receipt: scan the code again, or copy all of the address", digits[i])
		}
	}
	number, _ := new(big.Int).SetString(digits, 10)
	if number == nil || len(number.Bytes()) == 0 || number.Bytes()[0] != 1 {
		return nil, errors.New("the address has no whole receipt: scan the code again, or copy all of the address")
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(number.Bytes()[1:])), receipt.MaxDocument+1))
	if err != nil || len(text) > receipt.MaxDocument {
		return nil, errors.New("the address has no whole receipt: scan the code again, or copy all of the address")
	}
	return text, nil
}
