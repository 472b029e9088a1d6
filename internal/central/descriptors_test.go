package central

import (
	"testing"

	"quiniela/internal/web"
)

func TestDescriptorsAreShared(t *testing.T) {
	for _, row := range []struct {
		limit             uint64
		wanted            int
		agencies, onlooks int // 0 agencies: refused
	}{
		{1 << 63, 10000, 10000, web.MostConnections},
		{65536, 10000, 10000, web.MostConnections},
		{14600, 10000, 10000, web.MostConnections},
		{14599, 10000, 10000, 999},
		{4096, 10000, 2624, 218},
		{1024, 10000, 320, 26},
		{1024, 100, 100, 81},
		{640, 10000, 32, 2},
		{610, 10000, 0, 0},
		{610, 1, 1, 2},
		{256, 10000, 0, 0},
		{0, 1, 0, 0},
	} {
		agencies, onlookers, err := shareDescriptors(row.limit, row.wanted)
		if agencies != row.agencies || onlookers != row.onlooks || (err != nil) != (row.agencies == 0) {
			t.Errorf("%d files, %d wanted: %d and %d, %v; want %d and %d", row.limit, row.wanted, agencies, onlookers, err, row.agencies, row.onlooks)
		}
		if err == nil && uint64(agencies+onlookers*perOnlooker+otherFiles) > row.limit {
			t.Errorf("%d files: %d and %d are too many", row.limit, agencies, onlookers)
		}
	}
}
