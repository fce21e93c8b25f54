package eventloop

import (
	"testing"

	"go.uber.org/goleak"
)

// The tests in modes run whole modes over event loops. The tests here cover what cannot be seen from there.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
