// Package hmtmock runs hmt-mock while a Go test does.
package hmtmock

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Mock is a running hmt-mock.
type Mock struct {
	URL, AdminURL string
	t             testing.TB
}

// Start runs hmt-mock on free ports until the test has ended. Flags are those of hmt-mock(1).
func Start(t testing.TB, spec string, flags ...string) *Mock {
	t.Helper()
	command := exec.Command("hmt-mock", append([]string{"-p", "0", "-a", "0", spec}, flags...)...)
	stderr, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	mock := &Mock{t: t}
	lines, said := bufio.NewScanner(stderr), []string{}
	for mock.AdminURL == "" && lines.Scan() {
		said = append(said, lines.Text())
		if place, found := strings.CutPrefix(lines.Text(), "listening on "); found {
			mock.URL = place
		}
		if place, found := strings.CutPrefix(lines.Text(), "admin on "); found {
			mock.AdminURL = place
		}
	}
	if mock.AdminURL == "" {
		t.Fatalf("hmt-mock did not start:\n%s", strings.Join(said, "\n"))
	}
	go io.Copy(io.Discard, stderr)
	return mock
}

// Override adds a stub: {"match": ..., "answer": ..., "times": ...}.
func (m *Mock) Override(stub map[string]any) {
	m.t.Helper()
	m.call("POST", "/overrides", stub, nil)
}

// Requests returns the journal; filters are those of GET /admin/requests.
func (m *Mock) Requests(filters url.Values) (entries []map[string]any) {
	m.t.Helper()
	m.call("GET", "/requests?"+filters.Encode(), nil, &entries)
	return entries
}

// Reset removes the overrides, the journal and stored changes.
func (m *Mock) Reset() {
	m.t.Helper()
	m.call("DELETE", "/overrides", nil, nil)
	m.call("DELETE", "/requests", nil, nil)
	m.call("POST", "/storage/reset", nil, nil)
}

func (m *Mock) call(method, path string, body, result any) {
	m.t.Helper()
	data := []byte{}
	if body != nil {
		data, _ = json.Marshal(body)
	}
	request, _ := http.NewRequest(method, m.AdminURL+path, bytes.NewReader(data))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode >= 400 {
		m.t.Fatalf("%s %s: %s %s", method, path, response.Status, text)
	}
	if result != nil {
		if err := json.Unmarshal(text, result); err != nil {
			m.t.Fatal(err)
		}
	}
}
