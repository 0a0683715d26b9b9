package hmtmock

import (
	"net/http"
	"net/url"
	"os"
	"testing"
)

const spec = `{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/users/{id}": {"get": {
  "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
  "responses": {"200": {"description": "a user"}}}}}}`

func TestOverride(t *testing.T) {
	file := t.TempDir() + "/spec.json"
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	mock := Start(t, file)
	mock.Override(map[string]any{
		"match": map[string]any{"path": "/users/{id}"}, "answer": map[string]any{"status": 503}, "times": 1,
	})
	for _, expected := range []int{503, 200} {
		response, err := http.Get(mock.URL + "/users/7")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != expected {
			t.Fatalf("%d, expected %d", response.StatusCode, expected)
		}
	}
	if seen := mock.Requests(url.Values{"path": {"/users/{id}"}}); len(seen) != 2 {
		t.Fatalf("%d requests in the journal", len(seen))
	}
	mock.Reset()
}
