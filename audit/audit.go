// Package audit is the independent control of a lottery: from the published files alone it recomputes every leaf, root,
// tile, total, seal, number and winner, and compares. For the operator it also compares the log with the private journal.
//
// It counts by itself: the log's Merkle tree and its tiles, the order of batches, the running totals, the seals and the winners
// are recomputed with code of its own. The parsers and formats it shares with what it controls: packages tlog (leaf hashes,
// signatures), receipt (a batch's root), draw (a beacon's numbers) and journal, and a draw's outcome is checked by package
// verify. A mistake in one of those is not found here.
package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"quiniela/draw"
	"quiniela/receipt"
	"quiniela/tlog"
)

// Options say what is audited, and against what.
type Options struct {
	Source Source
	// Policy says whose checkpoints are believed. Nil takes the key that is published with the log, which proves only that
	// the log agrees with itself: whoever could change the log could change that key.
	Policy *tlog.Policy
	// Retained are checkpoints that were seen earlier, by the names of their files.
	Retained map[string][]byte
	Chain    *draw.Chain // the beacon; nil: draw.Quicknet
	// Beacon is a round from a place that the auditor trusts, or nil: it must be the one that was used.
	Beacon *draw.Beacon
	Books  Books     // the operator's, or nil
	Now    time.Time // zero: by this machine's clock
	// Progress is told how many of the log's entries have been looked at.
	Progress func(done, total int64) // nil: nobody is told
}

// Books are what an operator has beside the log, its private journal, which is compared with it. An audit calls Begin at most once, Next with
// each entry in order, and at its end, also after an error, End. It uses them from one goroutine.
type Books interface {
	// Begin gets how to report a difference.
	Begin(ctx context.Context, finding func(format string, args ...any))
	// Next compares an entry, and reports whether it could: entry is nil where it is held back.
	Next(index uint64, entry []byte) (compared bool)
	End()
}

// auditor is an audit under way.
type auditor struct {
	Options
	ctx    context.Context
	report *Report
	policy *tlog.Policy
	top    *tlog.VerifiedCheckpoint

	names map[string]bool     // all files, false until they were looked at; nil where they cannot be known
	parts map[string][]string // partial tiles and bundles by the path of the full one

	tree    compactRange
	notes   map[int64][]note // signed checkpoints to compare, by their size
	draws   map[uint64]*drawn
	ids     map[string]bool        // the names of draws
	folders map[string]folderState // by the draw's folder
	wins    map[winKey]*winnings
	grown   bool            // the log went on while it was read
	early   map[string]bool // draws that the checkpoint does not have yet

	continues *receipt.Continues // what the log begins with, or nil
	older     []seen             // retained checkpoints that this log's policy does not believe
	last      uint64             // the draw that was opened last

	listed                      []string             // the draws that are published, in their order
	numbered                    map[string]uint64    // their numbers, by their names
	texts                       map[tlog.Hash][]byte // their openings, seals and results, by the leaf
	opens                       map[tlog.Hash]string // the names of draws, by the leaf of the opening
	streams                     []*stream            // the batches of draws that are published whole
	missing                     []missing            // the bundles of entries that are not there
	unknown                     int64                // how many entries are held back
	held, lastHidden, lastShown int64                // the first and the last of them, and the last that is not; -1: none

	checkpoint, retained, tiles, entries, order, seals, witnesses, numbers, bets, winners, files, private *Check
}

// note is a signed checkpoint, and where it comes from.
type note struct {
	where string
	root  tlog.Hash
	check *Check
}

// Run audits. An error means that it could not be done; what was found is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Chain == nil {
		o.Chain = draw.Quicknet()
	}
	a := &auditor{Options: o, ctx: ctx, report: new(Report), notes: map[int64][]note{}, draws: map[uint64]*drawn{}, ids: map[string]bool{}, early: map[string]bool{}, held: -1, lastHidden: -1, lastShown: -1}
	if a.Now.IsZero() {
		a.Now = time.Now()
	}
	a.plan()
	if a.Books != nil {
		defer a.Books.End()
	}
	if err := a.begin(); err != nil {
		return nil, err
	}
	if a.top != nil {
		if err := a.check(); err != nil {
			return nil, err
		}
	}
	a.report.OK, a.report.Complete = true, true
	for _, c := range a.report.Checks {
		a.report.OK = a.report.OK && len(c.Findings) == 0
		a.report.Complete = a.report.Complete && c.Not == ""
	}
	return a.report, nil
}

