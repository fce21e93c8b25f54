//go:build !linux && !darwin

package result

func (*Machine) ask() {}
