package result

// Number is a figure that is known.
func Number[T int | int64 | float64](n T) *float64 {
	f := float64(n)
	return &f
}
