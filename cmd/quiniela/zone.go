package main

import (
	"fmt"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // an image from scratch has no zones

	_ "golang.org/x/crypto/x509roots/fallback" // nor authorities, for https to relays, witnesses and servers
)

// checkZone refuses a TZ that names no time zone. Go takes one silently for UTC, and a closing time is for ever.
func checkZone() error {
	tz := os.Getenv("TZ")
	name := strings.TrimPrefix(tz, ":")
	if name == "" || name == "UTC" || time.Local.String() != "UTC" {
		return nil
	}
	return fmt.Errorf("TZ=%q names no time zone: write one such as America/Argentina/Buenos_Aires, or UTC, or unset TZ", tz)
}
