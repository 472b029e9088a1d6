package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// composeFile is what a compose file holds; a key that is not here is refused.
type composeFile struct {
	Name     string                    `yaml:"name"`
	Services map[string]composeService `yaml:"services"`
	Networks map[string]composeNetwork `yaml:"networks"`
}

type composeService struct {
	Container   string   `yaml:"container_name"`
	Image       string   `yaml:"image"`
	Environment []string `yaml:"environment"`
	Volumes     []string `yaml:"volumes"`
	Networks    []string `yaml:"networks"`
	DependsOn   []string `yaml:"depends_on,omitempty"`

	ReadOnly    bool           `yaml:"read_only"`
	CapDrop     []string       `yaml:"cap_drop"`
	SecurityOpt []string       `yaml:"security_opt"`
	Healthcheck map[string]any `yaml:"healthcheck,omitempty"`
}

type composeNetwork struct {
	IPAM struct {
		Driver string              `yaml:"driver"`
		Config []map[string]string `yaml:"config"`
	} `yaml:"ipam"`
}

// generator is the script, also for a test that works in a folder of its own.
var generator, _ = filepath.Abs("../generar-compose.sh")

// generate runs the generator and returns its exit code and what it wrote to stderr.
func generate(t *testing.T, mode string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{generator}, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MODE=") }), "MODE="+mode)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if stdout.Len() > 0 {
		t.Errorf("the generator wrote %q to stdout, want nothing", &stdout)
	}
	return cmd.ProcessState.ExitCode(), stderr.String()
}

func readCompose(t *testing.T, path string) composeFile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c composeFile
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return c
}

func TestGeneratedComposeHoldsServerClientsAndNetwork(t *testing.T) {
	for _, n := range []string{"0", "1", "5", "007", "200"} {
		t.Run(n, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "docker compose.yaml")
			if code, stderr := generate(t, "", path, n); code != 0 || stderr != "" {
				t.Fatalf("exit code %d, stderr %q; want 0 and nothing", code, stderr)
			}
			count, _ := strconv.Atoi(n)
			if diff := cmp.Diff(wantCompose(count), readCompose(t, path)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 2 || left[0].Name() != ".data" || !left[0].IsDir() {
				t.Errorf("the folder holds %v, want the file and .data", left)
			}
		})
	}
}

func wantCompose(n int) composeFile {
	networks := []string{"testing_net"}
	c := composeFile{Name: "tp0", Services: map[string]composeService{}, Networks: map[string]composeNetwork{}}
	c.Services["server"] = composeService{
		Container: "server", Image: "server:latest", Networks: networks,
		Environment: []string{"SERVER_MODE=lottery", "TOTAL_CLIENTES=" + strconv.Itoa(n)},
		Volumes:     []string{"./server/config.ini:/config.ini:ro", "/data"},
		ReadOnly:    true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges:true"},
		Healthcheck: map[string]any{"test": []any{"CMD", "/quiniela", "health"}, "interval": "30s", "timeout": "5s"},
	}
	for i := 1; i <= n; i++ {
		name := "client" + strconv.Itoa(i)
		c.Services[name] = composeService{
			Container: name, Image: "client:latest", Networks: networks, DependsOn: []string{"server"},
			Environment: []string{"CLI_ID=" + strconv.Itoa(i), "CLI_MODE=batch", "NOMBRE=Santiago Lionel", "APELLIDO=Lorca",
				"DOCUMENTO=" + strconv.Itoa(30904464+i), "NACIMIENTO=1999-03-17", "NUMERO=7574"},
			Volumes:  []string{"./client/config.yaml:/config.yaml:ro", "./.data:/app/.data:ro"},
			ReadOnly: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges:true"},
		}
	}
	var network composeNetwork
	network.IPAM.Driver = "default"
	network.IPAM.Config = []map[string]string{{"subnet": "172.25.125.0/24"}}
	c.Networks["testing_net"] = network
	return c
}

func TestGeneratedComposeSetsTheModeOfBothSides(t *testing.T) {
	for mode, server := range map[string]string{"": "lottery", "batch": "lottery", "bet": "lottery", "echo": "echo"} {
		t.Run("MODE="+mode, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "compose.yaml")
			if code, stderr := generate(t, mode, path, "2"); code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			client := mode
			if mode == "" {
				client = "batch"
			}
			services := readCompose(t, path).Services
			for name, want := range map[string]string{"server": "SERVER_MODE=" + server, "client1": "CLI_MODE=" + client, "client2": "CLI_MODE=" + client} {
				if env := services[name].Environment; !slices.Contains(env, want) {
					t.Errorf("%s has %q, want %s among them", name, env, want)
				}
			}
		})
	}
}

func TestGeneratorMakesTheFolderOfTheAgenciesFilesBesideItsFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("sub", 0o755); err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string]string{"compose.yaml": ".data", "sub/compose.yaml": "sub/.data", "-c.yaml": ".data"} {
		for range 2 { // the second time it is there, with a file in it
			if code, stderr := generate(t, "", path, "1"); code != 0 || stderr != "" {
				t.Fatalf("%s: exit code %d, stderr %q", path, code, stderr)
			}
			if info, err := os.Stat(data); err != nil || !info.IsDir() {
				t.Fatalf("%s: no folder %s: %v", path, data, err)
			}
			if err := os.WriteFile(filepath.Join(data, "agency-1.csv"), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What stands in its way is left alone, and told.
	if err := os.Mkdir("taken", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("taken/.data", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stderr := generate(t, "", "taken/compose.yaml", "1"); code != 1 || !strings.Contains(stderr, "'taken/.data'") {
		t.Errorf("exit code %d, stderr %q; want 1 and what is in the way", code, stderr)
	}
	if text, _ := os.ReadFile("taken/.data"); string(text) != "mine" {
		t.Errorf("the file that was in the way became %q", text)
	}
}

func TestGeneratorRefusesWhatItCannotMake(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "compose.yaml")
	for _, c := range []struct {
		name, mode string
		args       []string
		code       int
	}{
		{"nothing", "", nil, 2},
		{"no number", "", []string{file}, 2},
		{"too much", "", []string{file, "1", "2"}, 2},
		{"negative", "", []string{file, "-1"}, 2},
		{"word", "", []string{file, "x"}, 2},
		{"fraction", "", []string{file, "1.5"}, 2},
		{"empty", "", []string{file, ""}, 2},
		{"blank", "", []string{file, " 5"}, 2},
		{"two lines", "", []string{file, "5\n6"}, 2},
		{"20 digits", "", []string{file, "10000000000000000000"}, 2},
		{"file without a name", "", []string{"", "5"}, 2},
		{"folder", "", []string{dir, "5"}, 2},
		{"mode", "ECHO", []string{file, "5"}, 2},
		{"no such folder", "", []string{filepath.Join(dir, "none", "compose.yaml"), "5"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
				t.Fatal(err)
			}
			code, stderr := generate(t, c.mode, c.args...)
			if code != c.code || !strings.Contains(stderr, "generar-compose.sh: ") {
				t.Errorf("exit code %d, stderr %q; want %d and a message", code, stderr, c.code)
			}
			if c.code == 2 && !strings.Contains(stderr, "Type: ") {
				t.Errorf("stderr %q does not say what to type", stderr)
			}
			if text, _ := os.ReadFile(file); string(text) != "mine" {
				t.Errorf("the file that was there became %q", text)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("the folder holds %v, want the file that was there alone", left)
			}
		})
	}
}
