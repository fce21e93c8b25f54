package bench

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"demo-server/bench/result"
)

// TestToolThatDoesNotEnd checks that ab is interrupted if it exceeds its -t, as it does while a reply trickles in, and
// that this is not an error.
func TestToolThatDoesNotEnd(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ab"), []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	const stuck = 30 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), stuck)
	defer cancel()
	plan := NewPlan(Config{
		Rows: []Row{{Name: "mine", Kind: result.KindAgainst, URL: "http://127.0.0.1:1/",
			Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}}},
		Generator: AB, Concurrency: 1, Duration: time.Millisecond, Timeout: time.Millisecond, Repeat: 1, Budget: time.Minute,
	}, false)
	r := &runner{Plan: plan}
	target, err := r.target(ctx, plan.Planned[0].Row)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.tool(ctx, plan.Planned[0], target); err != nil || ctx.Err() != nil {
		t.Errorf("%v, %v; want that it was interrupted before %s", err, ctx.Err(), stuck)
	}
}
