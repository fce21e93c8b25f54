package result

// Number returns a pointer to a figure, which marks it as known.
func Number[T int | int64 | float64](n T) *float64 {
	f := float64(n)
	return &f
}
