package central

import (
	"fmt"

	"quiniela/internal/store"
	"quiniela/internal/web"
)

// otherFiles is how many files a server opens beside connections: those of two databases, and 200 for the rest. 30 are open
// after a start; refused connections that are being told why, the sockets to a replicated journal or to witnesses, a backup and
// the published files add some dozens each.
const otherFiles = 2*store.MostFiles + 200

// fewestConnections is how many connections of agencies a server must have room for.
const fewestConnections = 16

// perOnlooker is how many descriptors a connection of the page costs: two, since it may read a published file, on each of two
// listeners.
const perOnlooker = 4

// shareDescriptors returns how many connections of agencies, and of the page on each of its listeners, fit under a limit of
// open files. Where it is short, the page has a quarter of what is left for connections.
func shareDescriptors(limit uint64, wanted int) (agencies, onlookers int, err error) {
	left := int(min(limit, 1<<30)) - otherFiles
	onlookers = min(max((left-wanted)/perOnlooker, left/4/perOnlooker, 1), web.MostConnections)
	agencies = min(wanted, left-onlookers*perOnlooker)
	if agencies < min(wanted, fewestConnections) {
		return 0, 0, fmt.Errorf("this process may have %d files open, and needs %d before it can take connections: raise the limit (`ulimit -n 65536`, LimitNOFILE= of a systemd unit, --ulimit nofile= of a container)",
			limit, otherFiles)
	}
	return agencies, onlookers, nil
}

// fitDescriptors lowers the connections to what the limit of open files leaves room for, so that the journal never lacks one.
func (c *Central) fitDescriptors() error {
	limit, known := descriptorLimit()
	if !known {
		c.onlookers = web.MostConnections
		return nil
	}
	wanted := c.options.Server.Connections
	agencies, onlookers, err := shareDescriptors(limit, wanted)
	if err != nil {
		return err
	}
	if agencies < wanted {
		c.log.Warn("descriptors", "result", "success", "limit", limit, "connections", agencies, "configured", wanted,
			"advice", fmt.Sprintf("for all of them let the process have %d files open: ulimit -n, LimitNOFILE", wanted+otherFiles+perOnlooker*web.MostConnections))
	}
	c.options.Server.Connections, c.onlookers = agencies, onlookers
	return nil
}
