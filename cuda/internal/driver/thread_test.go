//go:build cuda && linux && amd64

package driver

import (
	"errors"
	"strings"
	"testing"
)

// A bug in a call is its caller's, and the thread takes further ones.
func TestAPanicOfACallIsTheCallers(t *testing.T) {
	th, failed := newThread(), errors.New("failed")
	defer th.close()
	func() {
		defer func() {
			if said, _ := recover().(string); !strings.HasPrefix(said, "amiss\n") {
				t.Errorf("got %q", said)
			}
		}()
		t.Error(th.do(func() error { panic("amiss") }))
	}()
	if err := th.do(func() error { return failed }); err != failed {
		t.Errorf("the next call: %v", err)
	}
}
