//go:build linux

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const unitFile = "../deploy/systemd/quiniela.service"

// systemd has no complaint about the unit, but that its program is elsewhere here.
func TestTheUnitIsValid(t *testing.T) {
	l := &lab{t, t.TempDir()}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		skipOrFail(t, "QUINIELA_REQUIRE_MACHINES", "this test needs systemd-analyze: install your system's package systemd")
	}
	l.write("quiniela.service", strings.Replace(readFile(t, unitFile), "/usr/local/bin/quiniela", program(t), 1))
	if out, err := l.run(nil, "systemd-analyze", "verify", "--man=no", filepath.Join(l.dir, "quiniela.service")); err != nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
}

// machineImage is a Debian with systemd, as a container runs it.
const machineImage = "quiniela-test-systemd:bookworm"

// haveMachine makes the image of a machine that systemd runs, of Debian's packages, where the engine does not have it.
func haveMachine(t *testing.T) {
	t.Helper()
	haveDocker(t)
	if _, err := command(t, nil, "docker", "image", "inspect", machineImage); err == nil {
		return
	}
	// systemd leaves it to a container's manager that mounts are shared, which is how it hands a service its credentials.
	makeImage(t, machineImage, "systemd,systemd-sysv,dbus", nil, `CMD ["sh", "-c", "mount --make-rshared / && exec /sbin/init"]`, "ENV container=docker")
}

// machine is a container that systemd runs.
type machine struct {
	t    *testing.T
	name string
}

func startMachine(t *testing.T) machine {
	t.Helper()
	haveMachine(t)
	m := machine{t, fmt.Sprintf("quiniela-test-machine-%d", os.Getpid())}
	t.Cleanup(func() { _, _ = command(t, nil, "docker", "rm", "-f", "-v", m.name) })
	// All that a machine's root may do, but to raise limits, which the machines that run these tests may not either.
	out, err := command(t, nil, "docker", "run", "-d", "--name", m.name, "--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt", "seccomp=unconfined",
		"--cgroupns=private", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", machineImage)
	if err != nil {
		t.Fatal(err, out)
	}
	await(t, "systemd runs", func() bool {
		out, _ := m.run("systemctl is-system-running")
		return strings.HasPrefix(out, "running") || strings.HasPrefix(out, "degraded")
	})
	for from, to := range map[string]string{program(t): "/usr/local/bin/quiniela", unitFile: "/etc/systemd/system/quiniela.service"} {
		if out, err := command(t, nil, "docker", "cp", from, m.name+":"+to); err != nil {
			t.Fatal(err, out)
		}
	}
	m.must("systemctl daemon-reload")
	return m
}

// run types a line as the machine's root.
func (m machine) run(line string) (string, error) {
	return command(m.t, nil, "docker", "exec", m.name, "sh", "-c", line)
}

func (m machine) must(line string) string {
	m.t.Helper()
	out, err := m.run(line)
	if err != nil {
		log, _ := m.run("journalctl -u quiniela -n 30 --no-pager")
		m.t.Fatalf("%s: %v\n%s\n%s", line, err, out, log)
	}
	return out
}

// The unit as it is, on a machine that systemd runs: the first start says what it lacks and is not tried again, and the service then
// takes an agency's bets over TLS, writes a backup, and ends cleanly, as a user of its own without rights.
func TestTheUnitRuns(t *testing.T) {
	m := startMachine(t)
	if out, err := m.run("systemctl start quiniela"); err == nil || !strings.Contains(out, "Assertion failed") {
		t.Errorf("without a certificate: %v, %s", err, out)
	}
	m.must("mkdir -p /etc/quiniela && quiniela certs --out /etc/quiniela && chmod 600 /etc/quiniela/*.pem")
	if out, err := m.run("systemctl start quiniela; sleep 1; journalctl -u quiniela --no-pager; ! systemctl is-active quiniela"); err != nil ||
		!strings.Contains(out, "quiniela init --origin lottery.example/log --data /var/lib/quiniela") || !strings.Contains(out, "quiniela agency add 1 --data /var/lib/quiniela") ||
		strings.Contains(out, "Scheduled restart") {
		t.Errorf("with nothing decided: %v, %s", err, out)
	}
	m.must("quiniela init --origin lottery.example/log --data /var/lib/quiniela")
	m.must("quiniela operator add ana --data /var/lib/quiniela >ana.key")
	m.must("quiniela agency add 1 --data /var/lib/quiniela >agency-1.token && quiniela generate --agencies 1 --bets 100")
	m.must("systemctl enable --now quiniela && until quiniela health --tls; do sleep 0.2; systemctl is-active quiniela || exit 1; done")
	m.must("quiniela draw open night --agencies 1 --source fixed --number 7574 --data /var/lib/quiniela")
	out := m.must("quiniela client --id 1 --server localhost:12345 --tls-ca /etc/quiniela/ca.pem --token-file agency-1.token")
	if !strings.Contains(out, "action: consulta_ganadores | result: success") {
		t.Errorf("the agency: %s", out)
	}
	m.must("quiniela draw show night --server http://127.0.0.1:8080 --key-file ana.key")
	m.must("quiniela backup /var/lib/quiniela-backups/one --data /var/lib/quiniela && quiniela fsck --data /var/lib/quiniela-backups/one")
	status := m.must("cat /proc/$(systemctl show -p MainPID --value quiniela)/status")
	for _, want := range []string{"CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, want) || strings.Contains(status, "Uid:\t0") {
			t.Errorf("the server runs so, without %q:\n%s", want, status)
		}
	}
	m.must("systemctl restart quiniela && until quiniela draw list --data /var/lib/quiniela | grep night; do sleep 0.2; done")
	m.must("systemctl stop quiniela")
	if got := m.must("systemctl show -p Result -p ExecMainStatus quiniela"); got != "Result=success\nExecMainStatus=0\n" {
		t.Errorf("it ended with %s", got)
	}
	if log := m.must("journalctl -u quiniela --no-pager"); strings.Contains(log, " WARNING ") || strings.Contains(log, " ERROR ") || strings.Contains(log, "result: fail") {
		t.Errorf("the log has something that failed:\n%s", log)
	}
}
