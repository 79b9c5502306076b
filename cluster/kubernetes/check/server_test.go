package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binariesEnv names the folder with kube-apiserver, kube-controller-manager, kubectl and etcd.
const binariesEnv = "JEM_KUBERNETES"

// patience bounds every wait: the machine may be busy.
const patience = 3 * time.Minute

// server is an API server on this machine's loopback, with the controller of Jobs and no nodes: pods are made and nobody runs
// them, so the tests say how they ended.
type server struct {
	binaries, dir, url, config string
}

// start starts etcd, the API server and the controller; the test's end stops them.
func start(t *testing.T) *server {
	t.Helper()
	binaries := os.Getenv(binariesEnv)
	if binaries == "" {
		t.Skipf("%s names no folder with a kube-apiserver: scripts/kubernetes.sh builds one", binariesEnv)
	}
	s := &server{binaries: binaries, dir: t.TempDir()}
	clients, peers, secure, controllers := port(t), port(t), port(t), port(t)
	etcd := fmt.Sprintf("http://127.0.0.1:%d", clients)
	s.run(t, "etcd", "--data-dir="+s.path("etcd"), "--listen-client-urls="+etcd, "--advertise-client-urls="+etcd, "--unsafe-no-fsync",
		fmt.Sprintf("--listen-peer-urls=http://127.0.0.1:%d", peers))
	s.await(t, "etcd", func() error { return dial(clients) })
	s.secrets(t, secure)
	s.run(t, "kube-apiserver", "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", secure),
		"--cert-dir="+s.path("cert"), "--service-account-issuer=https://jem.test", "--service-account-key-file="+s.path("key.pem"), "--service-account-signing-key-file="+s.path("key.pem"),
		"--service-cluster-ip-range=10.0.0.0/24", "--token-auth-file="+s.path("tokens.csv"), "--authorization-mode=AlwaysAllow",
		"--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none")
	s.await(t, "kube-apiserver", func() error { _, err := s.kubectl("", "get", "--raw", "/readyz"); return err })
	s.run(t, "kube-controller-manager", "--kubeconfig="+s.config, "--controllers=job-controller", "--leader-elect=false",
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", controllers), "--cert-dir="+s.path("cert"))
	s.await(t, "the namespace", func() error { _, err := s.kubectl("", "get", "namespace", "default"); return err })
	return s
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

// port is one that is free on the loopback.
func port(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func dial(port int) error {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err == nil {
		err = c.Close()
	}
	return err
}

// secrets writes a key for tokens of service accounts, a token for us, and what kubectl wants.
func (s *server) secrets(t *testing.T, port int) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	token := rand.Text()
	s.url, s.config = fmt.Sprintf("https://127.0.0.1:%d", port), s.path("kubeconfig")
	for name, text := range map[string]string{
		"key.pem":    string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"tokens.csv": token + ",tester,tester,system:masters\n",
		"kubeconfig": fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: tester, namespace: jem}}]
clusters: [{name: test, cluster: {server: %q, insecure-skip-tls-verify: true}}]
users: [{name: tester, user: {token: %s}}]
`, s.url, token),
	} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// run starts a program until the test's end, and shows the end of what it said if the test fails.
func (s *server) run(t *testing.T, program string, args ...string) {
	t.Helper()
	log, err := os.Create(s.path(program + ".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(s.binaries, program), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // should the tests themselves be killed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			lines := strings.Split(string(text), "\n")
			t.Logf("the end of what %s said:\n%s", program, strings.Join(lines[max(0, len(lines)-15):], "\n"))
		}
	})
}

// await asks until there is no error.
func (s *server) await(t *testing.T, what string, ask func() error) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("%s: after %v: %v", what, patience, err)
		}
	}
}

// kubectl runs it with a text on its standard input and returns what it says, on an error with the reason.
func (s *server) kubectl(stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.binaries, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.config, "HOME="+s.dir)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// must is kubectl that has to succeed.
func (s *server) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := s.kubectl(stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
