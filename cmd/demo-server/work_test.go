package main

import (
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/configs"
	"demo-server/work"
)

// nobody is an address where nobody listens: that of a listener that has just been closed.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestKinds: what the table says of each kind, before any is made, is what the kind says itself.
func TestKinds(t *testing.T) {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	if diff := cmp.Diff(configs.Kinds, names); diff != "" {
		t.Fatalf("not the kinds of configs (-want +got):\n%s", diff)
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			settings := &configs.Settings{
				Work: k.name, MaxThreads: 3, Slots: 4, PoolSize: 5, Dir: t.TempDir(), DialTimeout: time.Second,
				DSN: configs.Secret("postgres://" + nobody(t)),
			}
			works, err := openWorks(settings)
			if err != nil {
				t.Fatal(err)
			}
			if holds := works.usual.Holds(); holds != k.holds {
				t.Errorf("holds %s, and %s by the table", holds, k.holds)
			}
			bound := k.bound(settings)
			if pooled, ok := works.usual.(work.Pooled); ok {
				if pool := pooled.Pool(); pool.Name != k.name || pool.Size != bound.places {
					t.Errorf("has %+v, and %d %ss by the table", pool, bound.places, bound.noun)
				}
			}
			if err := works.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOpenWorks: requests get the kinds that they may ask for, and share the server's own.
func TestOpenWorks(t *testing.T) {
	for _, row := range []struct {
		settings configs.Settings
		want     []string
	}{
		{configs.Settings{Work: "sleep"}, nil},
		{configs.Settings{Work: "sleep", Overrides: true}, []string{"sleep", "block", "cpu", "mutex"}},
		{configs.Settings{Work: "grpc", Overrides: true}, []string{"sleep", "block", "cpu", "mutex", "grpc"}},
	} {
		row.settings.MaxThreads, row.settings.Slots, row.settings.DialTimeout = 1, 1, time.Second
		works, err := openWorks(&row.settings)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range row.want {
			if works.asked[name] == nil {
				t.Errorf("work %s: none for requests that ask for %s", row.settings.Work, name)
			}
		}
		if len(works.asked) != len(row.want) || len(row.want) > 0 && works.asked[row.settings.Work] != works.usual {
			t.Errorf("work %s: requests may ask for %v, want %v, its own among them", row.settings.Work, works.asked, row.want)
		}
		if err := works.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenFails: what was opened before is closed, and the error says which kind of work it is about.
func TestOpenFails(t *testing.T) {
	works, err := openWorks(&configs.Settings{Work: "file", Dir: "/nowhere/at/all", MaxThreads: 1})
	if err == nil {
		t.Fatalf("opened %+v", works)
	}
	const want = "work file: "
	if got := err.Error(); got[:min(len(want), len(got))] != want {
		t.Errorf("got %q, want %s…", got, want)
	}
}
