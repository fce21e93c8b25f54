// Package kinds holds the one list of kinds of work. It is a package of its own because work/remote imports work.
package kinds

import (
	"slices"

	"demo-server/work"
	"demo-server/work/remote"
)

// All lists the kinds of work, in the order in which help shows them. The first is the default.
var All = []work.Kind{
	work.SleepKind, work.BlockKind, work.CPUKind, work.MutexKind, work.FileKind,
	remote.HTTPKind, remote.SQLKind, remote.GRPCKind,
}

// Named returns the kind with a name. It panics if there is none, because settings accept no other name.
func Named(name string) work.Kind {
	for _, kind := range All {
		if kind.Name == name {
			return kind
		}
	}
	panic("unknown kind of work: " + name)
}

// Names returns the names of all kinds.
func Names() []string {
	names := make([]string, len(All))
	for i, kind := range All {
		names[i] = kind.Name
	}
	return names
}

// Requestable returns the names of the kinds that a request may ask for, on a server whose own kind is own: that kind,
// and every kind without side effects.
func Requestable(own string) []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return name != own && Named(name).SideEffects })
}
