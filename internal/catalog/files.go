package catalog

import "demo-server/configs"

// reservedFiles is the number of descriptors that are not for clients: the listeners and their duplicates, epoll, the
// log, the files of the process that /metrics reads, and 16 connections of the admin listener.
const reservedFiles = 24 + 16

// MaxConnections returns how many connections may be open at the same time in each process: the setting, or the number
// that the limit on open files leaves.
func MaxConnections(s *configs.Settings) int {
	if s.MaxConnections > 0 {
		return s.MaxConnections
	}
	return max(1, PossibleConnections()-filesOfWork(s)-Mode(s).Files)
}

// filesOfWork returns the number of descriptors that are reserved for the work, at most half of all.
func filesOfWork(s *configs.Settings) int {
	return min(Kind(s).Files(WorkOptions(s)), PossibleConnections()/2)
}

// PossibleConnections returns how many connections the limit on open files leaves.
func PossibleConnections() int { return max(1, OpenFileLimit()-reservedFiles) }