// check makes the audit, once begin has found a checkpoint to believe.
func (a *auditor) check() error {
	if err := a.walk(); err != nil {
		return err
	}
	if err := a.grew(); err != nil {
		return err
	}
	return a.end()
}

// plan lists the checks in the order of the report.
func (a *auditor) plan() {
	add := func(name, text string) *Check {
		c := &Check{Name: name, Text: text}
		a.report.Checks = append(a.report.Checks, c)
		return c
	}
	a.checkpoint = add("checkpoint", "the log's newest checkpoint is signed, and its root is that of all leaves")
	a.retained = add("retained checkpoints", "checkpoints seen earlier are of this same log, which has only grown")
	a.tiles = add("tiles", "every tile, recomputed from the leaves")
	a.entries = add("entries", "every entry is well-formed, and is the leaf of the tree")
	a.order = add("batches", "each is of an open draw, in its agency's order, with the right running totals and a possible time")
	a.seals = add("seals", "each counts what came before it, and no batch came after")
	a.witnesses = add("witnesses", "the policy's witnesses cosigned each seal, and before its number could be known")
	a.numbers = add("numbers", "each follows from what was fixed when the draw opened")
	a.bets = add("bets", "the published records are those of the batches")
	a.winners = add("winners", "counted anew from the records")
	a.files = add("files", "nothing is missing, and nothing else is there")
	if a.Books != nil {
		a.private = add("private journal", "each batch of the journal has the root and the place that the log gives it")
	}
}

