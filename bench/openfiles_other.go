//go:build !unix

package bench

// shareOpenFiles does nothing where there is no such limit.
func shareOpenFiles() {}
