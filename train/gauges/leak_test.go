package gauges

import (
	"testing"

	"go.uber.org/goleak"
)

// No test of this package may leave a goroutine behind: a board has some.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