// read returns a file, nil where it is not there.
func (a *auditor) read(name string) ([]byte, error) {
	if a.names != nil {
		if _, known := a.names[name]; !known {
			return nil, nil
		}
		a.names[name] = true
	}
	data, err := a.Source.Read(a.ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if data == nil && err == nil {
		data = []byte{}
	}
	return data, err
}

// begin reads the newest checkpoint, lists the files, and sets aside what is to be compared. Afterwards a.top is nil where the
// checkpoint cannot be believed: then nothing else can be checked.
func (a *auditor) begin() error {
	// The checkpoint is read before the names: whatever it speaks of is published before it.
	signed, err := a.Source.Read(a.ctx, "checkpoint")
	if errors.Is(err, fs.ErrNotExist) {
		return a.elsewhere()
	}
	if err != nil {
		return err
	}
	if isPage(signed) {
		return a.elsewhere()
	}
	if err := a.list(); err != nil {
		return err
	}
	if err := a.believe(signed); err != nil || a.top == nil {
		return err
	}
	a.report.Log, a.report.Size, a.report.Root = a.top.Origin, a.top.Size, a.top.Root.String()
	for where, signed := range a.Retained {
		if _, err := a.policy.VerifyCheckpoint(signed); err != nil {
			a.older = append(a.older, seen{where, signed, err})
			continue
		}
		a.compare(where, signed, a.retained)
	}
	if len(a.Retained) == 0 {
		a.retained.Not = "none were given: keep what you see, and give it with --checkpoints"
	}
	if a.Books != nil {
		a.Books.Begin(a.ctx, a.private.finding)
	}
	return a.readTexts()
}

// list notes which files there are.
func (a *auditor) list() error {
	names, err := a.Source.Names()
	if err != nil {
		return fmt.Errorf("list the published files: %w", err)
	}
	if names != nil {
		a.names, a.parts = map[string]bool{}, map[string][]string{}
	}
	for _, name := range names {
		a.names[name] = false
		if full, _, ok := strings.Cut(name, ".p/"); ok {
			a.parts[full] = append(a.parts[full], name)
		}
	}
	return nil
}

// believe verifies the newest checkpoint by the policy, and sets a.top. What is wrong with it is a finding.
func (a *auditor) believe(signed []byte) error {
	key, err := a.read("log.vkey")
	if err != nil {
		return err
	}
	if a.names != nil {
		a.names["checkpoint"] = true
	}
	a.policy = a.Policy
	if a.policy == nil {
		a.report.Warnings = append(a.report.Warnings, "the key is the one published with the log: that shows that the log agrees with itself, not whose it is. Give --policy with a key from elsewhere.")
		if a.policy, err = tlog.TrustLog(string(bytes.TrimSpace(key))); err != nil {
			a.checkpoint.finding("log.vkey is no key: %v", err)
			return nil
		}
	}
	top, err := a.policy.VerifyCheckpoint(signed)
	if err != nil {
		a.checkpoint.finding("checkpoint: %v", err)
		return nil
	}
	a.top = top
	a.checkVerifier(key, signed)
	return nil
}

// checkVerifier compares the published key with the one that is believed: it must be the checkpoint's.
func (a *auditor) checkVerifier(key, signed []byte) {
	own, err := tlog.TrustLog(string(bytes.TrimSuffix(key, []byte("\n"))))
	if err == nil {
		_, err = own.VerifyCheckpoint(signed)
	}
	if err != nil || bytes.Count(key, []byte("\n")) != 1 || !bytes.HasSuffix(key, []byte("\n")) {
		a.files.finding("log.vkey is not the key of the checkpoint's signature, in one line")
	}
}

// compare verifies a signed checkpoint, and sets it aside until the tree has its size: meet then compares the roots. It
// returns nil where the checkpoint is none of this log, which is a finding of check.
func (a *auditor) compare(where string, signed []byte, check *Check) *tlog.VerifiedCheckpoint {
	opened, err := a.policy.VerifyCheckpoint(signed)
	if err != nil {
		check.finding("%s: %v", where, err)
		return nil
	}
	if opened.Origin != a.top.Origin {
		check.finding("%s is of the log %s", where, opened.Origin)
		return nil
	}
	if opened.Size > a.top.Size {
		check.finding("%s has %d entries, and the log has %d: entries have been removed", where, opened.Size, a.top.Size)
		return nil
	}
	a.notes[opened.Size] = append(a.notes[opened.Size], note{where, opened.Root, check})
	return opened
}

// meet compares the tree with the signed checkpoints that compare has set aside for its present size.
func (a *auditor) meet() {
	size := a.tree.size
	for _, n := range a.notes[size] {
		n.check.Checked++
		if n.root != a.tree.root() {
			n.check.finding("%s: the log of %d entries had the root %v, and this one has %v: the log was changed, or forked. Keep both and publish them", n.where, size, n.root, a.tree.root())
		}
	}
	delete(a.notes, size)
}

// walk goes through the log, bundle by bundle.
func (a *auditor) walk() error {
	a.meet()
	var levels levels
	for n := int64(0); n*tlog.TileWidth < a.top.Size; n++ {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		width := int(min(tlog.TileWidth, a.top.Size-n*tlog.TileWidth))
		leaves, err := a.leaves(n, width)
		if err != nil || leaves == nil {
			return err
		}
		found, err := a.find(n*tlog.TileWidth, leaves)
		if err != nil {
			return err
		}
		if err := a.take(n*tlog.TileWidth, leaves, found); err != nil {
			return err
		}
		if err := levels.add(a, 0, n, leaves); err != nil {
			return err
		}
		if a.Progress != nil {
			a.Progress(a.tree.size, a.top.Size)
		}
	}
	a.checkpoint.Checked++
	if a.tree.root() != a.top.Root {
		a.checkpoint.finding("the leaves have the root %v, and the checkpoint has %v", a.tree.root(), a.top.Root)
	}
	return levels.end(a)
}

// leaves reads a tile of leaf hashes. Without it nothing more can be said.
func (a *auditor) leaves(n int64, width int) ([]tlog.Hash, error) {
	name := tilePath(0, n, width)
	data, err := a.readTile(name, width)
	if err != nil {
		return nil, err
	}
	if len(data) != width*tlog.HashSize {
		a.tiles.finding("%s: %d bytes, want %d; what comes after it is not checked", name, len(data), width*tlog.HashSize)
		return nil, nil
	}
	leaves := make([]tlog.Hash, width)
	for i := range leaves {
		leaves[i] = tlog.Hash(data[i*tlog.HashSize:])
	}
	return leaves, nil
}

// readTile reads a tile; a partial one may have been replaced by the full one since.
func (a *auditor) readTile(name string, width int) ([]byte, error) {
	data, err := a.read(name)
	full, _, partial := strings.Cut(name, ".p/")
	if err != nil || data != nil || !partial {
		return data, err
	}
	if data, err = a.read(full); len(data) >= width*tlog.HashSize {
		data = data[:width*tlog.HashSize]
	}
	return data, err
}

// bundle reads the entries of some leaves from tile/entries; nil is none. It is shown once all draws in it are drawn.
func (a *auditor) bundle(n int64, leaves []tlog.Hash) ([][]byte, error) {
	name, data, err := a.readBundle(n, len(leaves))
	if err != nil || data == nil {
		return nil, err
	}
	entries, err := tlog.ParseBundle(data)
	if err != nil || len(entries) > len(leaves) {
		a.entries.finding("%s: %d entries, want %d (%v)", name, len(entries), len(leaves), err)
		return nil, nil
	}
	full, _, _ := strings.Cut(name, ".p/")
	if err := a.prefixes(full, name, data, a.entries); err != nil {
		return nil, err
	}
	for i, e := range entries {
		if tlog.LeafHash(e) != leaves[i] {
			a.entries.finding("%s: entry %d is not the leaf of the tree", name, n*tlog.TileWidth+int64(i))
			return nil, nil
		}
	}
	return entries, nil
}

// readBundle reads a bundle of entries, or the longest older, shorter one that is there.
func (a *auditor) readBundle(n int64, width int) (name string, data []byte, err error) {
	for ; width > 0; width-- {
		name = tlog.BundlePath(n, width)
		if data, err = a.read(name); data != nil || err != nil {
			return name, data, err
		}
		if a.names == nil {
			return name, nil, nil // over HTTP not every width is tried: what stands behind the leaves is published elsewhere too
		}
	}
	return name, nil, nil
}

// prefixes compares older, shorter versions of a tile or bundle, which may be kept, with the newest.
func (a *auditor) prefixes(full, name string, data []byte, check *Check) error {
	for _, part := range a.parts[full] {
		if part == name || longer(part, name) {
			continue // a longer one is of a log that has grown meanwhile, or nothing accounts for it
		}
		short, err := a.read(part)
		if err != nil {
			return err
		}
		check.Checked++
		if t, err := tlog.ParseTilePath(part); err != nil || !bytes.HasPrefix(data, short) || !rightLength(t.L, t.W, short) {
			check.finding("%s is not the beginning of %s", part, name)
		}
	}
	return nil
}

// longer reports whether a partial tile has more than another one.
func longer(part, name string) bool {
	p, bad := tlog.ParseTilePath(part)
	n, err := tlog.ParseTilePath(name)
	return bad == nil && err == nil && p.W > n.W
}

func rightLength(level, width int, data []byte) bool {
	if level >= 0 {
		return len(data) == width*tlog.HashSize
	}
	entries, err := tlog.ParseBundle(data)
	return err == nil && len(entries) == width
}

// take adds some leaves to the tree, and looks at their entries where they are published.
func (a *auditor) take(first int64, leaves []tlog.Hash, found []known) error {
	for i, leaf := range leaves {
		a.tree.add(leaf)
		index := first + int64(i)
		if a.Books != nil && a.Books.Next(uint64(index), found[i].entry) {
			a.private.Checked++
		}
		if found[i].entry == nil {
			a.hidden(index)
		} else {
			a.lastShown = index
			a.entries.Checked++
			if err := a.entry(uint64(index), found[i]); err != nil {
				return err
			}
		}
		a.meet()
	}
	return nil
}

// end reports what could not be compared, each draw, and the files that the log does not account for.
func (a *auditor) end() error {
	for _, waiting := range a.notes {
		for _, n := range waiting {
			n.check.finding("%s could not be compared: the tree was not read so far", n.where)
		}
	}
	a.compareOlder()
	a.heldBack()
	a.checkBundles()
	for _, d := range sortedDraws(a.draws) {
		d.report(a)
	}
	if !a.policy.NeedsWitnesses() {
		a.witnesses.Not = "the policy names none; a policy with a quorum does"
	}
	if a.Books != nil && a.held >= 0 {
		a.private.Not = "where the log's entries are held back"
	}
	a.surplus()
	return nil
}

// surplus names the files that nothing in the log accounts for.
func (a *auditor) surplus() {
	if a.names == nil {
		a.files.Not = "over HTTP it cannot be known which other files there are"
		return
	}
	var left []string
	for name, seen := range a.names {
		a.files.Checked++
		if !seen && !a.maybeLater(name) {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	for _, name := range left {
		a.files.finding("%s: nothing in the log accounts for it", name)
	}
}

func sortedDraws(all map[uint64]*drawn) iter.Seq2[uint64, *drawn] {
	return func(yield func(uint64, *drawn) bool) {
		for _, n := range slices.Sorted(maps.Keys(all)) {
			if !yield(n, all[n]) {
				return
			}
		}
	}
}

// tolerance is how far the clocks of several servers may be apart.
const tolerance = time.Minute
