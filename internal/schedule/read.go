package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"quiniela"
	"quiniela/draw"
	"quiniela/internal/ledger"
)

// What a file may say of times.
const (
	longestLead   = 24 * time.Hour
	shortestAhead = time.Minute
	longestAhead  = 744 * time.Hour
	usualAhead    = 24 * time.Hour
)

// Read reads the schedule in a file. Its errors say in which line what is wrong; there may be several, joined.
func Read(path string) (*Schedule, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the schedule: %w", err)
	}
	return Parse(path, text)
}

// Parse reads a schedule; path is its file's name, for errors.
func Parse(path string, text []byte) (*Schedule, error) {
	r := &reader{path: path}
	root, err := r.document(text)
	if err != nil {
		return nil, err
	}
	s := r.schedule(root)
	if len(r.faults) > 0 {
		return nil, r.err()
	}
	return s, nil
}

// reader reads the nodes of a file, and keeps what is wrong with them. A value that is wrong is read as the zero value.
type reader struct {
	path   string
	faults []fault
}

// fault is what is wrong in a line.
type fault struct {
	line int
	what error
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, fault{n.Line, fmt.Errorf(format, args...)})
}

// err returns all faults, in the order of their lines.
func (r *reader) err() error {
	slices.SortStableFunc(r.faults, func(a, b fault) int { return a.line - b.line })
	var all []error
	for _, f := range r.faults {
		all = append(all, fmt.Errorf("%s:%d: %w", r.path, f.line, f.what))
	}
	return errors.Join(all...)
}

// line is how the parser says where a file is no YAML.
var line = regexp.MustCompile(`^yaml: line (\d+): `)

// document returns the root of the one document of a file.
func (r *reader) document(text []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s has no schedule: write one as deploy/draws.example.yaml has it", r.path)
	}
	if err == nil {
		if err = d.Decode(&more); err == nil {
			return nil, fmt.Errorf("%s:%d: a second document begins here: want one", r.path, more.Line)
		}
	}
	if errors.Is(err, io.EOF) {
		return doc.Content[0], nil
	}
	if at := line.FindStringSubmatch(err.Error()); at != nil {
		return nil, fmt.Errorf("%s:%s: no YAML: %s", r.path, at[1], err.Error()[len(at[0]):])
	}
	return nil, fmt.Errorf("%s: no YAML: %s", r.path, strings.TrimPrefix(err.Error(), "yaml: "))
}

// keys returns the values of a mapping, of which keys are known.
func (r *reader) keys(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "want %s, with the keys %s", what, strings.Join(known, ", "))
		return values
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(known, key.Value):
			r.fail(key, "unknown key %q: %s has the keys %s", quiniela.Clip(key.Value), what, strings.Join(known, ", "))
		case values[key.Value] != nil:
			r.fail(key, "the key %s is there twice", key.Value)
		default:
			values[key.Value] = n.Content[i+1]
		}
	}
	return values
}

// list returns the items of a sequence; nil is none.
func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fail(n, "want %s", what)
		return nil
	}
	return n.Content
}

// text returns a scalar, and whether it has a text.
func (r *reader) text(n *yaml.Node, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		r.fail(n, "want %s", want)
		return "", false
	}
	return n.Value, true
}

// shared are the keys that a draw has, or the whole file for all draws.
var shared = append([]string{"days", "agencies", "source", "people", "lead", "ahead", "game"}, terms...)

// terms are those of them that are of the game quiniela only.
var terms = []string{"multipliers", "min_stake", "max_stake", "cap"}

func (r *reader) schedule(root *yaml.Node) *Schedule {
	values := r.keys(root, "a schedule", append([]string{"zone", "draws", "skip"}, shared...)...)
	if root.Kind != yaml.MappingNode {
		return nil
	}
	s := &Schedule{Zone: r.zone(root, values["zone"])}
	every := rule{days: [7]bool{true, true, true, true, true, true, true}, ahead: usualAhead, game: quiniela.GameSpecified, terms: quiniela.DefaultTerms()}
	r.shared(&every, values)
	r.check(&every, root, values, quiniela.DefaultTerms())
	if values["draws"] == nil && len(r.faults) == 0 {
		r.fail(root, "the schedule has no draws: write them under the key draws")
	}
	for _, n := range r.list(values["draws"], "a list of draws, such as - {name: nocturna, time: 21:00}") {
		one := r.rule(n, every, values)
		if one.name != "" && slices.Contains(s.Names(), one.name) {
			r.fail(n, "a draw %s is there already: the names of a day's draws differ", one.name)
		}
		s.rules = append(s.rules, one)
	}
	r.useless(s, values)
	for _, n := range r.list(values["skip"], `a list of days, such as - {date: 2026-12-25, reason: Navidad}`) {
		s.skips = append(s.skips, r.skip(n, s.Names()))
	}
	return s
}

// zone reads a time zone. It has to be named: servers and people would take that of their machine.
func (r *reader) zone(root, n *yaml.Node) *time.Location {
	const want = "the zone of the times below, such as America/Argentina/Buenos_Aires"
	if n == nil {
		r.fail(root, "the key zone is missing: want %s", want)
		return time.UTC
	}
	name, ok := r.text(n, want)
	if !ok {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		r.fail(n, "%q is no time zone: want %s", quiniela.Clip(name), want)
		return time.UTC
	}
	return zone
}

// shared reads the keys of that name into a rule.
func (r *reader) shared(to *rule, values map[string]*yaml.Node) {
	if n := values["days"]; n != nil {
		to.days = r.days(n)
	}
	if n := values["agencies"]; n != nil {
		to.agencies = r.number(n, "agencies", ledger.MaxAgencies)
	}
	if n := values["source"]; n != nil {
		to.source = r.source(n)
	}
	if n := values["people"]; n != nil {
		to.people = r.number(n, "people", 2)
	}
	if n := values["lead"]; n != nil {
		to.lead = r.duration(n, 0, longestLead)
	}
	if n := values["ahead"]; n != nil {
		to.ahead = r.duration(n, shortestAhead, longestAhead)
	}
	if n := values["game"]; n != nil {
		to.game = r.game(n)
	}
	if n := values["multipliers"]; n != nil {
		r.multipliers(n, &to.terms)
	}
	if n := values["min_stake"]; n != nil {
		r.cents(n, &to.terms.MinStake)
	}
	if n := values["max_stake"]; n != nil {
		r.cents(n, &to.terms.MaxStake)
	}
	if n := values["cap"]; n != nil {
		if most, err := quiniela.ParseUint(n.Value, 32); err != nil {
			r.fail(n, "cap: %w", err)
		} else {
			to.terms.Cap = uint32(most)
		}
	}
}

// rule reads a draw. every is what holds for all, and all are the keys that said so.
func (r *reader) rule(n *yaml.Node, every rule, all map[string]*yaml.Node) rule {
	to := every
	values := r.keys(n, "a draw", append([]string{"name", "time"}, shared...)...)
	r.shared(&to, values)
	if n.Kind != yaml.MappingNode {
		return to
	}
	if name := values["name"]; name != nil && name.Kind == yaml.ScalarNode {
		if err := checkName(name.Value); err != nil {
			r.fail(name, "%w", err)
		}
		to.name = name.Value
	} else {
		r.fail(n, "a draw without a name: write one such as name: nocturna")
	}
	if at := values["time"]; at != nil {
		to.time = r.clock(at)
	} else {
		r.fail(n, "draw %s has no time", to.name)
	}
	for _, key := range []string{"agencies", "source", "lead"} {
		if values[key] == nil && all[key] == nil {
			r.fail(n, "draw %s has no %s: write the key here, or above for all draws", to.name, key)
		}
	}
	if to.game == quiniela.GameQuiniela {
		r.check(&to, n, values, every.terms)
	} else {
		r.refuseTerms(values, "draw "+to.name+" is")
	}
	if people := values["people"]; people != nil && to.people == 2 && to.source == quiniela.SourceBeacon {
		r.fail(people, "nobody enters the number of draw %s, since its source is beacon: leave the key out", to.name)
	}
	return to
}

func (r *reader) skip(n *yaml.Node, names []string) (to skip) {
	values := r.keys(n, "a day without draws", "date", "reason", "draws")
	if n.Kind != yaml.MappingNode {
		return to
	}
	const date = "a date such as 2026-12-25"
	if at := values["date"]; at == nil {
		r.fail(n, "the key date is missing: want %s", date)
	} else if text, ok := r.text(at, date); ok {
		to.date = text
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			r.fail(at, "%q is no date: want %s", quiniela.Clip(text), date)
		}
	}
	if at := values["reason"]; at == nil {
		r.fail(n, "the key reason is missing: say why there is no draw")
	} else {
		to.reason, _ = r.text(at, "a reason")
	}
	for _, at := range r.list(values["draws"], "a list of names, such as [vespertina, nocturna]; without the key, all draws are meant") {
		if !slices.Contains(names, at.Value) {
			r.fail(at, "there is no draw %q: the draws are %s", quiniela.Clip(at.Value), strings.Join(names, ", "))
		}
		to.draws = append(to.draws, at.Value)
	}
	return to
}

// weekdays are the names of days, by time.Weekday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (r *reader) days(n *yaml.Node) (days [7]bool) {
	for _, at := range r.list(n, "a list of days, such as [mon, tue, wed, thu, fri, sat]") {
		day := slices.Index(weekdays, strings.ToLower(at.Value))
		if day < 0 {
			r.fail(at, "%q is no day: want some of %s", quiniela.Clip(at.Value), strings.Join(weekdays, ", "))
			continue
		}
		days[day] = true
	}
	return days
}

// number reads how many there are of what.
func (r *reader) number(n *yaml.Node, what string, most uint64) uint32 {
	count, err := quiniela.ParseUint(n.Value, 32)
	if err == nil && (count < 1 || count > most) {
		err = fmt.Errorf("%d %s: want 1 to %d", count, what, most)
	}
	if err != nil {
		r.fail(n, "%w", err)
	}
	return uint32(count)
}

// source reads where the number comes from. A fixed one, the same each day, would be known before anybody bets.
func (r *reader) source(n *yaml.Node) draw.Source {
	if n.Value != quiniela.SourceNotary && n.Value != quiniela.SourceBeacon {
		r.fail(n, "the source %q: want %s or %s", quiniela.Clip(n.Value), quiniela.SourceNotary, quiniela.SourceBeacon)
	}
	return draw.Source(n.Value)
}

func (r *reader) duration(n *yaml.Node, least, most time.Duration) time.Duration {
	d, err := time.ParseDuration(n.Value)
	if err != nil || d < least || d > most {
		r.fail(n, "%q: want a duration such as 15m or 24h, from %v to %v", quiniela.Clip(n.Value), least, most)
	}
	return d
}

func (r *reader) clock(n *yaml.Node) clock {
	t, err := time.Parse("15:04", n.Value)
	if err != nil || len(n.Value) != len("15:04") {
		r.fail(n, `%q is no time of the day: want one such as 21:00`, quiniela.Clip(n.Value))
	}
	return clock{t.Hour(), t.Minute()}
}
